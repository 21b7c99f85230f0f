"""The official msgraph-sdk works against the simulator, unchanged."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from calsync_plugin.sandbox.outlook import Simulator
from calsync_plugin.sandbox.outlook.clock import MovableClock
from calsync_plugin.sandbox.outlook.server import BackgroundServer
from tests.contract.outlook.people import MARK

with warnings.catch_warnings():
    # The SDK's own modules warn of themselves when they are first imported.
    warnings.simplefilter("ignore", DeprecationWarning)
    from kiota_abstractions.authentication import (
        AccessTokenProvider,
        AllowedHostsValidator,
        BaseBearerTokenAuthenticationProvider,
    )
    from kiota_abstractions.base_request_configuration import RequestConfiguration
    from msgraph.generated.models.attendee import Attendee
    from msgraph.generated.models.attendee_type import AttendeeType
    from msgraph.generated.models.body_type import BodyType
    from msgraph.generated.models.date_time_time_zone import DateTimeTimeZone
    from msgraph.generated.models.day_of_week import DayOfWeek
    from msgraph.generated.models.email_address import EmailAddress
    from msgraph.generated.models.event import Event
    from msgraph.generated.models.event_type import EventType
    from msgraph.generated.models.free_busy_status import FreeBusyStatus
    from msgraph.generated.models.item_body import ItemBody
    from msgraph.generated.models.location import Location
    from msgraph.generated.models.o_data_errors.o_data_error import ODataError
    from msgraph.generated.models.patterned_recurrence import PatternedRecurrence
    from msgraph.generated.models.recurrence_pattern import RecurrencePattern
    from msgraph.generated.models.recurrence_pattern_type import RecurrencePatternType
    from msgraph.generated.models.recurrence_range import RecurrenceRange
    from msgraph.generated.models.recurrence_range_type import RecurrenceRangeType
    from msgraph.generated.models.response_type import ResponseType
    from msgraph.generated.models.single_value_legacy_extended_property import (
        SingleValueLegacyExtendedProperty,
    )
    from msgraph.generated.models.subscription import Subscription
    from msgraph.generated.users.item.calendar.get_schedule.get_schedule_post_request_body import (
        GetSchedulePostRequestBody,
    )
    from msgraph.generated.users.item.calendar_view.calendar_view_request_builder import (
        CalendarViewRequestBuilder,
    )
    from msgraph.generated.users.item.calendar_view.delta.delta_request_builder import DeltaRequestBuilder
    from msgraph.generated.users.item.events.events_request_builder import EventsRequestBuilder
    from msgraph.generated.users.item.events.item.accept.accept_post_request_body import AcceptPostRequestBody
    from msgraph.generated.users.item.events.item.decline.decline_post_request_body import (
        DeclinePostRequestBody,
    )
    from msgraph.generated.users.item.events.item.event_item_request_builder import EventItemRequestBuilder
    from msgraph.generated.users.item.events.item.instances.instances_request_builder import (
        InstancesRequestBuilder,
    )
    from msgraph.graph_request_adapter import GraphRequestAdapter
    from msgraph.graph_service_client import GraphServiceClient

# Request builders are imported at their first use.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

Use = Callable[[GraphServiceClient], Coroutine[Any, Any, None]]


class FixedToken(AccessTokenProvider):
    def __init__(self, token: str) -> None:
        self._token = token

    async def get_authorization_token(self, uri: str, *rest: Any, **more: Any) -> str:
        return self._token

    def get_allowed_hosts_validator(self) -> AllowedHostsValidator:
        return AllowedHostsValidator([])


_open: list[GraphRequestAdapter] = []


def client(server: BackgroundServer, address: str = "alice@example.com") -> GraphServiceClient:
    adapter = GraphRequestAdapter(BaseBearerTokenAuthenticationProvider(FixedToken(f"sandbox:{address}")))
    adapter.base_url = f"{server.url}/v1.0"
    _open.append(adapter)
    return GraphServiceClient(request_adapter=adapter)


def planned(subject: str, *people: str, hour: int = 10, **more: Any) -> Event:
    return Event(
        subject=subject,
        body=ItemBody(content_type=BodyType.Html, content="<p>Agenda</p>"),
        start=DateTimeTimeZone(date_time=f"2026-11-24T{hour:02}:00:00", time_zone="W. Europe Standard Time"),
        end=DateTimeTimeZone(date_time=f"2026-11-24T{hour:02}:45:00", time_zone="W. Europe Standard Time"),
        location=Location(display_name="Room 5"),
        attendees=[
            Attendee(email_address=EmailAddress(address=address), type=AttendeeType.Required)
            for address in people
        ],
        **more,
    )


def headers(name: str, value: str) -> RequestConfiguration[Any]:
    configuration: RequestConfiguration[Any] = RequestConfiguration()
    configuration.headers.add(name, value)
    return configuration


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a test's own loop, and close the connections that the SDK keeps open."""

    async def closing() -> None:
        try:
            await main
        finally:
            while _open:
                # Closing the SDK's client leaves the transport below its middleware open.
                http = _open.pop()._http_client
                await http._transport.transport.aclose()
                await http.aclose()

    asyncio.run(closing())


