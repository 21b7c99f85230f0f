"""`/booking-calendars/<id>/book`: the small form by which somebody books a free time.

Decides what is asked for. The form carries an idempotency key, so that a second click books nothing more; a
time that was taken meanwhile is answered with the next free ones, and what was entered stays.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from flask import Blueprint, abort, redirect, render_template, request
from werkzeug.wrappers import Response

from calsync_plugin.booking.asking import BookingRequest
from calsync_plugin.booking.making import LONGEST_NAME, LONGEST_TEXT
from calsync_plugin.booking.slots import SlotQuery
from calsync_plugin.domain.slots import DAY, Slot
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.errors import KeyReused, RemoteError, SlotTaken, UserError
from calsync_plugin.graph import zones
from calsync_plugin.state import Booking, BookingCalendar, BookingState, CalendarKind
from calsync_plugin.web.booked_by import booked_by
from calsync_plugin.web.booking_asked import asked_user, asked_zone, check_enabled, week_address
from calsync_plugin.web.booking_words import names_of, people
from calsync_plugin.web.known_sentences import in_words, known
from calsync_plugin.web.speaking import clock, tell
from calsync_plugin.web.speaking import moment as spoken_moment
from calsync_plugin.web.visitors import signed_in, visitor
from calsync_plugin.wording import gettext as _

LAST_SECOND = 7_258_118_400
"""The year 2200."""
_NUMBER = re.compile(r"[0-9]{1,11}")
_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")
Page = str | Response | tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """What stands in the form."""

    start: int
    name: str = ""
    description: str = ""
    key: str = ""


def add_form(pages: Blueprint, calsync: Calsync, find: Callable[[str], BookingCalendar]) -> None:
    """Add the form to `pages`; `find` gives a booking calendar that the visitor may see."""

    @pages.route("/booking-calendars/<calendar_id>/book", methods=["GET", "POST"])
    @signed_in
    def book(calendar_id: str) -> Page:
        calendar = find(calendar_id)
        if calendar.kind is CalendarKind.EVENT:
            abort(404, _("Events for many people are not booked here."))
        # The form's address names the time for which it was opened; another may be chosen in it.
        start = _start((request.form if request.method == "POST" else request.args).get("start", ""))
        check_enabled(calsync)
        if request.method == "GET":
            return _offered(calsync, calendar, Entered(start=start))
        return _sent(calsync, calendar, _entered(start))


def _start(text: str) -> int:
    """The second at which a meeting is to begin."""
    if not _NUMBER.fullmatch(text) or int(text) > LAST_SECOND:
        abort(404, _("This is no time that can be booked. Choose one of the free times."))
    return int(text)


def _entered(start: int) -> Entered:
    sent = request.form
    key = sent.get("key", "")
    return Entered(
        start=start,
        name=" ".join(sent.get("name", "").split()),
        description=sent.get("description", "").replace("\r\n", "\n").strip(),
        key=key if _KEY.fullmatch(key) else "",
    )


def _query(calendar: BookingCalendar, start: int) -> SlotQuery:
    return SlotQuery(window=(start, start + DAY), calendar_id=calendar.id, asked_user=asked_user(calendar))


def _offered(calsync: Calsync, calendar: BookingCalendar, entered: Entered) -> Page:
    """The form for a time that is free; what is not is told at once."""
    found = calsync.desk.slots.find(_query(calendar, entered.start), limit=6)
    slot = next((one for one in found.slots if one.start == entered.start), None)
    if slot is None:
        others = [one.start for one in found.slots]
        return _form(calsync, calendar, entered, [_taken()], others=others), 409
    return _form(calsync, calendar, entered, slot=slot)


def _sent(calsync: Calsync, calendar: BookingCalendar, entered: Entered) -> Page:
    wrong = _wrong(entered)
    if wrong:
        return _form(calsync, calendar, entered, wrong=wrong), 422
    asked = BookingRequest(
        query=_query(calendar, entered.start),
        start=entered.start,
        name=entered.name,
        description=entered.description,
        caller=booked_by(visitor().user_id),
        key=entered.key,
    )
    try:
        booking = calsync.desk.booker.book(asked)
    except SlotTaken as error:
        others = [start for start, _end, _users in error.next_slots]
        why = _taken() if others else _("%(reason)s Nothing was booked.", reason=known(in_words(error)))
        return _form(calsync, calendar, entered, [why], others=others), 409
    except KeyReused:
        text = _(
            "This form was sent before with other entries, and that meeting was booked. "
            "Send it once more to book another one."
        )
        return _form(calsync, calendar, entered, [text]), 409
    except RemoteError:
        text = _(
            "The CRM or Outlook does not answer now, so nothing was booked. Please try again in a minute."
        )
        return _form(calsync, calendar, entered, [text]), 502
    except UserError as error:
        return _form(calsync, calendar, entered, [known(in_words(error))]), 409
    if booking.state is BookingState.RELEASED:
        return _form(calsync, calendar, entered, [_cancelled()]), 409
    return _booked(calsync, calendar, entered, booking)


def _wrong(entered: Entered) -> str:
    if not entered.name:
        return _("Give the meeting a name.")
    if len(entered.name) > LONGEST_NAME:
        return _("The name is too long; %(num)s characters at most.", num=LONGEST_NAME)
    if len(entered.description) > LONGEST_TEXT:
        return _("The description is too long; %(num)s characters at most.", num=LONGEST_TEXT)
    return ""


def _taken() -> str:
    return _("This time is not free any more. Nothing was booked.")


def _cancelled() -> str:
    return _(
        "This form was sent before, and that meeting was cancelled since. "
        "Send it once more to book another one."
    )


def _booked(calsync: Calsync, calendar: BookingCalendar, entered: Entered, booking: Booking) -> Page:
    zone, _wrong_zone = asked_zone(calsync, calendar)
    at = _at(booking.start, zone)
    when = _("%(start)s to %(end)s", start=spoken_moment(at), end=clock(_at(booking.end, zone).time()))
    if booking.state is BookingState.CONFIRMED:
        who = _all_who_come(calsync, booking)
        text = (
            _("Booked: %(name)s, %(when)s, with %(who)s.", name=entered.name, when=when, who=who)
            if who
            else _("Booked: %(name)s, %(when)s.", name=entered.name, when=when)
        )
        tell(text, "success")
    else:
        tell(
            _(
                "The time is reserved, but the CRM has not confirmed the meeting yet. "
                "It is looked after by itself."
            ),
            "warning",
        )
    return redirect(_back(calendar, at.date()), 303)


def _all_who_come(calsync: Calsync, booking: Booking) -> str:
    """The assigned user and whoever else's time it takes, by name; empty if the CRM names not all of them."""
    takers = calsync.store.bookings.takers([booking.id]).get(booking.id, [])
    coming = list(dict.fromkeys([booking.user_id, *takers]))
    names = names_of(calsync, coming)
    return ", ".join(names[one] for one in coming) if set(coming) <= names.keys() else ""


