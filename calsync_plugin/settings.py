"""What an administrator and a user may choose, as frozen values.

Decides which settings exist, their types and defaults. The wording, limits and forms of each stand in
`schemas/`; `config` reads the file and the environment. Secrets never appear in a `repr`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from calsync_plugin import bundle, config
from calsync_plugin.config import Source
from calsync_plugin.errors import SettingsError


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitySettings:
    """One entity of the Event kind in the CRM. The strings name attributes; "" = it has no such field."""

    entity_type: str
    label: str = ""
    """R4: the identification label at the start of an Outlook subject ("C" for calls); "" = none."""
    description: str = "description"
    description_format: Literal["text", "html"] = "text"
    location: str = ""
    reminder: str = ""
    """Minutes before the start. EspoCRM's own `reminders` belong to one user each and stay out of this."""
    sensitivity: str = ""
    show_as: str = ""
    online: str = ""
    """The boolean by which a record asks for a Teams meeting (R16)."""
    marker: str = ""
    """Holds the link's marker on records that calsync creates."""
    join_url: str = ""
    """Receives the Teams join address."""
    all_day: bool = True
    """Whether its records can be all-day; EspoCRM's calls cannot."""

    def fields(self) -> frozenset[str]:
        """Names of the meeting's fields that a record of this entity can hold."""
        optional = {
            "description": self.description,
            "location": self.location,
            "reminder": self.reminder,
            "sensitivity": self.sensitivity,
            "show_as": self.show_as,
            "online": self.online,
        }
        always = ("subject", "span", "attendees", "responses")
        return frozenset(always) | {name for name, attribute in optional.items() if attribute}