def test_create_get_change_delete(server: BackgroundServer) -> None:
    async def main() -> None:
        graph = client(server)
        made = await graph.me.events.post(planned("Kick-off", "bob@example.com", "dave@contoso.example"))
        assert made is not None
        assert made.id is not None
        assert made.start is not None
        assert made.start.date_time == "2026-11-24T09:00:00.0000000"
        assert made.show_as == FreeBusyStatus.Busy
        got = await graph.me.events.by_event_id(made.id).get(
            headers("Prefer", 'outlook.timezone="Tokyo Standard Time"')
        )
        assert got is not None
        assert got.start is not None
        assert (got.start.date_time, got.start.time_zone) == (
            "2026-11-24T18:00:00.0000000",
            "Tokyo Standard Time",
        )
        changed = await graph.me.events.by_event_id(made.id).patch(Event(subject="Start"))
        assert changed is not None
        assert changed.subject == "Start"
        assert changed.change_key != made.change_key
        await graph.me.events.by_event_id(made.id).delete()
        with pytest.raises(ODataError) as refused:
            await graph.me.events.by_event_id(made.id).get()
        assert refused.value.response_status_code == 404
        assert refused.value.error is not None
        assert refused.value.error.code == "ErrorItemNotFound"

    run(main())


@pytest.mark.usefixtures("loose_requests")
def test_whole_event_read_and_written_back(server: BackgroundServer) -> None:
    async def main() -> None:
        graph = client(server)
        made = await graph.me.events.post(planned("Round trip", "bob@example.com"))
        assert made is not None
        assert made.id is not None
        whole = await graph.me.events.by_event_id(made.id).get()
        assert whole is not None
        again = await graph.me.events.by_event_id(made.id).patch(whole)
        assert again is not None
        assert again.subject == "Round trip"

    run(main())


def test_list_with_paging_and_filter(server: BackgroundServer) -> None:
    async def main() -> None:
        graph = client(server)
        for number in range(12):
            await graph.me.events.post(planned(f"No. {number}"))
        page = await graph.me.events.get()
        assert page is not None
        assert page.value is not None
        assert len(page.value) == 10
        assert page.odata_next_link is not None
        rest = await graph.me.events.with_url(page.odata_next_link).get()
        assert rest is not None
        assert rest.value is not None
        assert [event.subject for event in rest.value] == ["No. 10", "No. 11"]
        query = EventsRequestBuilder.EventsRequestBuilderGetQueryParameters(
            filter="subject eq 'No. 7'", select=["subject"], orderby=["start/dateTime desc"], top=5
        )
        found = await graph.me.events.get(RequestConfiguration(query_parameters=query))
        assert found is not None
        assert found.value is not None
        assert [event.subject for event in found.value] == ["No. 7"]
        assert found.value[0].body is None

    run(main())


