"""Every behaviour that a test may turn, most of all those that Microsoft does not document.

Status: *documented* is Graph's page, *field* is seen by users of the service, *unsourced* is an assumption;
for an unsourced one both settings are legal behaviour and a client has to stand both.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Switches:
    """The simulator's settings; `GET` and `PUT /control/switches`."""

    # unsourced: GET of an item in Deleted Items by its immutable id: 404, or 200 because the id
    # survives moves
    deleted_by_immutable_id: int = 404
    # field: the same transactionId for another event: 400 (a production .NET client) or 409 (others)
    duplicate_transaction_status: int = 400
    # unsourced: If-Match on PATCH and DELETE of an event is enforced
    enforce_if_match: bool = True
    # unsourced: categories, reminder, showAs and sensitivity changed by the organizer mail the attendees
    cosmetic_changes_mail: bool = False
    # unsourced: a PATCH that changes nothing still gets a new change key (and so appears in delta)
    unchanged_patch_new_key: bool = True
    # unsourced: the organizer's change key moves when a response arrives
    response_new_key: bool = True
    # unsourced: an attendee who deletes the own copy sends a decline
    attendee_delete_declines: bool = False
    # unsourced: a declined meeting leaves the attendee's calendar
    decline_removes_copy: bool = True
    # unsourced: an attendee written back without a status keeps the response (False: it falls to none)
    attendee_without_status_keeps_response: bool = False
    # unsourced: a cancelled meeting's subject in attendee copies starts with "Canceled: "
    cancelled_subject_prefix: bool = True
    # unsourced: a deleted single occurrence gives @removed in delta
    removed_for_deleted_occurrence: bool = True
    # unsourced: @removed for a series that is gone names its occurrences too
    removed_series_names_occurrences: bool = True
    # unsourced: changing the recurrence, the range or the time of a master drops its exceptions
    recurrence_change_drops_exceptions: bool = True
    # documented as different for each occurrence, reported as the master's: the iCalUId of occurrences
    occurrences_share_icaluid: bool = False
    # unsourced: an invitation to one occurrence alone says it is an exception of a series that is not there
    # (False: it looks like a single event)
    lone_occurrence_names_master: bool = False
    # unsourced: an invitation to the series takes the place of one to a single occurrence
    series_absorbs_lone_occurrence: bool = True
    # unsourced: an added calendar whose share was taken away: 404, or 403
    lost_share_status: int = 404
    # field: a tenant that lets no application subscribe answers 403
    refuse_subscriptions: bool = False
    # unsourced: a subscription that was asked to be reauthorized says nothing until it is
    silent_until_reauthorized: bool = True
    # unsourced: a subject of more than 255 characters is refused
    refuse_long_subject: bool = False
    # documented: an event's body without the meeting blob disables its online meeting
    body_without_blob_ends_online_meeting: bool = True
    # documented: items may repeat in a round of delta
    delta_repeats_items: bool = False
    # documented: a page of delta may be empty and still have a nextLink
    delta_empty_pages: bool = False
    # documented as unspecified: the order of items in a round (True: masters follow their occurrences)
    delta_newest_first: bool = False
    # unsourced: default page size of delta
    delta_page_size: int = 50
    # documented: what a client asks for by odata.maxpagesize is a wish; the most that a page of delta holds
    delta_page_limit: int = 1000
    # documented: status of an expired delta token (410, or a 40X with the code syncStateNotFound)
    expired_cursor_status: int = 410
    # field: its code, in any case ("": as the status has it)
    expired_cursor_code: str = ""
    # documented: requests of one mailbox at once, and in ten minutes
    concurrent_requests: int = 4
    requests_per_10_minutes: int = 10_000
    throttle: bool = True
    # field: Retry-After of a refusal for concurrency, in seconds
    concurrency_retry_after: int = 1
    # documented: an access token's life is about an hour
    access_token_seconds: int = 3600

    def changed(self, values: dict[str, Any]) -> Switches:
        """Return these switches with some values replaced; ValueError names an unknown switch or a wrong
        type.
        """
        known = {item.name: type(getattr(self, item.name)) for item in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"no switch is called {name!r}; known are {', '.join(known)}")
            if type(value) is not known[name]:
                raise ValueError(f"switch {name!r} takes {known[name].__name__}, not {value!r}")
        return replace(self, **values)

    def as_dict(self) -> dict[str, Any]:
        """Return the switches by name."""
        return asdict(self)
