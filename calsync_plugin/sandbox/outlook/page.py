"""The calendar page: one mailbox's week, its events in dialogs, and the log of mails Outlook would have sent.

It reads and writes the simulator directly, so that faults and limits meant for a client do not reach it.
Addresses are for this page alone; programs use Graph and the control API.
"""

from __future__ import annotations

import html
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from calsync_plugin.sandbox.outlook import ids, planting, writes
from calsync_plugin.sandbox.outlook.content import has_blob, meeting_blob
from calsync_plugin.sandbox.outlook.control import simulator
from calsync_plugin.sandbox.outlook.event_actions import answer_invitation
from calsync_plugin.sandbox.outlook.lookup import not_found, own
from calsync_plugin.sandbox.outlook.odata_types import parse_datetime
from calsync_plugin.sandbox.outlook.recurrence import DAYS as DAY_NAMES
from calsync_plugin.sandbox.outlook.state import Calendar, Item, Mailbox
from calsync_plugin.sandbox.outlook.week import build, default_span, description_of, monday
from calsync_plugin.sandbox.outlook.wire import GraphError, Json
from calsync_plugin.sandbox.outlook.zones import to_local, windows_names, zone

page = Blueprint("page", __name__, static_folder="static", static_url_path="/static/outlook")
_SHOWN_MAILS = 200
_FIRST_WEEK, _LAST_WEEK = date(1601, 1, 8), date(4499, 12, 1)
_REPETITIONS = {"daily": "daily", "weekly": "weekly", "monthly": "absoluteMonthly"}


def _mailbox() -> Mailbox:
    state = simulator().state
    found = state.mailboxes.get(request.values.get("mailbox", "").lower())
    return found or next(iter(state.mailboxes.values()))


def _zone(mailbox: Mailbox) -> str:
    named = request.values.get("zone") or mailbox.zone
    try:
        zone(named)
    except GraphError:
        return mailbox.zone
    return named


def _week(named: str) -> date:
    try:
        chosen = monday(date.fromisoformat(request.values.get("week", "")))
        if not _FIRST_WEEK <= chosen <= _LAST_WEEK:
            raise ValueError
        return chosen
    except ValueError:
        return monday(to_local(simulator().now(), named).date())


def _context() -> Json:
    sim, mailbox = simulator(), _mailbox()
    named = _zone(mailbox)
    first = _week(named)
    start, end = default_span(sim, first, named)
    with sim.state.lock:
        mails = [_mail(mail, named) for mail in reversed(sim.state.mails[-_SHOWN_MAILS:])]
        return {
            "mailbox": mailbox,
            "mailboxes": list(sim.state.mailboxes.values()),
            "week": build(sim, mailbox, first, named),
            "previous": (first - timedelta(days=7)).isoformat(),
            "next": (first + timedelta(days=7)).isoformat(),
            "mails": mails,
            "mail_count": len(sim.state.mails),
            "counter": sim.state.sequence,
            "zones": windows_names(),
            "new_start": f"{start:%Y-%m-%dT%H:%M}",
            "new_end": f"{end:%Y-%m-%dT%H:%M}",
            "error": request.args.get("error", ""),
        }


def _mail(mail: object, named: str) -> Json:
    made = {name: getattr(mail, name) for name in ("kind", "sender", "to", "subject", "reason")}
    at = datetime.fromisoformat(str(getattr(mail, "at", "")))
    return {**made, "at": f"{to_local(at, named):%a %d %b, %H:%M:%S}"}


@page.get("/")
def home() -> str:
    """Show a mailbox's week."""
    return render_template("outlook/page.html", **_context())


@page.get("/page/week")
def fragment() -> Response:
    """Return the parts of the page that change, for its refresh."""
    context = _context()
    answer = make_response(render_template("outlook/_week.html", **context))
    answer.headers["X-Counter"] = str(context["counter"])
    answer.headers["Cache-Control"] = "no-store"
    return answer


@page.before_request
def refuse_other_sites() -> tuple[str, int] | None:
    """Refuse a form that another site's page posts here."""
    origin = request.headers.get("Origin")
    if request.method == "POST" and origin and urlsplit(origin).netloc != request.host:
        return "This form was sent by another site.", 403
    return None


def _back(error: str = "") -> BaseResponse:
    kept: dict[str, Any] = {
        name: request.form[name] for name in ("mailbox", "week", "zone") if name in request.form
    }
    if error:
        kept["error"] = error
    return redirect(url_for("page.home", **kept), code=303)


def _calendar(mailbox: Mailbox, default: int) -> Calendar:
    """Return the calendar that a form chose; one with a single calendar gives no choice."""
    named = request.form.get("calendar")
    calendar = mailbox.calendars.get(ids.parse_calendar(named)[1] if named else default)
    if calendar is None:
        raise not_found()
    return calendar