def test_extended_property(server: BackgroundServer) -> None:
    async def main() -> None:
        graph = client(server)
        mark = SingleValueLegacyExtendedProperty(id=MARK, value="link-1")
        made = await graph.me.events.post(planned("Marked", single_value_extended_properties=[mark]))
        await graph.me.events.post(planned("Plain"))
        assert made is not None
        assert made.id is not None
        query = EventsRequestBuilder.EventsRequestBuilderGetQueryParameters(
            filter=f"singleValueExtendedProperties/Any(ep: ep/id eq '{MARK}' and ep/value eq 'link-1')"
        )
        found = await graph.me.events.get(RequestConfiguration(query_parameters=query))
        assert found is not None
        assert found.value is not None
        assert [event.id for event in found.value] == [made.id]
        assert found.value[0].single_value_extended_properties is None
        expand = EventItemRequestBuilder.EventItemRequestBuilderGetQueryParameters(
            expand=[f"singleValueExtendedProperties($filter=id eq '{MARK}')"]
        )
        got = await graph.me.events.by_event_id(made.id).get(RequestConfiguration(query_parameters=expand))
        assert got is not None
        assert got.single_value_extended_properties is not None
        assert got.single_value_extended_properties[0].value == "link-1"

    run(main())


def series() -> Event:
    return planned(
        "Weekly",
        recurrence=PatternedRecurrence(
            pattern=RecurrencePattern(
                type=RecurrencePatternType.Weekly, interval=1, days_of_week=[DayOfWeek.Tuesday]
            ),
            range=RecurrenceRange(
                type=RecurrenceRangeType.Numbered,
                start_date=datetime(2026, 11, 24, tzinfo=UTC).date(),
                number_of_occurrences=4,
            ),
        ),
    )


def test_series_instances_and_view(server: BackgroundServer) -> None:
    async def main() -> None:
        graph = client(server)
        made = await graph.me.events.post(series())
        assert made is not None
        assert made.id is not None
        assert made.type == EventType.SeriesMaster
        query = InstancesRequestBuilder.InstancesRequestBuilderGetQueryParameters(
            start_date_time="2026-11-01", end_date_time="2027-01-01"
        )
        found = await graph.me.events.by_event_id(made.id).instances.get(
            RequestConfiguration(query_parameters=query)
        )
        assert found is not None
        assert found.value is not None
        assert [event.type for event in found.value] == [EventType.Occurrence] * 4
        second = found.value[1].id
        assert second is not None
        changed = await graph.me.events.by_event_id(second).patch(Event(subject="Moved on"))
        assert changed is not None
        assert changed.type == EventType.Exception
        view = CalendarViewRequestBuilder.CalendarViewRequestBuilderGetQueryParameters(
            start_date_time="2026-12-01T00:00:00Z", end_date_time="2026-12-08T00:00:00Z"
        )
        seen = await graph.me.calendar_view.get(RequestConfiguration(query_parameters=view))
        assert seen is not None
        assert seen.value is not None
        assert [event.subject for event in seen.value] == ["Moved on"]

    run(main())


def test_delta_with_paging(server: BackgroundServer) -> None:
    async def main() -> None:
        graph = client(server)
        for number in range(5):
            await graph.me.events.post(planned(f"No. {number}"))
        query = DeltaRequestBuilder.DeltaRequestBuilderGetQueryParameters(
            start_date_time="2026-11-01T00:00:00Z", end_date_time="2026-12-31T00:00:00Z"
        )
        configuration: RequestConfiguration[Any] = RequestConfiguration(query_parameters=query)
        configuration.headers.add("Prefer", "odata.maxpagesize=2")
        page = await graph.me.calendar_view.delta.get(configuration)
        subjects: list[str | None] = []
        pages = 0
        while page is not None:
            pages += 1
            subjects += [event.subject for event in page.value or ()]
            if page.odata_next_link is None:
                break
            page = await graph.me.calendar_view.delta.with_url(page.odata_next_link).get(
                headers("Prefer", "odata.maxpagesize=2")
            )
        assert pages == 3
        assert subjects == [f"No. {number}" for number in range(5)]
        assert page is not None
        assert page.odata_delta_link is not None
        first = (await graph.me.events.get()).value[0]  # type: ignore[union-attr, index]
        assert first.id is not None
        await graph.me.events.by_event_id(first.id).delete()
        news = await graph.me.calendar_view.delta.with_url(page.odata_delta_link).get()
        assert news is not None
        assert news.value is not None
        assert [event.id for event in news.value] == [first.id]
        assert "@removed" in news.value[0].additional_data

    run(main())


