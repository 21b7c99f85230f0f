"""The loop that a user would write with the official msgraph-sdk, printed beside ours."""

from __future__ import annotations

import asyncio
import warnings
from typing import Any

from bench.floors import event_of
from bench.harness import Line, seconds, timed
from bench.push import EVENTS as PUSHED
from bench.world import meeting_record, simulators

with warnings.catch_warnings():
    # The SDK's own modules warn of themselves when they are first imported.
    warnings.simplefilter("ignore", DeprecationWarning)
    from kiota_abstractions.authentication import (
        AccessTokenProvider,
        AllowedHostsValidator,
        BaseBearerTokenAuthenticationProvider,
    )
    from msgraph.generated.models.body_type import BodyType
    from msgraph.generated.models.date_time_time_zone import DateTimeTimeZone
    from msgraph.generated.models.event import Event
    from msgraph.generated.models.item_body import ItemBody
    from msgraph.graph_request_adapter import GraphRequestAdapter
    from msgraph.graph_service_client import GraphServiceClient

EVENTS = 200


class _Token(AccessTokenProvider):
    """Alice's token, as a login would have given it."""

    async def get_authorization_token(self, uri: str, *_: Any, **__: Any) -> str:  # noqa: ARG002
        """Always the same."""
        return "sandbox:alice@example.com"

    def get_allowed_hosts_validator(self) -> AllowedHostsValidator:
        """Any host."""
        return AllowedHostsValidator([])


def run() -> list[Line]:
    """One request for each event, one after the other, as the SDK's examples have it."""
    with simulators() as sims:
        bodies = [event_of(meeting_record("")) for _ in range(EVENTS)]
        taken = timed(lambda: asyncio.run(_push(sims.outlook, bodies)))
    return [
        Line(
            row="sdk",
            what=f"{EVENTS} new meetings to 1 mailbox by a loop with msgraph-sdk, no delay",
            ours=f"{seconds(taken)}, {EVENTS / taken:.0f}/s",
            note=f"for {PUSHED} it would be {seconds(taken * PUSHED / EVENTS)};"
            " with 100 ms delay each event costs 100 ms more",
        )
    ]


async def _push(outlook: str, bodies: list[dict[str, Any]]) -> None:
    client = _client(outlook)
    for body in bodies:
        event = Event(
            subject=body["subject"],
            body=ItemBody(content_type=BodyType.Html, content=body["body"]["content"]),
            start=DateTimeTimeZone(date_time=body["start"]["dateTime"], time_zone="UTC"),
            end=DateTimeTimeZone(date_time=body["end"]["dateTime"], time_zone="UTC"),
        )
        created = await client.me.events.post(event)
        if created is None or not created.id:
            raise RuntimeError("the SDK's create gave no event")


def _client(outlook: str) -> GraphServiceClient:
    adapter = GraphRequestAdapter(BaseBearerTokenAuthenticationProvider(_Token()))
    adapter.base_url = f"{outlook}/v1.0"
    return GraphServiceClient(request_adapter=adapter)
