"""An EspoCRM that knows nothing of calsync, and an installation that an administrator sets up for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from calsync_plugin.accounts.crm_job import Job, setting_up, taking_away
from calsync_plugin.accounts.crm_steps import to_do
from calsync_plugin.accounts.crm_survey import Choices
from calsync_plugin.http import Http
from calsync_plugin.sandbox.crm import Crm, create_app
from calsync_plugin.sandbox.crm import identities as ids
from calsync_plugin.settings import CrmSettings, EntitySettings, ServeSettings, Settings
from calsync_plugin.state import Keyring, Store, open_store
from tests.wsgi import WsgiAdapter

CRM = "http://127.0.0.1:8701"
PUBLIC = "https://calsync.example.com"
ADDRESS = f"{PUBLIC}/webhooks/crm"
KEYS = {"k1": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}
EVENTS = ("create", "update", "delete", "fieldUpdate.assignedUser")
KINDS = ("Meeting", "Call", "Visit")
HOOKS = [f"{kind}.{event}" for kind in KINDS for event in EVENTS]
MEETING = EntitySettings(entity_type="Meeting", marker="cOutlookEventId", join_url="cOutlookJoinUrl")


def no_code(_: str) -> str:
    raise AssertionError("nobody asked for a code")


@dataclass
class Place:
    crm: Crm
    store: Store
    http: Http
    settings: Settings
    choices: Choices

    @contextmanager
    def setting_up(self, choices: Choices | None = None, **login: str) -> Iterator[Job]:
        user, password = login.get("user", "admin"), login.get("password", ids.PASSWORD)
        with setting_up(self, user, password, no_code, choices or self.choices) as job:
            yield job

    @contextmanager
    def taking_away(self, choices: Choices | None = None) -> Iterator[Job]:
        with taking_away(self, "admin", ids.PASSWORD, no_code, choices or self.choices) as job:
            yield job

    def set_up(self, choices: Choices | None = None) -> list[str]:
        """Do everything; the names of what was done."""
        with self.setting_up(choices) as job:
            return [f"{step.doing} {step.part} {step.name}" for step in job.carry_out()]

    def take_away(self, choices: Choices | None = None) -> list[str]:
        with self.taking_away(choices) as job:
            return [f"{step.doing} {step.part} {step.name}" for step in job.carry_out()]

    def open_steps(self, choices: Choices | None = None) -> list[str]:
        """What a set-up would do."""
        with self.setting_up(choices) as job:
            return [f"{step.doing} {step.part} {step.name}" for step in to_do(job.plan)]

    def configure(self, *entities: EntitySettings, api_key: str = "", secret_key: str = "") -> None:
        crm = replace(self.settings.crm, api_key=api_key, secret_key=secret_key)
        sources = dict(self.settings.sources)
        if entities:
            crm = replace(crm, entities=entities)
            sources["crm.entities"] = "file"
        self.settings = replace(self.settings, crm=crm, sources=sources)

    def rows(self, entity_type: str, **values: object) -> list[dict[str, Any]]:
        """The live records with these values."""
        table = self.crm.store.tables[entity_type]
        return [row for row in table if all(row.get(name) == value for name, value in values.items())]

    def hooks(self) -> dict[str, dict[str, Any]]:
        """The webhooks at our address by event; each is there once."""
        found = [row for row in self.rows("Webhook") if str(row["url"]).startswith(ADDRESS)]
        assert len({row["event"] for row in found}) == len(found)
        return {str(row["event"]): row for row in found}

    def hooks_of(self, event: str) -> list[dict[str, Any]]:
        """Every webhook of an event, wherever it goes."""
        return self.rows("Webhook", event=event)

    def fields(self, entity_type: str) -> set[str]:
        return set(self.crm.store.entity(entity_type).custom_fields)

    def key(self) -> str:
        return self.choices.key_file.read_text("utf-8").strip()


def place_in(folder: Path) -> Place:
    app = create_app(marker_fields=False)
    http = Http()
    http.mount(CRM, WsgiAdapter(app))
    settings = Settings(crm=CrmSettings(url=CRM), serve=ServeSettings(public_url=PUBLIC))
    store = open_store(f"sqlite:///{folder / 'calsync.db'}", Keyring(KEYS), kind="bridge")
    choices = Choices(key_file=folder / "keys" / "crm-api-key")
    return Place(app.extensions["crm"], store, http, settings, choices)
