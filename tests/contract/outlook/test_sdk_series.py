"""The official msgraph-sdk reads what a pull reads: series that change, and calendars beside the first."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from calsync_plugin.sandbox.outlook.server import BackgroundServer
from tests.contract.outlook.test_sdk import client, planned, run, series

with warnings.catch_warnings():
    # The SDK's own modules warn of themselves when they are first imported.
    warnings.simplefilter("ignore", DeprecationWarning)
    from kiota_abstractions.base_request_configuration import RequestConfiguration
    from msgraph.generated.models.calendar import Calendar
    from msgraph.generated.models.date_time_time_zone import DateTimeTimeZone
    from msgraph.generated.models.event import Event
    from msgraph.generated.models.event_type import EventType
    from msgraph.generated.models.o_data_errors.o_data_error import ODataError
    from msgraph.generated.users.item.calendars.item.calendar_view.delta.delta_request_builder import (
        DeltaRequestBuilder,
    )
    from msgraph.generated.users.item.events.item.event_item_request_builder import EventItemRequestBuilder
    from msgraph.generated.users.item.events.item.instances.instances_request_builder import (
        InstancesRequestBuilder,
    )
    from msgraph.graph_service_client import GraphServiceClient

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def berlin(day: str, hour: int) -> DateTimeTimeZone:
    return DateTimeTimeZone(date_time=f"{day}T{hour:02}:00:00", time_zone="W. Europe Standard Time")


async def days(graph: GraphServiceClient, identity: str) -> list[Event]:
    query = InstancesRequestBuilder.InstancesRequestBuilderGetQueryParameters(
        start_date_time="2026-11-01", end_date_time="2027-01-01"
    )
    found = await graph.me.events.by_event_id(identity).instances.get(
        RequestConfiguration(query_parameters=query)
    )
    assert found is not None
    assert found.value is not None
    return found.value


def test_a_series_that_is_moved_and_loses_a_day(server: BackgroundServer) -> None:
    async def main() -> None:
        graph = client(server)
        made = await graph.me.events.post(series())
        assert made is not None
        assert made.id is not None
        item = graph.me.events.by_event_id(made.id)
        await item.patch(Event(start=berlin("2026-11-24", 11), end=berlin("2026-11-24", 12)))
        first, second, third, _ = await days(graph, made.id)
        assert first.original_start == datetime(2026, 11, 24, 10, tzinfo=UTC)
        assert second.id is not None
        assert third.id is not None
        await graph.me.events.by_event_id(second.id).delete()
        await graph.me.events.by_event_id(third.id).patch(Event(subject="Other"))
        assert [one.type for one in await days(graph, made.id)] == [
            EventType.Occurrence,
            EventType.Exception,
            EventType.Occurrence,
        ]
        query = EventItemRequestBuilder.EventItemRequestBuilderGetQueryParameters(
            select=["subject", "cancelledOccurrences", "exceptionOccurrences"],
            expand=["exceptionOccurrences"],
        )
        whole = await item.get(RequestConfiguration(query_parameters=query))
        assert whole is not None
        assert whole.cancelled_occurrences == [f"OID.{made.id}.2026-12-01"]
        assert [one.id for one in whole.exception_occurrences or ()] == [third.id]
        plain = await item.get()
        assert plain is not None
        assert (plain.cancelled_occurrences, plain.exception_occurrences) == (None, None)

    run(main())


def test_an_occurrence_cannot_pass_its_neighbour(server: BackgroundServer) -> None:
    async def main() -> None:
        graph = client(server)
        made = await graph.me.events.post(series())
        assert made is not None
        assert made.id is not None
        second = (await days(graph, made.id))[1]
        assert second.id is not None
        later = Event(start=berlin("2026-12-08", 10), end=berlin("2026-12-08", 11))
        with pytest.raises(ODataError) as refused:
            await graph.me.events.by_event_id(second.id).patch(later)
        assert refused.value.response_status_code == 400
        assert refused.value.error is not None
        assert refused.value.error.code == "ErrorOccurrenceCrossingBoundary"

    run(main())


def test_the_changes_of_another_calendar(server: BackgroundServer) -> None:
    def control(path: str, **body: Any) -> None:
        assert requests.post(f"{server.url}/control/{path}", json=body, timeout=60).ok

    async def main() -> None:
        graph = client(server)
        other = await graph.me.calendars.post(Calendar(name="Second"))
        assert other is not None
        assert other.id is not None
        made = await graph.me.events.post(planned("Moves"))
        assert made is not None
        builder = graph.me.calendars.by_calendar_id(other.id).calendar_view.delta
        query = DeltaRequestBuilder.DeltaRequestBuilderGetQueryParameters(
            start_date_time="2026-11-01T00:00:00Z", end_date_time="2026-12-31T00:00:00Z"
        )
        page = await builder.get(RequestConfiguration(query_parameters=query))
        assert page is not None
        assert page.value == []
        assert page.odata_delta_link is not None
        control("mailboxes/alice@example.com/events/move", id=made.id, calendar=other.id)
        page = await builder.with_url(page.odata_delta_link).get()
        assert page is not None
        assert [event.subject for event in page.value or ()] == ["Moves"]
        assert page.odata_delta_link is not None
        control("cursors/expire")
        with pytest.raises(ODataError) as expired:
            await builder.with_url(page.odata_delta_link).get()
        assert expired.value.response_status_code == 410
        await graph.me.calendars.by_calendar_id(other.id).delete()
        with pytest.raises(ODataError) as gone:
            await builder.get(RequestConfiguration(query_parameters=query))
        assert gone.value.response_status_code == 404

    run(main())
