"""What a fault tells calsync: faults that tell it the same of a call, and do the same, are one case.

Decides which faults of a call can be told apart. All that the engine ever sees of a remote call is the error
that `protocol` makes of its answer, and of that it reads no more than is compared here. Whoever lets it read
another status or code of an error adds that here. What the login service says goes through MSAL: there every
fault is a case of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from calsync_plugin.crm.protocol import Asked, decode
from calsync_plugin.errors import CalsyncError, ItemError, RemoteError, Transient, Unavailable
from calsync_plugin.graph.protocol import Reply, decipher
from calsync_plugin.http import Http
from tests.faults.course import Call, Course, Wire
from tests.faults.strikes import Fault, faults_of, once, strike
from tests.faults.yard import Yard
from tests.world import ADDRESS, ALICE, CRM, OUTLOOK

Meaning = tuple[object, ...]
STATUSES_READ: Mapping[str, frozenset[int]] = {"crm": frozenset({404, 500}), "graph": frozenset({401})}
CODES_READ = frozenset({"no_access"})
LATE = frozenset({"timeout", "truncated", "500 late", "HTML late"})
"""The service has done its work when these strike."""
OF_THE_CALL = frozenset({"409 modified", "wrong action"})
"""What these mean depends on what was asked."""
BROKEN = frozenset({"reset", "timeout"})
"""Whether these break a batch or say so of one member is the simulator's matter."""


def distinct_faults(yard: Yard, call: Call) -> Iterator[Fault]:
    """Of the faults of a call those that mean something else than all before."""
    seen: set[Meaning] = set()
    for fault in faults_of(call):
        meaning = _meaning(yard, call, fault)
        if meaning not in seen:
            seen.add(meaning)
            yield fault


def _meaning(yard: Yard, call: Call, fault: Fault) -> Meaning:
    by_itself = call.service == "login" or fault.name in OF_THE_CALL
    if by_itself or (fault.member is not None and fault.name in BROKEN):
        return (fault,)
    return fault.member, call.writes and fault.name in LATE, *_told(yard, call.service, fault.name)


@cache
def _told(yard: Yard, service: str, name: str) -> Meaning:
    """What calsync makes of a fault of this service."""
    http = Http()
    course = Course(strike_of=once(1, strike(Fault(name), yard.outlook, yard.crm)))
    app = yard.crm_app if service == "crm" else yard.outlook_app
    http.mount(CRM if service == "crm" else OUTLOOK, Wire(lambda: course, app, service))
    try:
        if service == "crm":
            answer = http.send("GET", f"{CRM}/api/v1/App/user", headers={"X-Api-Key": "sandbox"})
            decode(Asked("GET", "App/user"), answer.status, answer.headers, answer.body)
        else:
            token = {"Authorization": f"Bearer sandbox:{ADDRESS[ALICE]}"}
            decipher(Reply.of(http.send("GET", f"{OUTLOOK}/v1.0/me/calendars", headers=token)))
    except CalsyncError as error:
        return _read(error, STATUSES_READ[service])
    raise AssertionError(f"{name} is no fault of {service}")


def _read(error: CalsyncError, statuses: frozenset[int]) -> Meaning:
    """What the engine reads of an error."""
    wait = error.retry_after if isinstance(error, Transient) else None
    reason = error.reason if isinstance(error, ItemError) else ""
    if not isinstance(error, RemoteError):
        return type(error), wait, reason
    status = error.status if error.status in statuses else 0
    unreached = isinstance(error, Unavailable) and error.status is None
    return type(error), wait, reason, status, unreached, error.code if error.code in CODES_READ else ""
