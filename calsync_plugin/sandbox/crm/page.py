"""The calendar page at `/`: a week of the CRM for people, who act as one of its users.

It writes through the same record rules as the REST API, so stamps, refusals and webhooks are those of the
acting user. Changing requests carry a header of ours, which keeps other sites' forms away.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Blueprint, render_template, request
from werkzeug.datastructures import MultiDict

from calsync_plugin.sandbox.crm.access import Caller
from calsync_plugin.sandbox.crm.answers import crm_of_app
from calsync_plugin.sandbox.crm.clock import stored
from calsync_plugin.sandbox.crm.entities import ATTENDEES, EVENT_STATUSES
from calsync_plugin.sandbox.crm.errors import ApiError
from calsync_plugin.sandbox.crm.simulator import Crm
from calsync_plugin.sandbox.crm.tables import Record
from calsync_plugin.sandbox.crm.week import EventRow, bounds, form_text, lay_out, utc_text

page = Blueprint("crm_page", __name__)
HEADER = "X-Acting-As"
EVENT_TYPES = ("Meeting", "Call", "Visit")
ZONES = (
    *("Europe/Berlin", "Europe/London", "Europe/Kyiv", "UTC", "America/New_York", "America/Chicago"),
    *("America/Los_Angeles", "America/Sao_Paulo", "Asia/Kolkata", "Asia/Tokyo", "Australia/Sydney"),
)
# How far back an entry may begin that still reaches into the week shown.
LONGEST = timedelta(days=62)
_FORM_TIMES = ("dateStart", "dateEnd")


@dataclass(frozen=True, slots=True)
class View:
    """What the page shows: whose eyes, whose calendar, which week, which zone."""

    acting: Caller
    shown: str  # a user id, or empty for everybody
    monday: date
    zone: ZoneInfo

    def query(self, **changed: object) -> dict[str, object]:
        """The parameters of a link to this view, or to one that differs in some of them."""
        here = {
            "as": self.acting.id,
            "user": self.shown,
            "week": self.monday.isoformat(),
            "zone": str(self.zone),
        }
        return {**here, **changed}


def _view(crm: Crm, args: MultiDict[str, str]) -> View:
    zone = _zone(args.get("zone", ZONES[0]))
    today = crm.clock.now().astimezone(zone).date()
    try:
        day = date.fromisoformat(args.get("week", today.isoformat()))
    except ValueError:
        day = today
    users = crm.store.tables["User"]
    shown = args.get("user", "")
    acting = _acting(crm, args.get("as", ""))
    return View(acting, shown if users.get(shown) else "", day - timedelta(days=day.weekday()), zone)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(ZONES[0])


def _acting(crm: Crm, user_id: str) -> Caller:
    """The chosen user, or else the first administrator."""
    users = crm.store.tables["User"]
    if users.get(user_id):
        return crm.access.caller(user_id)
    admins = sorted(row["id"] for row in users if row["type"] == "admin")
    return crm.access.caller(admins[0]) if admins else Caller("", "nobody", "regular")


def _rows(crm: Crm, view: View) -> Iterator[EventRow]:
    start, end = bounds(view.monday, view.zone)
    for entity_type in EVENT_TYPES:
        table = crm.store.tables[entity_type]
        order = table.ordered("dateStart") or []
        low = bisect_left(order, (stored(start - LONGEST), ""))
        high = bisect_left(order, (stored(end + timedelta(days=1)), ""))
        for _, record_id in order[low:high]:
            row = table.rows[record_id]
            if _concerns(crm, entity_type, row, view.shown) and crm.access.may(
                view.acting, entity_type, "read", row
            ):
                owner = crm.store.name_of("User", row.get("assignedUserId")) or "Nobody"
                yield EventRow(entity_type, row, owner)


def _concerns(crm: Crm, entity_type: str, row: Record, user_id: str) -> bool:
    if not user_id or row.get("assignedUserId") == user_id:
        return True
    return user_id in crm.store.members(entity_type, row["id"], "users")


def _board(crm: Crm, view: View) -> Record:
    """Everything that the refreshed part of the page shows."""
    week = lay_out(_rows(crm, view), view.monday, view.zone, crm.clock.now())
    deliveries = list(crm.dispatcher.deliveries)[:-21:-1]
    hooks = sorted({row["event"] for row in crm.store.tables["Webhook"] if row["isActive"]})
    waiting = len(crm.queue.events) + len(crm.queue.items)
    return {
        "view": view,
        "week": week,
        "deliveries": deliveries,
        "hooks": hooks,
        "waiting": waiting,
        "revision": crm.store.revision,
    }


def _people(crm: Crm, entity_type: str) -> list[Record]:
    rows = [row for row in crm.store.tables[entity_type] if row.get("type") != "api"]
    return sorted(rows, key=lambda row: (row.get("type") == "admin", str(row["name"])))


@page.get("/")
def calendar() -> str:
    """The whole page."""
    crm = crm_of_app()
    with crm.store.lock:
        view = _view(crm, request.args)
        today = crm.clock.now().astimezone(view.zone).date()
        return render_template(
            "crm.html",
            **_board(crm, view),
            users=_people(crm, "User"),
            contacts=_people(crm, "Contact"),
            leads=_people(crm, "Lead"),
            zones=sorted({*ZONES, str(view.zone)}),
            statuses=EVENT_STATUSES,
            entity_types=EVENT_TYPES,
            previous=view.monday - timedelta(days=7),
            following=view.monday + timedelta(days=7),
            today=today - timedelta(days=today.weekday()),
        )


@page.get("/page/board")
def board() -> str:
    """The part of the page that changes: the week and the deliveries."""
    crm = crm_of_app()
    with crm.store.lock:
        return render_template("board.html", **_board(crm, _view(crm, request.args)))


@page.get("/page/records/<entity_type>/<record_id>")
def open_record(entity_type: str, record_id: str) -> Record:
    """A record as the form shows it: times in the zone of the page."""
    crm = crm_of_app()
    zone = _zone(request.args.get("zone", ""))
    with crm.store.lock:
        caller = _acting(crm, request.args.get("as", ""))
        row = crm.records.readable(caller, entity_type, record_id)
        shown = crm.presenter.detail(caller, crm.store.entity(entity_type), row)
    return {
        **{name: shown.get(name) for name in ("id", "name", "status", "description", "location")},
        **{name: shown.get(name) for name in ("isAllDay", "dateStartDate", "dateEndDate", "assignedUserId")},
        **{name: shown[name] for link in ATTENDEES for name in (f"{link}Ids", f"{link}Columns")},
        **{name: form_text(shown.get(name), zone) for name in _FORM_TIMES},
        "entityType": entity_type,
        "modified": f"{shown['modifiedByName'] or shown['createdByName']}, {shown['modifiedAt']} UTC",
    }


def _saver(crm: Crm) -> Caller:
    user_id = request.headers.get(HEADER)
    if not user_id or not crm.store.tables["User"].get(user_id):
        raise ApiError(400, "Choose a user to act as.")
    return crm.access.caller(user_id)


def _values() -> Record:
    """The form's values with their times in UTC. Raises `ApiError` 400 for a time that is none."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise ApiError(400, "The form could not be read.")
    zone = _zone(str(body.pop("zone", "")))
    for name in _FORM_TIMES:
        if isinstance(body.get(name), str) and body[name]:
            try:
                body[name] = utc_text(body[name], zone)
            except (ValueError, OverflowError):
                raise ApiError(400, f"{name} is no date and time.") from None
    return body


