"""The half of the composition root that puts together what runs a mailbox.

Decides how the parts of a reconciler are made from what surrounds them. `assembly` makes the surroundings.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from calsync_plugin.crm.directory import Directory
from calsync_plugin.crm.gateway import CrmGateway
from calsync_plugin.engine.adopting import Adopting
from calsync_plugin.engine.arrivals import Arrivals
from calsync_plugin.engine.brake import Brake
from calsync_plugin.engine.busy_reading import BusyReader
from calsync_plugin.engine.counting import Counting
from calsync_plugin.engine.event_writes import EventWriter
from calsync_plugin.engine.flooding import Flooding
from calsync_plugin.engine.gather import Gatherer
from calsync_plugin.engine.handing_over import HandingOver
from calsync_plugin.engine.hosts import Hosts
from calsync_plugin.engine.inward import Inward
from calsync_plugin.engine.marked import Marked
from calsync_plugin.engine.marks import EventMarks
from calsync_plugin.engine.notices import Notices
from calsync_plugin.engine.plugins import Plugins
from calsync_plugin.engine.pulling import Puller, PullParts
from calsync_plugin.engine.reconcile import OpenMailbox, Parts, Reconciler
from calsync_plugin.engine.record_creates import RecordCreator
from calsync_plugin.engine.record_writes import RecordWriter
from calsync_plugin.engine.roster import Roster
from calsync_plugin.engine.saver import Saver
from calsync_plugin.engine.subscribing import Subscriber
from calsync_plugin.engine.verifying import Verifying
from calsync_plugin.engine.vouching import Vouching
from calsync_plugin.engine.write import Writer
from calsync_plugin.settings import EntitySettings, WorkerSettings
from calsync_plugin.state import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a reconciler finds around it."""

    store: Store
    gateway: CrmGateway
    roster: Roster
    entities: Mapping[str, EntitySettings]
    plugins: Plugins
    notices: Notices
    counting: Counting
    subscriber: Subscriber
    open_mailbox: OpenMailbox
    now: Callable[[], float]
    """Epoch seconds."""
    random: random.Random
    new_link_id: Callable[[], str]
    crm_zone: Callable[[], str]
    poll_seconds: float
    limits: WorkerSettings
    stopping: Callable[[], bool]


def reconciler_of(around: Surroundings) -> Reconciler:
    """What runs mailboxes in these surroundings."""
    store = around.store
    directory = Directory(around.gateway, clock=around.now)
    gatherer = gatherer_of(around, directory)
    inward = Inward(directory, around.plugins.inbound)
    adopting = Adopting(store, around.gateway, directory, around.entities)
    hosts = Hosts(around.roster, inward, store.queue.hint)
    arrivals = Arrivals(store, gatherer, inward, adopting, hosts, new_link_id=around.new_link_id)
    return Reconciler(
        Parts(
            store=store,
            roster=around.roster,
            gatherer=gatherer,
            open_mailbox=around.open_mailbox,
            writer=_writer(around, directory, gatherer, inward),
            saver=Saver(store, around.counting),
            brake=Brake(store, around.notices, around.counting),
            flooding=Flooding(store, around.plugins.notify),
            inward=inward,
            handing_over=HandingOver(around.roster, around.open_mailbox, store.queue.hint),
            marks=EventMarks(store, arrivals, around.now, limit=around.limits.run_items),
            puller=_puller(around, arrivals, adopting),
            notices=around.notices,
            now=around.now,
            stopping=around.stopping,
            limits=around.limits,
        )
    )


def gatherer_of(around: Surroundings, directory: Directory) -> Gatherer:
    """What reads the CRM's side of a run."""
    return Gatherer(
        store=around.store,
        gateway=around.gateway,
        directory=directory,
        roster=around.roster,
        entities=around.entities,
        zone=around.crm_zone,
        outbound=around.plugins.outbound,
        installation_id=around.store.installation.get().id,
        counted=around.counting.add,
    )


def _writer(around: Surroundings, directory: Directory, gatherer: Gatherer, inward: Inward) -> Writer:
    installation_id = around.store.installation.get().id
    vouching = Vouching(around.roster, around.open_mailbox)
    creator = RecordCreator(
        around.store, around.gateway, gatherer, directory, vouching, installation_id=installation_id
    )
    events = EventWriter(inward, installation_id=installation_id, new_link_id=around.new_link_id)
    records = RecordWriter(around.gateway, gatherer, directory, creator)
    return Writer(events, records, creator, installation_id=installation_id)


def _puller(around: Surroundings, arrivals: Arrivals, adopting: Adopting) -> Puller:
    return Puller(
        PullParts(
            store=around.store,
            arrivals=arrivals,
            adopting=adopting,
            marked=Marked(around.store, around.store.installation.get().id),
            subscriber=around.subscriber,
            verifying=Verifying(around.store, around.now),
            counting=around.counting,
            busy=BusyReader(around.store),
            now=around.now,
            random=around.random,
            poll_seconds=around.poll_seconds,
        )
    )


def new_link_id() -> str:
    """An id that no other process makes, not even a copy of this one."""
    return str(uuid.uuid4())


def drawn_ids(draws: random.Random) -> Callable[[], str]:
    """Ids that come in the same order whenever `draws` begins alike."""
    return lambda: str(uuid.UUID(int=draws.getrandbits(128), version=4))
