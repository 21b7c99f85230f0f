"""The composition root: the only place that builds store, gateway, Graph client, engine and use cases.

Decides how the parts are put together for the three ways to run. Everything else takes what it needs as
arguments.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING

from calsync_plugin import hookspecs
from calsync_plugin.accounts import entitled, rounds
from calsync_plugin.accounts.asking import Asking
from calsync_plugin.accounts.connect import Connections
from calsync_plugin.accounts.integration import Integration, redirect_uri
from calsync_plugin.accounts.moved import check_addresses
from calsync_plugin.booking.desk import Desk
from calsync_plugin.bundle import load_hooks
from calsync_plugin.crm.client import EspoClient
from calsync_plugin.crm.espocrm import EspoGateway
from calsync_plugin.crm.gate import Gate, Lane
from calsync_plugin.crm.gateway import CrmGateway
from calsync_plugin.crm.installation_zone import InstallationZone
from calsync_plugin.engine.clock import SystemClock
from calsync_plugin.engine.composing import Surroundings, drawn_ids, new_link_id, reconciler_of
from calsync_plugin.engine.composing_feeds import feed_lane_of
from calsync_plugin.engine.composing_sweep import sweep_of
from calsync_plugin.engine.counting import Counting
from calsync_plugin.engine.doubts import doubt
from calsync_plugin.engine.feed_reading import FeedLane
from calsync_plugin.engine.in_force import InForce
from calsync_plugin.engine.inbound import Marks
from calsync_plugin.engine.notices import Notices
from calsync_plugin.engine.notified import Notified
from calsync_plugin.engine.plugins import Plugins
from calsync_plugin.engine.reconcile import Reconciler
from calsync_plugin.engine.roster import Member, Roster
from calsync_plugin.engine.router import Router
from calsync_plugin.engine.subscribing import Subscriber
from calsync_plugin.engine.worker import Rest, Worker
from calsync_plugin.errors import ConfigurationError
from calsync_plugin.graph.auth import Login
from calsync_plugin.graph.client import Clock, GraphClient, MailboxClient
from calsync_plugin.graph.pace import Pace
from calsync_plugin.graph.registration import registration_of
from calsync_plugin.graph.tokens import MailboxToken, TokenInHand
from calsync_plugin.http import Http
from calsync_plugin.settings import Settings
from calsync_plugin.state import FEEDS, SWEEP, Keyring, Lease, MailboxKind, open_store

if TYPE_CHECKING:
    import pluggy


class Calsync:
    """One installation of calsync in one process."""

    def __init__(
        self,
        settings: Settings,
        plugins: pluggy.PluginManager,
        *,
        kind: str,
        clock: Clock | None = None,
        http: Http | None = None,
        gateway: CrmGateway | None = None,
        draws: random.Random | None = None,
    ) -> None:
        """Open the store of `settings` and register the hooks with `plugins`; nothing runs yet.

        `kind` is `sandbox`, `bridge` or `process`; a store keeps the kind that it was made as. Without a
        `clock` the machine's is used, and for leases the database's own. What the admin page saved is laid
        under the file's and the environment's part of `settings`. A run that is to be repeated exactly gives
        `draws`, from which waits and link ids are drawn.
        """
        self.plugins, self._kind = plugins, kind
        self.clock = clock or SystemClock()
        self.http = http or Http()
        self.store = open_store(
            settings.store.url, Keyring(settings.store.secret_keys), kind=kind, clock=clock
        )
        self.in_force = InForce(settings, self.store.integration, self.clock)
        settings = self.in_force.settings
        check_addresses(self.store, public_url=settings.serve.public_url, crm_url=settings.crm.url)
        self._given_gateway = gateway
        self.counting = Counting(self.store)
        self._random = draws or random.Random()  # noqa: S311 - spreads retries and looks, guards nothing
        self._new_link_id = drawn_ids(draws) if draws else new_link_id
        self.crm_gate = Gate(self.clock.now)
        self.espocrm = EspoClient(
            settings.crm,
            self.http,
            clock=self._utc_now,
            answered=self.counting.crm_answered,
            lane=Lane(self.crm_gate),
        )
        self.entities = {entity.entity_type: entity for entity in settings.crm.entities}
        self.marks = Marks(self.store)
        self.notified = Notified(self.store)
        self._asked = Plugins(plugins)
        self.notices = Notices(self.store, self._asked.notify)
        self.roster = Roster(self.store)
        self.login = Login(self.http, self.store.tokens, lambda: registration_of(self.settings.graph))
        self._register_hooks(plugins)

    @property
    def settings(self) -> Settings:
        """What is in force now."""
        return self.in_force.settings

    def _register_hooks(self, plugins: pluggy.PluginManager) -> None:
        if not plugins.hook.__dict__.get("calsync_entity_created"):
            plugins.add_hookspecs(hookspecs)
        for hooks in load_hooks(self):
            plugins.register(hooks)
        plugins.check_pending()

    def _utc_now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.now(), UTC)

    # --- the CRM

    @cached_property
    def gateway(self) -> CrmGateway:
        """The CRM: given, or of a plugin, or the configured EspoCRM."""
        if self._given_gateway is not None:
            return self._given_gateway
        hosted: CrmGateway | None = self.plugins.hook.calsync_crm_gateway()
        if hosted is not None:
            return hosted
        if not self.settings.crm.url:
            raise ConfigurationError(
                "no CRM is configured and no plugin gives a gateway",
                path="crm.url",
                expected="an address, or a plugin that implements calsync_crm_gateway",
            )
        return EspoGateway(self.settings.crm, self.espocrm)

    # --- the engine

    @cached_property
    def graph(self) -> GraphClient:
        """Microsoft Graph."""
        return GraphClient(
            self.http,
            self.settings.graph.url,
            self.clock,
            self._random,
            batch_size=self.settings.graph.batch_size,
            timeout=self.settings.graph.timeout_seconds,
            answered=self.counting.graph_answered,
        )

    @cached_property
    def worker(self) -> Worker:
        """The worker with everything that it runs."""
        sweep = sweep_of(self._around, self.settings.crm)

        def look_around(lease: Lease) -> Rest:
            rounds.go(self)
            self.desk.settling.go(lambda: self.worker.stopping)
            return sweep.run(lease)

        also = self.desk.settling.reported
        router = Router(self.store, self.gateway, self.roster, self.entities, also=also)
        return Worker(
            self.store,
            {
                MailboxKind.ROUTER: router.run,
                MailboxKind.SWEEP: look_around,
                MailboxKind.FEEDS: self._feeds.run,
                MailboxKind.MAILBOX: self.reconciler.run,
            },
            self.counting,
            enabled=lambda: self.settings.graph.enabled,
            threads=self.settings.worker.threads,
            lease_seconds=self.settings.worker.lease_seconds,
        )

    @cached_property
    def reconciler(self) -> Reconciler:
        """What runs mailboxes."""
        return reconciler_of(self._around)

    @cached_property
    def _feeds(self) -> FeedLane:
        return feed_lane_of(self._around, self._kind)

    @cached_property
    def _around(self) -> Surroundings:
        return Surroundings(
            store=self.store,
            gateway=self.gateway,
            roster=self.roster,
            entities=self.entities,
            plugins=self._asked,
            notices=self.notices,
            counting=self.counting,
            subscriber=self.subscriber,
            open_mailbox=self._open_member,
            now=self.clock.now,
            random=self._random,
            new_link_id=self._new_link_id,
            crm_zone=self.crm_zone,
            poll_seconds=float(self.settings.graph.poll_seconds),
            limits=self.settings.worker,
            stopping=lambda: self.worker.stopping or not self.settings.graph.enabled,
        )

    @cached_property
    def subscriber(self) -> Subscriber:
        """What asks Outlook to notify us."""
        return Subscriber(
            self.store,
            now=self.clock.now,
            random=self._random,
            public_url=self.settings.serve.public_url,
            graph_url=self.settings.graph.url,
        )

    @cached_property
    def connections(self) -> Connections:
        """Connecting users, and taking that away."""
        return Connections(
            self.store,
            self.login,
            self.gateway,
            self.open_mailbox,
            redirect_uri=redirect_uri(self.settings),
            entity_types=tuple(self.entities),
            graph=lambda: self.settings.graph,
            may=lambda user_id: entitled.effective(self, user_id),
        )

    @cached_property
    def asking(self) -> Asking:
        """What stands between a login and the connection, where a user can be asked."""
        return Asking(
            self.store,
            self.connections,
            lambda token: self.graph.mailbox(TokenInHand(token), Pace(0.0, 0)),
            lambda: self.login.registration,
        )

    @cached_property
    def integration(self) -> Integration:
        """The admin page's settings, shown and saved."""
        return Integration(self.store, self.in_force)

    @cached_property
    def desk(self) -> Desk:
        """Availability and bookings."""
        return Desk(self, counted=partial(self.counting.add, "bookings"))

    def open_mailbox(self, user_id: str, mailbox_id: int) -> MailboxClient:
        """Graph as one user's mailbox, with the pace that the store remembers."""
        known = self.store.queue.pace(mailbox_id)
        graph = self.settings.graph
        pace = Pace(
            known.start, known.count, limit=graph.requests_per_window, window=float(graph.window_seconds)
        )
        mailbox = self.store.accounts.mailbox(mailbox_id)
        token = MailboxToken(self.login, user_id, mailbox.object_id if mailbox else "")
        return self.graph.mailbox(token, pace)

    def doubts(self) -> dict[str, str]:
        """What the CRM seems to have lost, in words by entity type; empty if all is well."""
        found = {entity_type: doubt(self.store, entity_type) for entity_type in self.entities}
        return {entity_type: what for entity_type, what in found.items() if what}

    @cached_property
    def crm_zone(self) -> Callable[[], str]:
        """Tells the CRM installation's zone, in which events are shown that have no better one (R15)."""
        if self.settings.crm.time_zone or not isinstance(self.gateway, EspoGateway):
            return lambda: self.settings.crm.time_zone or "UTC"
        return InstallationZone(self.espocrm, self.clock.now)

    def start(self) -> None:
        """Start the worker; the first sweep is due at once."""
        self.store.queue.wake_all([SWEEP, FEEDS])
        self.worker.start()

    def stop(self) -> None:
        """Stop the worker, keep the work in hand, and close everything."""
        self.worker.stop()
        self.desk.close()
        self.counting.save()
        self.store.close()
        self.http.close()

    # --- seams

    def _open_member(self, member: Member) -> MailboxClient:
        return self.open_mailbox(member.account.user_id, member.mailbox_id)