DEFAULT_ENTITIES = (
    EntitySettings(entity_type="Meeting"),
    EntitySettings(entity_type="Call", label="C", all_day=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmSettings:
    """The CRM beside which the bridge runs."""

    url: str = ""
    """Its address, without /api/v1 and without a slash at the end."""
    api_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    """For HMAC authentication; "" = the plain API key."""
    entities: tuple[EntitySettings, ...] = DEFAULT_ENTITIES
    time_zone: str = ""
    """IANA name of the installation's zone; "" = ask the CRM."""
    webhook_path: str = "/webhooks/crm"
    sweep_seconds: int = 180
    """How often records changed lately are looked through for what a webhook or hook missed."""
    reread_seconds: int = 300
    """How often records are read again for what EspoCRM tells nobody, a portion each time."""
    timeout_seconds: float = 10.0

    def entity(self, entity_type: str) -> EntitySettings | None:
        """The settings of one entity type, None if it is not synced."""
        return next((e for e in self.entities if e.entity_type == entity_type), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphSettings:
    """Microsoft Graph and the login service."""

    enabled: bool = True
    """Off: nothing syncs and nothing is deleted, everything waits."""
    url: str = "https://graph.microsoft.com/v1.0"
    authority: str = "https://login.microsoftonline.com/common"
    tenant: str = ""
    """Takes the place of the last part of `authority`; "" = as that says."""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    prompt: Literal["select_account", "login", "consent"] = "select_account"
    allowed_tenants: tuple[str, ...] = ()
    allowed_domains: tuple[str, ...] = ()
    requests_per_window: int = 10_000
    """Graph docs, throttling limits, Outlook: 10,000 requests in 10 minutes for an app and a mailbox."""
    window_seconds: int = 600
    batch_size: int = 20
    """Graph docs, JSON batching: 20 requests at most."""
    timeout_seconds: float = 20.0
    poll_seconds: int = 600
    """How often a mailbox is read that Outlook does not notify us of."""
    schedules: bool = False
    """Whether Outlook may be asked when people are busy who are not connected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """Where calsync keeps its own rows."""

    url: str = field(default="", repr=False)
    """An SQLAlchemy address of SQLite or PostgreSQL; "" = a SQLite file in the data folder."""
    secret_keys: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    """Key by id. Order matters: the first encrypts, all decrypt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSettings:
    """The web server of the bridge."""

    host: str = "127.0.0.1"
    port: int = 8700
    public_url: str = ""
    """The address under which browsers, Microsoft and the CRM reach the bridge; no slash at the end."""
    trusted_proxy: str = ""
    """Whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed; "" = nobody's."""
    threads: int = 8
    api_token: str = field(default="", repr=False)
    """By it programs use `/api/v1` as an administrator; "" = by no token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """The threads that sync mailboxes."""

    threads: int = 16
    lease_seconds: float = 15.0
    run_items: int = 200
    """A run yields to the next mailbox after so many items ..."""
    run_seconds: float = 5.0
    """... or after so many seconds, whichever is first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """What is logged, and how a line looks."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What configuration file, environment and admin page become."""

    crm: CrmSettings = field(default_factory=CrmSettings)
    graph: GraphSettings = field(default_factory=GraphSettings)
    store: StoreSettings = field(default_factory=StoreSettings)
    serve: ServeSettings = field(default_factory=ServeSettings)
    worker: WorkerSettings = field(default_factory=WorkerSettings)
    log: LogSettings = field(default_factory=LogSettings)
    sources: Mapping[str, Source] = field(default_factory=lambda: MappingProxyType({}))
    """Source of each path (`crm.url`) that is not at its default."""
    warnings: tuple[str, ...] = ()
    """What is accepted but should be known, in one sentence each."""

    def source(self, path: str) -> Source:
        """Where the value at `path` (`crm.url`) came from."""
        return self.sources.get(path, "default")


Mode = Literal["outlook_to_crm", "crm_to_outlook", "both"]
ClashRule = Literal["origin", "crm", "outlook"]
PrivateEvents = Literal["skip", "busy", "full"]
RecurringEvents = Literal["occurrences", "first", "skip"]
NO_CALENDAR = "none"
"""As the main calendar: nothing new goes to Outlook, and only the other calendars are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserEntity:
    """One entity type that a user syncs, with the label that stands for it in Outlook (R4)."""

    entity_type: str
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserSettings:
    """What one user chose; the wording of each choice stands in `external_account.schema.json`."""

    sync_since: date
    mode: Mode = "both"
    entities: tuple[UserEntity, ...] = (UserEntity(entity_type="Meeting"),)
    default_entity: str = "Meeting"
    months_ahead: int = 12
    main_calendar: str = ""
    """Id of the calendar that receives records; "" = the mailbox's default calendar; or NO_CALENDAR."""
    other_calendars: tuple[str, ...] = ()
    """Ids of further calendars that are read."""
    conflict_calendars: tuple[str, ...] = ()
    """Ids of the calendars that block availability besides the main one."""
    out_of_office_blocks: bool = True
    tentative_blocks: bool = True
    clash: ClashRule = "origin"
    remove_event_with_record: bool = False
    """R9, for events that Outlook created."""
    remove_record_with_event: bool = False
    """R10, for records that the CRM created."""
    push_contacts: bool = False
    push_leads: bool = False
    create_contacts: bool = False
    private_events: PrivateEvents = "skip"
    hide_imported_details: bool = False
    recurring: RecurringEvents = "occurrences"
    description_both_ways: bool = False
    teams_for_new: bool = False
    default_team: str = ""
    """Id of the CRM team that imported records get; "" = none."""

    @property
    def has_main(self) -> bool:
        """Whether there is a calendar that new records go into."""
        return self.main_calendar != NO_CALENDAR

    def entity(self, entity_type: str) -> UserEntity | None:
        """This user's choice for one entity type, None if the user does not sync it."""
        return next((e for e in self.entities if e.entity_type == entity_type), None)


def load_settings(file: Path | Mapping[str, object] | None, environ: Mapping[str, str]) -> Settings:
    """The settings that file (or its content) and environment make; the environment goes before the file.

    ConfigurationError names the wrong path or variable and what was expected, never a secret. What the admin
    page saved comes under both (`admin_layer`), once the store is open.
    """
    layers = config.layered(file, environ)
    crm, store = layers.section("crm"), layers.section("store")
    if "entities" in crm:
        crm["entities"] = tuple(EntitySettings(**entity) for entity in crm["entities"])
    if "secret_keys" in store:
        store["secret_keys"] = MappingProxyType(store["secret_keys"])
    return Settings(
        crm=CrmSettings(**crm),
        graph=GraphSettings(**layers.section("graph")),
        store=StoreSettings(**store),
        serve=ServeSettings(**layers.section("serve")),
        worker=WorkerSettings(**layers.section("worker")),
        log=LogSettings(**layers.section("log")),
        sources=MappingProxyType(layers.sources),
        warnings=tuple(layers.warnings),
    )


def user_settings(values: Mapping[str, object]) -> UserSettings:
    """One user's choices from their stored or posted form. SettingsError names the first wrong one."""
    for problem in bundle.check(dict(values), "external_account"):
        expected = f" (expected {problem.expected})" if problem.expected else ""
        raise SettingsError(f"{problem.path}: {problem.message}{expected}")
    chosen: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
    }
    chosen["sync_since"] = date.fromisoformat(chosen["sync_since"])
    if "entities" in chosen:
        chosen["entities"] = tuple(UserEntity(**entity) for entity in chosen["entities"])
    settings = UserSettings(**chosen)
    _check_relations(settings)
    return settings


def user_mapping(settings: UserSettings) -> dict[str, object]:
    """The form in which `user_settings` takes them: JSON values by the schema's names."""
    values = asdict(settings)
    values["sync_since"] = settings.sync_since.isoformat()
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}


def _check_relations(settings: UserSettings) -> None:
    # What JSON Schema cannot say: relations between the entries.
    types = [entity.entity_type for entity in settings.entities]
    labels = [entity.label.casefold() for entity in settings.entities if entity.label]
    if settings.default_entity not in types:
        raise SettingsError(
            f'default_entity: "{settings.default_entity}" is not synced (expected one of {types})'
        )
    if len(set(types)) < len(types):
        raise SettingsError("entities: the same kind stands twice")
    if len(set(labels)) < len(labels):
        raise SettingsError("entities: two kinds have the same label, so it tells nothing")
    if settings.mode == "crm_to_outlook" and not settings.has_main:
        raise SettingsError("main_calendar: without one nothing goes to Outlook; choose one")