@page.post("/page/records/<entity_type>")
def create_record(entity_type: str) -> Record:
    """Create a record as the acting user."""
    crm = crm_of_app()
    with crm.store.lock:
        caller = _saver(crm)
        crm.access.check_scope(caller, entity_type)
        return {"id": crm.records.create(caller, entity_type, _values())["id"]}


@page.put("/page/records/<entity_type>/<record_id>")
def update_record(entity_type: str, record_id: str) -> Record:
    """Change, move or reassign a record as the acting user."""
    crm = crm_of_app()
    with crm.store.lock:
        return {"id": crm.records.update(_saver(crm), entity_type, record_id, _values())["id"]}


@page.delete("/page/records/<entity_type>/<record_id>")
def delete_record(entity_type: str, record_id: str) -> Record:
    """Remove a record as the acting user."""
    crm = crm_of_app()
    with crm.store.lock:
        crm.records.delete(_saver(crm), entity_type, record_id)
    return {"id": record_id}


@page.errorhandler(ApiError)
def refused(error: ApiError) -> tuple[Record, int]:
    """Why it was refused, in words for people."""
    return {"error": _in_words(error)}, error.status


def _in_words(error: ApiError) -> str:
    if isinstance(error.body, dict) and error.reason and error.reason.startswith("Field validation failure"):
        data = error.body["messageTranslation"]["data"]
        why = {
            "required": "is required",
            "pattern": "must not contain <, > or =",
            "maxLength": "is too long",
        }.get(data["type"], "is not valid")
        return f"{data['field']} {why}."
    if error.reason in ("No edit access.", "No delete access."):
        return f"{error.reason} This user may change only what is assigned to them."
    return error.reason or f"The CRM refused this ({error.status})."