@page.post("/page/events")
def save() -> BaseResponse:
    """Create an event, or change the one whose id the form carries."""
    sim, mailbox = simulator(), _mailbox()
    try:
        with sim.state.lock:
            identity = request.form.get("id")
            if not identity:
                calendar = _calendar(mailbox, mailbox.default_calendar)
                writes.create(sim, mailbox, calendar, _body(None, _zone(mailbox)))
            else:
                found = own(mailbox, identity)
                body = _body(found.item, _zone(mailbox))
                writes.update(sim, mailbox, found.item, found.master, body, keep_responses=True)
                whole = found.master or found.item
                calendar = _calendar(mailbox, whole.folder)
                if calendar.number != whole.folder:
                    planting.move(sim, mailbox, whole, calendar)
    except GraphError as error:
        return _back(error.message)
    return _back()


@page.post("/page/events/<action>")
def act(action: str) -> BaseResponse:
    """Delete an event or its series, or answer an invitation."""
    sim, mailbox = simulator(), _mailbox()
    try:
        with sim.state.lock:
            found = own(mailbox, request.form.get("id", ""))
            if action == "delete":
                writes.delete(sim, mailbox, found.item, found.master)
            elif action == "delete-series":
                writes.delete(sim, mailbox, found.master or found.item, None)
            elif action in {"accepted", "tentativelyAccepted", "declined"}:
                answer_invitation(sim, found, action, "", send=True)
            else:
                return _back("There is no such action.")
    except GraphError as error:
        return _back(error.message)
    return _back()


def _body(item: Item | None, named: str) -> Json:
    """Return the event that a form describes; of an existing one only what the form can change and did
    change.
    """
    form = request.form
    all_day = "allDay" in form
    start, end = form.get("start", ""), form.get("end", "")
    if all_day:
        start, end = start[:10], _next_day(end[:10])
    body: Json = {
        "subject": form.get("subject", ""),
        "isAllDay": all_day,
        "start": {"dateTime": start, "timeZone": named},
        "end": {"dateTime": end, "timeZone": named},
        "showAs": form.get("showAs", "busy"),
        "sensitivity": form.get("sensitivity", "normal"),
    }
    if item is None or form.get("location", "") != "; ".join(
        place["displayName"] for place in item.locations
    ):
        body["location"] = {"displayName": form.get("location", "")}
    text = form.get("description", "").replace("\r\n", "\n").strip()
    if item is None or text != description_of(item).replace("\r\n", "\n"):
        body["body"] = {"contentType": "html", "content": _html(text, item)}
    wanted = [part.strip() for part in form.get("attendees", "").replace(";", ",").split(",") if part.strip()]
    known = [] if item is None else [person["emailAddress"]["address"] for person in item.attendees]
    if [part.lower() for part in wanted] != [part.lower() for part in known]:
        body["attendees"] = [{"emailAddress": {"address": part}, "type": "required"} for part in wanted]
    if "online" in form and (item is None or not item.online):
        body.update(isOnlineMeeting=True, onlineMeetingProvider="teamsForBusiness")
    if item is None and form.get("repeat") in _REPETITIONS:
        body["recurrence"] = _recurrence(parse_datetime(start).date())
    if item is not None:
        _leave_unchanged_times(body, item, named)
    return body


def _leave_unchanged_times(body: Json, item: Item, named: str) -> None:
    """Drop times that the form only echoes, so that an event keeps its own zone."""
    start = item.start if item.all_day else to_local(item.starts, named)
    end = item.end if item.all_day else to_local(item.ends, named)
    same = body["isAllDay"] == item.all_day
    if same and _same(body["start"]["dateTime"], start) and _same(body["end"]["dateTime"], end):
        del body["start"], body["end"], body["isAllDay"]


def _same(text: str, when: datetime) -> bool:
    try:
        return datetime.fromisoformat(text) == when.replace(second=0, microsecond=0)
    except ValueError:
        return False


def _next_day(text: str) -> str:
    try:
        return (date.fromisoformat(text) + timedelta(days=1)).isoformat()
    except ValueError:
        return text


def _html(text: str, item: Item | None) -> str:
    lines = html.escape(text, quote=False).replace("\n", "<br>\r\n")
    content = f"<div>{lines}</div>" if lines else ""
    if item is not None and item.online and item.join_url and not has_blob(content, item.join_url):
        content += f"<br>\r\n{meeting_blob(item.join_url)}"
    return content


def _recurrence(start: date) -> Json:
    count = request.form.get("count", "")
    kind = _REPETITIONS[request.form["repeat"]]
    pattern: Json = {"type": kind, "interval": 1}
    if kind == "weekly":
        pattern["daysOfWeek"] = [DAY_NAMES[(start.weekday() + 1) % 7]]
    elif kind == "absoluteMonthly":
        pattern["dayOfMonth"] = start.day
    numbered = {
        "type": "numbered",
        "startDate": start.isoformat(),
        "numberOfOccurrences": int(count) if count.isdecimal() else 10,
    }
    return {"pattern": pattern, "range": numbered}
