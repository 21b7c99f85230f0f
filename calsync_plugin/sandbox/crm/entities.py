"""The entity types: which attributes a record has, in the order in which EspoCRM writes them, and their
defaults.

Meeting, Call, Contact, Lead and User are as recorded from EspoCRM 9.2.7; for the others that belong to access
see `entities_of_access`. Not from a recording:
Account (a minimal subset) and Visit, an Event-type custom entity; here it has attendees like a Meeting, a
`location`, and no required assigned user (as EspoCRM's Event template).

This module decides nothing about values; `drafts` and `saving` do.
"""

from __future__ import annotations

from calsync_plugin.sandbox.crm.entities_of_access import ROLE, TEAM, WEBHOOK
from calsync_plugin.sandbox.crm.entity_type import EntityType

ATTENDEES = {"users": "User", "contacts": "Contact", "leads": "Lead"}
EVENT_STATUSES = ("Planned", "Held", "Not Held")


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_PARENT = "parentId parentType parentName accountId accountName"
_PEOPLE = " ".join(f"{link}{part}" for link in ATTENDEES for part in ("Ids", "Names", "Columns"))
_STAMPS = "createdById createdByName modifiedById modifiedByName"
_ASSIGNED = "assignedUserId assignedUserName"
_TEAMS = "teamsIds teamsNames"
_FOLLOW = "isFollowed followersIds followersNames"
_EVENT_WRITABLE = frozenset(
    _words(
        "name status dateStart dateEnd description reminders parentId parentType assignedUserId"
        " teamsIds usersIds"
        " usersColumns contactsIds contactsColumns leadsIds leadsColumns"
    )
)
_EVENT_DETAIL = frozenset(_words(f"reminders phoneNumbersMap {_PEOPLE} {_TEAMS} {_FOLLOW}"))
_EVENT_LINKS = {
    "parent": "",
    "account": "Account",
    "createdBy": "User",
    "modifiedBy": "User",
    "assignedUser": "User",
}
_EVENT_NULLS = ("parentName", "accountName", "modifiedByName")
_ADDRESS = "addressStreet addressCity addressState addressCountry addressPostalCode"
_OPTED = "emailAddressIsOptedOut emailAddressIsInvalid phoneNumberIsOptedOut phoneNumberIsInvalid"
_DAYS = frozenset({"isAllDay", "dateStartDate", "dateEndDate"})


def _event_type(
    name: str,
    attributes: tuple[str, ...],
    *,
    writable: frozenset[str],
    defaults: dict[str, object],
    null_names: tuple[str, ...] = (),
    required: tuple[str, ...] = ("name", "dateStart", "assignedUser"),
    hashed: tuple[str, ...] = ("name", "assignedUserId", "uid"),
) -> EntityType:
    """An entity type of the Event kind: what lies in EspoCRM's calendar has all this in common."""
    return EntityType(
        name,
        attributes,
        _EVENT_WRITABLE | writable,
        defaults={"status": "Planned", **defaults},
        belongs_to=_EVENT_LINKS,
        null_names=(*_EVENT_NULLS, *null_names),
        required=required,
        detail_only=_EVENT_DETAIL,
        companions=("parentName", "createdById", "assignedUserId"),
        order_by="dateStart",
        sorted_attributes=("modifiedAt", "createdAt", "dateStart"),
        hashed_attributes=hashed,
    )


