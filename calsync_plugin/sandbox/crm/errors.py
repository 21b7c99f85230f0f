"""How the simulator refuses a request.

`ApiError` is an answer of the REST API: its status, the text of `X-Status-Reason` and the body.
`DroppedConnection` is no answer at all. The texts of the reasons are EspoCRM's (9.2.7, measured).
"""

from __future__ import annotations

from waitress.channel import ClientDisconnected  # type: ignore[import-untyped]


class ApiError(Exception):
    """An answer other than 200: `reason` None sends no `X-Status-Reason` header, `body` None an empty"
    " body."""

    def __init__(self, status: int, reason: str | None = None, body: object = None) -> None:
        super().__init__(f"{status} {reason or ''}".strip())
        self.status = status
        self.reason = reason
        self.body = body


class AuthError(ApiError):
    """A refusal that no controller made: an HTML content type and, if nothing was sent, a challenge."""

    def __init__(
        self, status: int, reason: str | None = None, body: object = None, *, challenge: bool = False
    ) -> None:
        super().__init__(status, reason, body)
        self.challenge = challenge


class DroppedConnection(ClientDisconnected):  # type: ignore[misc]  # waitress has no types
    """A fault closed the connection without an answer.

    In process it leaves the WSGI application as this exception; an adapter turns it into its client's
    connection error. Under waitress the parent class makes the server close the socket without writing.
    """


def translated(label: str, data: dict[str, object]) -> dict[str, object]:
    """The body that accompanies a reason which the web client can translate."""
    return {"messageTranslation": {"label": label, "scope": None, "data": data}}


def invalid(entity_type: str, field: str, kind: str) -> ApiError:
    """400: a field does not pass a check (`required`, `valid`, `pattern`, `maxLength`)."""
    return ApiError(
        400,
        f"Field validation failure; entityType: {entity_type}, field: {field}, type: {kind}.",
        translated("validationFailure", {"field": field, "type": kind}),
    )


def cannot_relate(entity_type: str, link: str, foreign_type: str) -> ApiError:
    """403: an id that names no record, or a deleted one."""
    return ApiError(
        403,
        f"Can't relate with non-existing record. entity type: {entity_type}, link: {link}.",
        translated("cannotRelateNonExisting", {"foreignEntityType": foreign_type}),
    )


def cannot_relate_forbidden(entity_type: str, link: str, foreign_type: str) -> ApiError:
    """403: a record that the caller may not relate, such as an inactive user as the assigned one."""
    return ApiError(
        403,
        f"No foreign record access for link operation ({entity_type}:{link}).",
        translated("cannotRelateForbidden", {"foreignEntityType": foreign_type, "action": "read"}),
    )


def no_foreign_access(entity_type: str, link: str) -> ApiError:
    """403: a link or unlink call needs edit access to the record at the other end."""
    return ApiError(
        403,
        f"No foreign record access for link operation ({entity_type}:{link}).",
        translated("noAccessToForeignRecord", {"action": "edit"}),
    )


def missing(record_id: str, *, reading: bool) -> ApiError:
    """404: gone. Reading and writing say it differently."""
    return ApiError(
        404, f"Record {record_id} does not exist." if reading else f"Record {record_id} not found."
    )
