"""A simulated EspoCRM in process, our gateway to it, and a colleague who writes there as well."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import requests

from calsync_plugin.crm.client import EspoClient
from calsync_plugin.crm.directory import Directory
from calsync_plugin.crm.espocrm import EspoGateway
from calsync_plugin.crm.gateway import Found
from calsync_plugin.crm.records import RecordView, read_record
from calsync_plugin.domain.meeting import Attendee, Person, PersonKind, Response
from calsync_plugin.domain.timespan import AllDay, Timed
from calsync_plugin.http import Answer, Http
from calsync_plugin.sandbox.crm import Crm, create_app
from calsync_plugin.sandbox.crm import identities as ids
from calsync_plugin.settings import CrmSettings, EntitySettings
from tests.unit.crm.recordings import Player
from tests.wsgi import WsgiAdapter

ADDRESS = "http://127.0.0.1:8701"
MEETING = EntitySettings(entity_type="Meeting", marker="cOutlookEventId", join_url="cOutlookJoinUrl")
CALL = EntitySettings(entity_type="Call", all_day=False)
SETTINGS = CrmSettings(url=ADDRESS, api_key=ids.API_KEY, entities=(MEETING, CALL))
TIMED = Timed(datetime(2026, 12, 1, 10, tzinfo=UTC), datetime(2026, 12, 1, 11, tzinfo=UTC))
DAYS = AllDay(date(2026, 12, 3), date(2026, 12, 5))


@dataclass
class World:
    crm: Crm
    client: EspoClient
    gateway: EspoGateway
    colleague: EspoGateway
    hooked: Player

    def create(self, **attributes: object) -> str:
        times = {"dateStart": "2026-12-01 10:00:00", "dateEnd": "2026-12-01 11:00:00"}
        owner = {"name": "Kick-off", "assignedUserId": ids.ALICE_ID}
        return self.gateway.create("Meeting", {**times, **owner, **attributes})

    def read(self, record_id: str, entity: EntitySettings = MEETING) -> RecordView:
        loaded = self.gateway.load(entity.entity_type, [record_id])[record_id]
        assert isinstance(loaded, Found)
        return read_record(loaded.record, entity, Directory(self.gateway))


def world_of(settings: CrmSettings) -> World:
    hooked = Player(lambda _: Answer(200, {}, b""))
    session = requests.Session()
    session.mount("http://", hooked)
    app = create_app(session=session)
    http = Http()
    http.mount(ADDRESS, WsgiAdapter(app))
    client = EspoClient(settings, http)
    other = replace(SETTINGS, api_key=ids.HMAC_API_KEY, secret_key=ids.HMAC_SECRET)
    colleague = EspoGateway(other, EspoClient(other, http))
    return World(app.extensions["crm"], client, EspoGateway(settings, client), colleague, hooked)


ALICE = Person(PersonKind.USER, ids.ALICE_ID)
BOB = Attendee("bob@example.com", "Bob Baker", Person(PersonKind.USER, ids.BOB_ID), Response.TENTATIVE)
CONTACT = Person(PersonKind.CONTACT, ids.DAVE_ID)
DAVE = Attendee("dave@contoso.example", "Dave Dunn", CONTACT, Response.DECLINED)
FRANK = Attendee("frank@fabrikam.example", "Frank Ford", Person(PersonKind.LEAD, ids.FRANK_ID))