MEETING = _event_type(
    "Meeting",
    _words(
        "id name deleted status dateStart dateEnd isAllDay duration reminders description uid joinUrl"
        " createdAt"
        f" modifiedAt dateStartDate dateEndDate streamUpdatedAt {_PARENT} {_PEOPLE} {_STAMPS}"
        f" {_ASSIGNED} {_TEAMS}"
        f" {_FOLLOW}"
    ),
    writable=_DAYS,
    defaults={"isAllDay": False, "duration": 3600},
    null_names=("joinUrl",),
)
CALL = _event_type(
    "Call",
    _words(
        "id name deleted status dateStart dateEnd duration reminders direction description uid"
        " createdAt modifiedAt"
        f" phoneNumbersMap {_PARENT} {_PEOPLE} {_STAMPS} {_ASSIGNED} {_TEAMS}"
    ),
    writable=frozenset({"direction"}),
    defaults={"duration": 300, "direction": "Outbound"},
)
VISIT = _event_type(
    "Visit",
    _words(
        "id name deleted status dateStart dateEnd isAllDay duration reminders location description createdAt"
        f" modifiedAt dateStartDate dateEndDate {_PARENT} {_PEOPLE} {_STAMPS} {_ASSIGNED} {_TEAMS}"
    ),
    writable=_DAYS | {"location"},
    defaults={"isAllDay": False, "duration": 300},
    required=("name", "dateStart"),
    hashed=("name", "assignedUserId"),
)
CONTACT = EntityType(
    "Contact",
    _words(
        "id name deleted salutationName firstName lastName title description emailAddress phoneNumber"
        " doNotCall"
        f" {_ADDRESS} accountIsInactive accountType createdAt modifiedAt hasPortalUser"
        f" targetListIsOptedOut middleName"
        f" {_OPTED} streamUpdatedAt emailAddressData phoneNumberData accountId accountName accountsIds"
        f" accountsNames"
        f" accountsColumns campaignId campaignName {_STAMPS} {_ASSIGNED} {_TEAMS} portalUserId portalUserName"
        f" originalLeadId originalLeadName {_FOLLOW}"
    ),
    frozenset(
        _words(
            "salutationName firstName lastName title description emailAddress emailAddressData"
            " phoneNumber doNotCall"
            f" {_ADDRESS} accountId assignedUserId"
        )
    ),
    defaults={
        "doNotCall": False,
        "accountIsInactive": False,
        "hasPortalUser": False,
        "emailAddressIsOptedOut": False,
        "emailAddressIsInvalid": False,
    },
    belongs_to={
        "account": "Account",
        "campaign": "",
        "createdBy": "User",
        "modifiedBy": "User",
        "assignedUser": "User",
        "portalUser": "User",
        "originalLead": "Lead",
    },
    null_names=("accountName", "campaignName", "modifiedByName", "assignedUserName"),
    required=("lastName",),
    detail_only=frozenset(
        _words(
            "emailAddressData phoneNumberData accountsIds accountsNames accountsColumns targetListIsOptedOut"
            f" {_TEAMS} {_FOLLOW}"
        )
    ),
    companions=("accountIsInactive", "accountId", "accountName", "createdById", "assignedUserId"),
)
LEAD = EntityType(
    "Lead",
    _words(
        "id name deleted salutationName firstName lastName title status source industry"
        " opportunityAmount website"
        f" {_ADDRESS} emailAddress phoneNumber doNotCall description convertedAt createdAt modifiedAt"
        f" accountName"
        f" targetListIsOptedOut middleName opportunityAmountCurrency {_OPTED} streamUpdatedAt"
        f" emailAddressData"
        f" phoneNumberData opportunityAmountConverted {_STAMPS} {_ASSIGNED} {_TEAMS} campaignId campaignName"
        " createdAccountId createdAccountName createdContactId createdContactName createdOpportunityId"
        f" createdOpportunityName {_FOLLOW}"
    ),
    frozenset(
        _words(
            "salutationName firstName lastName title status source description emailAddress emailAddressData"
            f" phoneNumber doNotCall {_ADDRESS} accountName assignedUserId"
        )
    ),
    defaults={
        "status": "New",
        "doNotCall": False,
        "emailAddressIsOptedOut": False,
        "emailAddressIsInvalid": False,
    },
    belongs_to={
        "createdBy": "User",
        "modifiedBy": "User",
        "assignedUser": "User",
        "campaign": "",
        "createdAccount": "Account",
        "createdContact": "Contact",
        "createdOpportunity": "",
    },
    null_names=("campaignName", "modifiedByName", "assignedUserName"),
    required=("lastName",),
    detail_only=frozenset(
        _words(f"emailAddressData phoneNumberData targetListIsOptedOut {_TEAMS} {_FOLLOW}")
    ),
    companions=("createdById", "assignedUserId"),
)
USER = EntityType(
    "User",
    _words(
        "id name deleted userName type authMethod apiKey salutationName firstName lastName isActive"
        " title emailAddress"
        " phoneNumber avatarColor gender createdAt modifiedAt auth2FA lastAccess targetListIsOptedOut"
        " middleName"
        f" {_OPTED} emailAddressData phoneNumberData defaultTeamId defaultTeamName {_TEAMS}"
        f" teamsColumns rolesIds"
        " rolesNames portalsIds portalsNames portalRolesIds portalRolesNames contactId contactName"
        " accountsIds"
        " accountsNames avatarId avatarName createdById createdByName dashboardTemplateId"
        " dashboardTemplateName"
        " workingTimeCalendarId workingTimeCalendarName layoutSetId layoutSetName"
    ),
    frozenset(
        _words(
            "userName type authMethod apiKey salutationName firstName lastName isActive title emailAddress"
            " emailAddressData phoneNumber gender rolesIds teamsIds password passwordConfirm"
        )
    ),
    defaults={
        "type": "regular",
        "isActive": True,
        "emailAddressIsOptedOut": False,
        "emailAddressIsInvalid": False,
    },
    belongs_to={
        "defaultTeam": "",
        "contact": "Contact",
        "avatar": "",
        "createdBy": "User",
        "dashboardTemplate": "",
        "workingTimeCalendar": "",
        "layoutSet": "",
    },
    null_names=_words(
        "authMethod lastAccess defaultTeamName contactName avatarId avatarName dashboardTemplateName"
        " workingTimeCalendarName layoutSetName"
    ),
    required=("userName", "lastName"),
    detail_only=frozenset(
        _words(
            "authMethod apiKey auth2FA lastAccess gender targetListIsOptedOut emailAddressData"
            " phoneNumberData teamsIds"
            " teamsNames teamsColumns rolesIds rolesNames portalsIds portalsNames portalRolesIds"
            " portalRolesNames"
            " accountsIds accountsNames dashboardTemplateId dashboardTemplateName"
            " workingTimeCalendarName layoutSetId"
            " layoutSetName"
        )
    ),
    companions=("createdById",),
    order_by="userName",
    descending=False,
    sorted_attributes=("modifiedAt", "createdAt", "userName"),
    hashed_attributes=("name", "userName", "apiKey"),
)
ACCOUNT = EntityType(
    "Account",
    _words(
        f"id name deleted website emailAddress type description createdAt modifiedAt {_STAMPS} {_ASSIGNED}"
    ),
    frozenset(_words("name website emailAddress type description assignedUserId")),
    belongs_to={"createdBy": "User", "modifiedBy": "User", "assignedUser": "User"},
    null_names=("modifiedByName", "assignedUserName"),
    companions=("createdById", "assignedUserId"),
)
ENTITY_TYPES = (MEETING, CALL, VISIT, CONTACT, LEAD, USER, ACCOUNT, ROLE, TEAM, WEBHOOK)
MARKER_FIELDS: dict[str, dict[str, object]] = {
    "cOutlookEventId": {"type": "varchar", "maxLength": 255, "index": True, "label": "Outlook event"},
    "cOutlookJoinUrl": {"type": "url", "maxLength": 1000, "label": "Teams link"},
}
# Scopes that exist in EspoCRM but not here: the sandbox's roles give no access to them.
FORBIDDEN_SCOPES = frozenset(
    _words("Opportunity Case Task Email Document Campaign Portal ExternalAccount Import KnowledgeBaseArticle")
)