def test_accept_and_decline(server: BackgroundServer) -> None:
    async def main() -> None:
        graph, bob, carol = (
            client(server),
            client(server, "bob@example.com"),
            client(server, "carol@example.com"),
        )
        made = await graph.me.events.post(planned("Vote", "bob@example.com", "carol@example.com"))
        assert made is not None
        assert made.id is not None
        for person, action in ((bob, "accept"), (carol, "decline")):
            copies = await person.me.events.get()
            assert copies is not None
            assert copies.value is not None
            own = copies.value[0]
            assert own.id is not None
            assert own.i_cal_u_id == made.i_cal_u_id
            assert own.show_as == FreeBusyStatus.Tentative
            item = person.me.events.by_event_id(own.id)
            if action == "accept":
                await item.accept.post(AcceptPostRequestBody(comment="Fine", send_response=True))
            else:
                await item.decline.post(DeclinePostRequestBody(comment="No", send_response=True))
        got = await graph.me.events.by_event_id(made.id).get()
        assert got is not None
        assert got.attendees is not None
        answers = [person.status.response for person in got.attendees if person.status]
        assert answers == [ResponseType.Accepted, ResponseType.Declined]

    run(main())


def test_subscription(server: BackgroundServer, sim: Simulator, clock: MovableClock) -> None:
    received: list[tuple[str, Any]] = []

    def receive(url: str, body: Any, timeout: float) -> tuple[int, str]:
        received.append((url, body))
        token = url.partition("validationToken=")[2].replace("+", " ").replace("%3A", ":")
        return (200, token) if body is None else (202, "")

    sim.subscriptions.deliver = receive
    sim.subscriptions.in_background = False

    async def main() -> None:
        graph = client(server)
        asked = Subscription(
            change_type="created,updated,deleted",
            notification_url="https://calsync.example/webhooks/outlook",
            lifecycle_notification_url="https://calsync.example/webhooks/outlook/lifecycle",
            resource="me/events",
            expiration_date_time=clock.now() + timedelta(days=2),
            client_state="secret",
        )
        made = await graph.subscriptions.post(asked)
        assert made is not None
        assert made.id is not None
        assert len(received) == 2
        with pytest.raises(ODataError) as refused:
            await graph.subscriptions.post(asked)
        assert refused.value.response_status_code == 409
        event = await graph.me.events.post(planned("Told"))
        assert event is not None
        assert sim.subscriptions.flush() == 1
        note = received[-1][1]["value"][0]
        assert (note["changeType"], note["clientState"]) == ("created", "secret")
        assert note["resourceData"]["id"] == event.id
        later = clock.now() + timedelta(days=5)
        renewed = await graph.subscriptions.by_subscription_id(made.id).patch(
            Subscription(expiration_date_time=later)
        )
        assert renewed is not None
        assert renewed.expiration_date_time == later
        await graph.subscriptions.by_subscription_id(made.id).reauthorize.post()
        await graph.subscriptions.by_subscription_id(made.id).delete()
        listed = await graph.subscriptions.get()
        assert listed is not None
        assert listed.value == []

    run(main())


def test_calendars_settings_and_schedule(server: BackgroundServer) -> None:
    async def main() -> None:
        graph = client(server)
        person = await graph.me.get()
        assert person is not None
        assert person.mail == "alice@example.com"
        calendars = await graph.me.calendars.get()
        assert calendars is not None
        assert [calendar.is_default_calendar for calendar in calendars.value or ()] == [True]
        settings = await graph.me.mailbox_settings.get()
        assert settings is not None
        assert settings.time_zone == "W. Europe Standard Time"
        await graph.me.events.post(planned("Busy"))
        asked = GetSchedulePostRequestBody(
            schedules=["alice@example.com", "nobody@example.com"],
            start_time=DateTimeTimeZone(date_time="2026-11-24T08:00:00", time_zone="UTC"),
            end_time=DateTimeTimeZone(date_time="2026-11-24T11:00:00", time_zone="UTC"),
            availability_view_interval=60,
        )
        found = await graph.me.calendar.get_schedule.post(asked)
        assert found is not None
        assert found.value is not None
        assert found.value[0].availability_view == "020"
        assert found.value[1].error is not None

    run(main())
