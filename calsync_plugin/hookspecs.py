"""The hooks between a CRM and calsync, for pluggy's project `calsync`.

Decides their names, arguments and moments. Two groups: hooks that the CRM calls when something happened
(calsync implements them), and hooks that the CRM or a third party may implement (calsync calls them).

All arguments are passed, by keyword. pluggy ends the call at the first exception and the plugins after it are
not called, so calsync's own implementations never raise: they leave one mark in calsync's store, within
200 ms, and call nothing remote. A mark that is missed is found by a sweep of recently modified records.

    manager = pluggy.PluginManager("calsync")
    calsync_plugin.register(manager, config)
    manager.hook.calsync_entity_created(entity_type="Meeting", record=meeting.as_dict())
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import pluggy

from calsync_plugin.hook_values import Caller as Caller  # noqa: PLC0414
from calsync_plugin.hook_values import PageRequest as PageRequest  # noqa: PLC0414
from calsync_plugin.hook_values import Veto as Veto  # noqa: PLC0414

if TYPE_CHECKING:
    from calsync_plugin.crm.gateway import CrmGateway
    from calsync_plugin.domain.meeting import Meeting

PROJECT = "calsync"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


def plugin_manager() -> pluggy.PluginManager:
    """Return an empty plugin manager of our project, for a bridge that is its own host."""
    return pluggy.PluginManager(PROJECT)


@hookspec
def calsync_entity_created(entity_type: str, record: Mapping[str, object]) -> None:
    """Say that a record was saved for the first time.

    Called after the commit: what calsync reads back must be what was saved.

    :param entity_type: name of the entity in the CRM, such as `Meeting`
    :param record: the saved attributes; `id` is needed, the rest may be partial (`record.schema.json`)

    Example: `hook.calsync_entity_created(entity_type="Meeting", record={"id": "42", "name": "Kick-off"})`
    """


@hookspec
def calsync_entity_updated(
    entity_type: str, record: Mapping[str, object], changed: Sequence[str] | None
) -> None:
    """Say that a record was saved again; also for a save that changed nothing.

    Called after the commit. Duplicates, lost calls and calls out of order do no harm: the present record is
    read before anything is written.

    :param entity_type: name of the entity in the CRM
    :param record: `id` and any other attributes, as for `calsync_entity_created`
    :param changed: names of the changed attributes if the CRM knows them, else None

    Example: `hook.calsync_entity_updated(entity_type="Meeting", record={"id": "42"}, changed=["dateStart"])`
    """


@hookspec
def calsync_entity_reassigned(
    entity_type: str, record: Mapping[str, object], previous_user_id: str | None
) -> None:
    """Say that the assigned user of a record changed.

    Called after the commit, in place of or besides `calsync_entity_updated`.

    :param entity_type: name of the entity in the CRM
    :param record: `id` and any other attributes; `assignedUserId` is the new user
    :param previous_user_id: the former user, None if the CRM does not know; a hint only

    Example:

        hook.calsync_entity_reassigned(entity_type="Meeting", record={"id": "42"}, previous_user_id="7")
    """


@hookspec
def calsync_entity_deleted(entity_type: str, record_id: str) -> None:
    """Say that a record was removed.

    Called after the commit. The removal is confirmed by reading the record before any event is deleted.

    :param entity_type: name of the entity in the CRM
    :param record_id: id of the removed record

    Example: `hook.calsync_entity_deleted(entity_type="Meeting", record_id="42")`
    """


@hookspec
def calsync_attendance_changed(entity_type: str, record_id: str) -> None:
    """Say that an attendee was linked, unlinked or answered without a save of the record itself.

    Called after the commit. EspoCRM, for one, changes no `modifiedAt` then.

    :param entity_type: name of the entity in the CRM
    :param record_id: id of the record whose attendees changed

    Example: `hook.calsync_attendance_changed(entity_type="Call", record_id="43")`
    """


@hookspec
def calsync_account_changed(user_id: str) -> None:
    """Say that a user's calsync settings were saved by the CRM's own pages.

    Called after the commit.

    :param user_id: id of the user in the CRM

    Example: `hook.calsync_account_changed(user_id="7")`
    """


@hookspec
def calsync_user_deactivated(user_id: str) -> None:
    """Say that a user may no longer log in, or was removed.

    Called after the commit. Nothing is deleted: the user's links are suspended.

    :param user_id: id of the user in the CRM

    Example: `hook.calsync_user_deactivated(user_id="7")`
    """


@hookspec
def calsync_grants_changed(user_id: str) -> None:
    """Say that a user's grants (`ExternalAccount`, `OutlookCalendar`) may have changed.

    Called after the commit of a change to roles or teams that the user has. It asks `calsync_grants`.

    :param user_id: id of the user in the CRM

    Example: `hook.calsync_grants_changed(user_id="7")`
    """


@hookspec
def calsync_tick() -> None:
    """Let calsync do what is due: polls, renewals, sweeps.

    Called by the CRM's scheduler, once a minute or so; it returns at once. Not needed beside our own worker.

    Example: `hook.calsync_tick()`
    """


@hookspec(firstresult=True)
def calsync_collisions(entity_type: str, record: Mapping[str, object]) -> Sequence[Mapping[str, str]] | None:
    """Ask what a meeting collides with, before it is saved, to warn whoever saves it.

    Called by the CRM whenever it likes, as while a form is filled in. Answered from calsync's store within
    200 ms, for the assigned user and every user among the attendees who is connected; never with an
    exception. What cannot be told in that time, or of a record without dates, is told as no collision. The
    record's own events and its booking do not count.

    :param entity_type: name of the entity in the CRM
    :param record: the attributes as they will be saved: dates, `assignedUserId`, `usersIds`; with an `id` if
        it was saved before
    :return: a mapping each, in order of time: `user_id`, `start` and `end` (ISO 8601, UTC) and `kind`, one of
        `linked`, `conflict`, `feed`, `schedule` and `booking`; nothing of what the other meeting is about

    Example:

        times = {"dateStart": "2026-12-01 10:00:00", "dateEnd": "2026-12-01 11:00:00"}
        hook.calsync_collisions(entity_type="Meeting", record={**times, "usersIds": ["7", "8"]})
    """


@hookspec(firstresult=True)
def calsync_crm_gateway() -> CrmGateway | None:
    """Give the object through which calsync reads and writes the CRM's records.

    Called once, when calsync is registered in the CRM's process. The first answer that is not None is taken;
    without any, the EspoCRM of the configuration is used.

    Example:

        @hookimpl
        def calsync_crm_gateway():
            return MyCrmGateway(session_factory)
    """


@hookspec(firstresult=True)
def calsync_authenticate(request: PageRequest) -> str | Caller | None:
    """Tell which CRM user a request to calsync's pages comes from.

    Called for each request to a page or to `/api/v1` that has no session of calsync's own. The first answer
    that is not None is taken; without any the user is asked to log in. To `/api/v1` no cookies are shown.

    :param request: headers and cookies of the request
    :return: the user's id in the CRM, a `Caller` for an administrator, or None if this plugin cannot tell

    Example:

        @hookimpl
        def calsync_authenticate(request):
            return sessions.user_id(request.cookies.get("crm_session"))
    """


@hookspec(firstresult=True)
def calsync_grants(user_id: str) -> Collection[str] | None:
    """Tell what a user may: the names of the grants that the user has.

    Called after `calsync_grants_changed`, when a user connects and daily; for None counts what was given in
    calsync itself. Nothing of a user who lacks one of them is synced, or deleted.

    :param user_id: id of the user in the CRM
    :return: names out of `ExternalAccount` and `OutlookCalendar`; None if this plugin cannot tell

    Example:

        @hookimpl
        def calsync_grants(user_id):
            return [g for g in ("ExternalAccount", "OutlookCalendar") if acl.check(user_id, g)]
    """


@hookspec
def calsync_outbound(meeting: Meeting, record: Mapping[str, object]) -> Mapping[str, object] | Veto | None:
    """Change or veto what goes from the CRM to Outlook.

    Called each time a record is read for a plan, before it is compared: the answer must depend on the
    arguments alone, else calsync sees a change in every run and writes each time. Changes of several plugins
    are applied in the order in which they were registered; one veto is enough.

    :param meeting: the meeting as calsync would write it
    :param record: the CRM's record that it was made of
    :return: new values by field of `Meeting`, a `Veto`, or None to leave it as it is

    Example:

        @hookimpl
        def calsync_outbound(meeting, record):
            return {"location": record["cRoom"]} if record.get("cRoom") else None
    """


@hookspec
def calsync_inbound(meeting: Meeting, event: Mapping[str, object]) -> Mapping[str, object] | Veto | None:
    """Change or veto what comes from Outlook into the CRM.

    Called each time an event is read for a plan, before it is compared; as for `calsync_outbound` the answer
    must depend on the arguments alone.

    :param meeting: the meeting as calsync would write it
    :param event: the event as Graph describes it
    :return: new values by field of `Meeting`, a `Veto`, or None to leave it as it is

    Example:

        @hookimpl
        def calsync_inbound(meeting, event):
            return Veto("focus time is not a meeting") if "Focus" in event.get("categories", []) else None
    """


@hookspec
def calsync_notify(user_id: str, message: str) -> None:
    """Tell a user, or the administrators, something that should not wait until a page is opened next.

    Called once when an account needs a person (a new login, a look at its mailbox, a word on what is held),
    for its user and for the administrators, and for these alone when the installation is paused. Again if it
    was cured and came back, or after a week. An exception is logged and changes nothing.

    :param user_id: id of the user in the CRM; empty for all administrators
    :param message: one or two sentences of plain text, without secrets

    Example:

        @hookimpl
        def calsync_notify(user_id, message):
            Notification.create(user_id=user_id or "administrators", text=message)
    """