def _at(second: int, zone: str) -> datetime:
    return datetime.fromtimestamp(second, UTC).astimezone(zones.rules(zone) or UTC)


def _back(calendar: BookingCalendar, on: date) -> str:
    """The week of the time; as it was looked at before."""
    monday = on - timedelta(days=on.weekday())
    return week_address(calendar, monday)


def _who(calsync: Calsync, slot: Slot | None, *, all_come: bool) -> str:
    """Who comes, or could."""
    if slot is None:
        return ""
    free = tuple(one.name for one in people(calsync, slot.user_ids).values())
    if all_come or len(free) == 1:
        return ", ".join(free)
    return _("one of those who are free: %(names)s", names=free)


def _form(
    calsync: Calsync,
    calendar: BookingCalendar,
    entered: Entered,
    problems: Sequence[str] = (),
    *,
    slot: Slot | None = None,
    others: Sequence[int] | None = None,
    wrong: str = "",
) -> str:
    zone, _wrong_zone = asked_zone(calsync, calendar)
    at = _at(entered.start, zone)
    return render_template(
        "booking/book.html",
        calendar=calendar,
        entered=entered,
        # Another attempt is another booking.
        key=(entered.key if wrong else "") or secrets.token_urlsafe(24),
        problems=problems,
        wrong=wrong,
        at=at,
        zone=zone,
        until=_at(slot.end, zone) if slot else None,
        minutes=(slot.end - slot.start) // 60 if slot else 0,
        who=_who(calsync, slot, all_come=calendar.kind is CalendarKind.COLLECTIVE),
        others=None if others is None else [(start, _at(start, zone)) for start in others],
        user=asked_user(calendar),
        back=_back(calendar, at.date()),
        longest_name=LONGEST_NAME,
        longest_text=LONGEST_TEXT,
    )
