"""Setting an EspoCRM up, or taking that away, as one administrator's job from login to log-out.

Decides what is looked at before and after, and what the audit log says. Keeps no login.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from calsync_plugin.accounts.auditing import COMMAND_LINE, note
from calsync_plugin.accounts.crm_removal import plan_removal, read_holders
from calsync_plugin.accounts.crm_setup import Wanted, plan_setup, shortcomings
from calsync_plugin.accounts.crm_steps import Hands, Plan, Step, carry_out
from calsync_plugin.accounts.crm_survey import Choices, Survey, chosen, known_entities, survey
from calsync_plugin.crm.administrator import AdminLogin, administrator
from calsync_plugin.crm.client import EspoClient
from calsync_plugin.crm.proposal import as_configured
from calsync_plugin.errors import UserError
from calsync_plugin.http import Http
from calsync_plugin.settings import Settings
from calsync_plugin.state import Store

SUBJECT = "integration"


class Installation(Protocol):
    """For what the CRM is set up."""

    store: Store
    http: Http

    @property
    def settings(self) -> Settings:
        """What is in force."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What an administrator who is signed in can do."""

    plan: Plan
    entities: tuple[dict[str, object], ...]
    """The block `crm.entities` that fits what is planned."""
    configured: bool
    """Whether the configuration says all of that already."""
    _hands: Hands
    _told: str
    _left: Callable[[], tuple[str, ...]]

    def carry_out(self) -> Iterator[Step]:
        """Do what the plan says, one step after the other; each is yielded before it is done."""
        for step in carry_out(self.plan, self._hands):
            note(self._hands.store, COMMAND_LINE, f"{self._told}: {_words(step)}", subject=SUBJECT)
            yield step

    def left(self) -> tuple[str, ...]:
        """What is still missing afterwards, a sentence each."""
        return self._left()


def _words(step: Step) -> str:
    return f"{step.doing.value} {step.part} {step.name}"


@contextmanager
def setting_up(
    calsync: Installation, user_name: str, password: str, code: Callable[[str], str], choices: Choices
) -> Generator[Job]:
    """Sign in and plan the set-up; the session ends with it, whatever happens."""
    settings = calsync.settings
    with administrator(settings.crm, calsync.http, AdminLogin(user_name, password, code)) as admin:
        found, wanted, hands = _looked(calsync, admin, choices)
        entities = wanted.entities(found)
        if not wanted.kinds(found):
            raise UserError("none of the kinds of records that are meant exists in EspoCRM; correct --entity")
        yield Job(
            plan=plan_setup(found, wanted),
            entities=tuple(as_configured(entity) for entity in entities),
            configured=bool(wanted.configured) and entities == settings.crm.entities,
            _hands=hands,
            _told="set EspoCRM up",
            _left=lambda: shortcomings(hands, entities),
        )


@contextmanager
def taking_away(
    calsync: Installation, user_name: str, password: str, code: Callable[[str], str], choices: Choices
) -> Generator[Job]:
    """Sign in and plan the removal; the session ends with it, whatever happens."""
    crm, http = calsync.settings.crm, calsync.http
    with administrator(crm, http, AdminLogin(user_name, password, code)) as admin:
        found, wanted, hands = _looked(calsync, admin, choices)
        yield Job(
            plan=plan_removal(found, wanted, read_holders(admin, found)),
            entities=(),
            configured=True,
            _hands=hands,
            _told="took calsync out of EspoCRM",
            _left=tuple,
        )


def _looked(calsync: Installation, admin: EspoClient, choices: Choices) -> tuple[Survey, Wanted, Hands]:
    settings = calsync.settings
    paused = calsync.store.installation.get().paused
    if paused:
        raise UserError(f"nothing is changed in EspoCRM while everything is paused: {paused}")
    given = settings.source("crm.entities") != "default"
    found = survey(admin, settings.crm, calsync.http, choices)
    wanted = Wanted(
        crm=settings.crm,
        address=settings.serve.public_url + settings.crm.webhook_path,
        entity_types=chosen(found, settings.crm, given=given, choices=choices),
        configured=known_entities(settings.crm, given=given),
        secrets={webhook.id: webhook.secret for webhook in calsync.store.webhooks.all()},
        choices=choices,
    )
    hands = Hands(
        admin=admin,
        crm=settings.crm,
        http=calsync.http,
        store=calsync.store,
        by_key=found.by_key,
        role_id=str(found.role["id"]) if found.role else "",
        user=found.user or {},
    )
    return found, wanted, hands
