"""What an EspoCRM has for us now: asked with an administrator's login before anything is planned.

Decides how our role, our API user and our webhooks are recognised: by the configured key, else by name.
Changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from calsync_plugin.crm.access import read_access
from calsync_plugin.crm.client import EspoClient, Row
from calsync_plugin.crm.event_types import EventType, read_event_types
from calsync_plugin.crm.wanted import supported
from calsync_plugin.crm.webhook_setup import list_webhooks
from calsync_plugin.errors import Forbidden, Unauthorized, UserError
from calsync_plugin.http import Http
from calsync_plugin.settings import CrmSettings, EntitySettings

NAME = "calsync"
"""What our role and our API user are called unless the command says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the administrator who sets up may choose."""

    role: str = NAME
    api_user: str = NAME
    entity_types: tuple[str, ...] = ()
    """Which kinds of records; empty: those of the configuration, else all that there are."""
    location: bool = False
    concurrency: bool = False
    create_contacts: bool = False
    fields: bool = False
    """Of the removal: the fields as well, with what stands in them."""
    key_file: Path = Path("crm-api-key")
    """Where the key of an API user is kept that is made here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What was found."""

    version: str
    kinds: Mapping[str, EventType]
    role: Row | None
    """The role of our name, None if there is none."""
    user: Row | None = field(repr=False)
    """Our API user as an administrator reads it (with its key), None if there is none."""
    key_refused: bool
    """Whether a key is configured that EspoCRM does not accept."""
    by_key: bool
    """Whether the user is the one of the configured key."""
    webhooks: tuple[Row, ...] = field(repr=False)
    """Everybody's."""
    mails: frozenset[str]
    """Kinds of records of which EspoCRM mails the assigned user."""

    @property
    def user_id(self) -> str:
        """Our API user, "" if there is none."""
        return str(self.user.get("id") or "") if self.user else ""


def survey(admin: EspoClient, crm: CrmSettings, http: Http, choices: Choices) -> Survey:
    """Look at everything. UserError for an EspoCRM that is too old."""
    version = read_version(admin)
    if not supported(version):
        raise UserError(
            f"EspoCRM {version or '(of an unknown version)'} is too old: its webhooks would report what "
            "calsync itself writes. Update EspoCRM to 9.2 or newer first"
        )
    user_id, refused = _user_of_key(crm, http)
    by_key = bool(user_id)
    user_id = user_id or _id_by(admin, "User", "userName", choices.api_user)
    user = admin.get("User", record_id=user_id) if user_id else None
    if user is not None and not by_key:
        _check_named(user, choices)
    role_id = _id_by(admin, "Role", "name", choices.role)
    return Survey(
        version=version,
        kinds=read_event_types(admin),
        role=admin.get("Role", record_id=role_id) if role_id else None,
        user=user,
        key_refused=refused,
        by_key=by_key,
        webhooks=tuple(list_webhooks(admin)),
        mails=read_mails(admin),
    )


def _check_named(user: Row, choices: Choices) -> None:
    """Refuse a user who has our name by chance."""
    if user.get("type") != "api":
        raise UserError(
            f"{choices.api_user} is the name of a person in EspoCRM (type {user.get('type')}), and calsync "
            "needs an API user of its own; choose another name with --api-user"
        )
    if user.get("authMethod") == "Hmac":
        raise UserError(
            f"the API user {choices.api_user} signs its requests (HMAC): enter its API key and secret key "
            "as crm.api_key and crm.secret_key, or choose another name with --api-user"
        )


def read_version(client: EspoClient) -> str:
    """The version of an EspoCRM, such as 9.2.7."""
    return str(client.get("App/about").get("version") or "")


def read_mails(client: EspoClient) -> frozenset[str]:
    """Of which kinds of records EspoCRM mails the assigned user.

    It does if somebody else assigned it (its source, EmailNotification/HookProcessor); invitations it sends
    only when a person presses the button (its source, Meeting/InvitationService).
    """
    settings = client.get("Settings")
    kinds = settings.get("assignmentEmailNotificationsEntityList")
    if settings.get("assignmentEmailNotifications") is not True or not isinstance(kinds, list):
        return frozenset()
    return frozenset(str(kind) for kind in kinds)


def chosen(found: Survey, crm: CrmSettings, *, given: bool, choices: Choices) -> tuple[str, ...]:
    """Which kinds of records are meant. `given`: whether the configuration names any."""
    if choices.entity_types:
        return tuple(dict.fromkeys(choices.entity_types))
    return tuple(entity.entity_type for entity in crm.entities) if given else tuple(found.kinds)


def known_entities(crm: CrmSettings, *, given: bool) -> dict[str, EntitySettings]:
    """The configured entries by kind; the defaults of Meeting and Call are nobody's choice."""
    return {entity.entity_type: entity for entity in crm.entities} if given else {}


def _user_of_key(crm: CrmSettings, http: Http) -> tuple[str, bool]:
    """Whose key is configured, and whether one is that EspoCRM refuses."""
    if not crm.api_key:
        return "", False
    try:
        return read_access(EspoClient(crm, http)).user_id, False
    except (Unauthorized, Forbidden):
        return "", True


def _id_by(admin: EspoClient, entity_type: str, attribute: str, value: str) -> str:
    where = {"type": "equals", "attribute": attribute, "value": value}
    rows, _ = admin.page(entity_type, where=[where], select=("id", attribute), order_by="createdAt", size=2)
    # The database compares without case, and a name is one only as it is written.
    return next((str(row.get("id")) for row in rows if row.get(attribute) == value), "")
