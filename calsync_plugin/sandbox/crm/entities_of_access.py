"""The entity types by which access is arranged: roles, teams and webhooks.

Role and Webhook are as recorded from EspoCRM 9.2.7. Not from a recording: Team, whose attributes follow its
published source. This module decides nothing about values.
"""

from __future__ import annotations

from calsync_plugin.sandbox.crm.entity_type import EntityType


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_PERMISSIONS = _words(
    "assignmentPermission userPermission messagePermission portalPermission groupEmailAccountPermission"
    " exportPermission massUpdatePermission dataPrivacyPermission followerManagementPermission"
    " auditPermission mentionPermission userCalendarPermission"
)
ROLE = EntityType(
    "Role",
    ("id", "name", "deleted", *_PERMISSIONS, "data", "fieldData", "createdAt", "modifiedAt"),
    frozenset(_words("name assignmentPermission userPermission massUpdatePermission data fieldData")),
    defaults=dict.fromkeys(_PERMISSIONS, "not-set"),
)
TEAM = EntityType(
    "Team",
    _words(
        "id name deleted positionList createdAt modifiedAt rolesIds rolesNames layoutSetId layoutSetName"
        " workingTimeCalendarId workingTimeCalendarName"
    ),
    frozenset(_words("name positionList rolesIds")),
    defaults={"positionList": []},
    null_names=("layoutSetName", "workingTimeCalendarName"),
    detail_only=frozenset(_words("rolesIds rolesNames")),
    order_by="name",
    descending=False,
)
WEBHOOK = EntityType(
    "Webhook",
    _words(
        "id deleted event url isActive entityType type field secretKey skipOwn createdAt modifiedAt"
        " createdById"
        " createdByName modifiedById modifiedByName"
    ),
    frozenset(_words("url isActive skipOwn")),
    defaults={"isActive": True, "skipOwn": False},
    belongs_to={"createdBy": "User", "modifiedBy": "User"},
    null_names=("field", "modifiedByName"),
    required=("event", "url"),
)
