"""The store: opens a database and puts its rooms together.

Decides what must be true before anything is read: a schema that is not newer, the right kind of installation,
the keys of everything that is stored. Does not know what the rooms keep.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from calsync_plugin.errors import StoreBusy, StoreError
from calsync_plugin.state.accounts import Accounts
from calsync_plugin.state.audit import Audit
from calsync_plugin.state.booking_calendars import BookingCalendars
from calsync_plugin.state.bookings import Bookings
from calsync_plugin.state.bookmarks import Bookmarks
from calsync_plugin.state.busy import Busy
from calsync_plugin.state.calendars import Calendars
from calsync_plugin.state.changes import Changes
from calsync_plugin.state.clock import Clock
from calsync_plugin.state.crm_users import CrmUsers
from calsync_plugin.state.cursors import Cursors
from calsync_plugin.state.database import Database
from calsync_plugin.state.encrypted import check_keys, key_ids_in_use, reencrypt
from calsync_plugin.state.events import Events
from calsync_plugin.state.feeds import Feeds
from calsync_plugin.state.figures import Figures
from calsync_plugin.state.gates import Gates
from calsync_plugin.state.gauges import Gauges
from calsync_plugin.state.given import GivenGrants
from calsync_plugin.state.holding import Holding
from calsync_plugin.state.installation import Installations, establish
from calsync_plugin.state.integration import Integration
from calsync_plugin.state.lanes import open_lane
from calsync_plugin.state.links import Links
from calsync_plugin.state.listening import Listener
from calsync_plugin.state.listing import Listing
from calsync_plugin.state.log import Log
from calsync_plugin.state.migrate import migrate
from calsync_plugin.state.parking import Parking
from calsync_plugin.state.queue import Queue
from calsync_plugin.state.rows import Lease
from calsync_plugin.state.saving import Save, saving
from calsync_plugin.state.secrets import Keyring
from calsync_plugin.state.sessions import Sessions
from calsync_plugin.state.tokens import OAuthFlows, Tokens
from calsync_plugin.state.waiting import Doorbell
from calsync_plugin.state.webhooks import Subscriptions, Webhooks


class Store:
    """All that calsync keeps. Thread-safe; each room is an attribute."""

    def __init__(self, database: Database, keyring: Keyring, clock: Clock | None) -> None:
        self._database = database
        self._keyring = keyring
        self._doorbell = Doorbell()
        self._listener = Listener(database, self._doorbell)
        self._lane = open_lane(database, clock)
        self.clock = database.clock
        self.queue = Queue(database, self._lane, self._doorbell, self._listener)
        self.changes = Changes(database, self._doorbell)
        self.links = Links(database)
        self.cursors = Cursors(database, keyring)
        self.events = Events(database)
        self.calendars = Calendars(database)
        self.accounts = Accounts(database)
        self.listing = Listing(database)
        self.tokens = Tokens(database, keyring)
        self.oauth_flows = OAuthFlows(database, keyring)
        self.webhooks = Webhooks(database, keyring)
        self.subscriptions = Subscriptions(database)
        self.parked = Parking(database)
        self.held = Holding(database)
        self.bookmarks = Bookmarks(database)
        self.log = Log(database, keyring)
        self.installation = Installations(database)
        self.sessions = Sessions(database, keyring)
        self.crm_users = CrmUsers(database)
        self.given_grants = GivenGrants(database)
        self.integration = Integration(database, keyring)
        self.audit = Audit(database)
        self.figures = Figures(database)
        self.gauges = Gauges(database)
        self.busy = Busy(database)
        self.feeds = Feeds(database, keyring)
        self.booking_calendars = BookingCalendars(database)
        self.bookings = Bookings(database, keyring)
        self.gates = Gates(database)

    def save(self, lease: Lease | None) -> AbstractContextManager[Save]:
        """One transaction for all that a run learnt; raises LeaseLost at its end if the lease went away.

        None is for a person's action, which has no lease. Do nothing slow inside: SQLite has one writer.
        """
        return saving(self._database, self._keyring, self._doorbell, lease)

    def secret_for(self, purpose: str) -> str:
        """A secret of this installation, made of its keys; the same in all processes and after a restart."""
        return self._keyring.derived(purpose)

    def key_ids_in_use(self) -> set[str]:
        """The ids of the keys that wrote what is stored; others can be removed from the configuration."""
        with self._database.read() as connection:
            return key_ids_in_use(connection)

    def reencrypt(self) -> int:
        """Write everything anew with the first key; returns how many values an older one had written."""
        with self._database.write() as connection:
            return reencrypt(connection, self._keyring)

    def close(self) -> None:
        """End all waits and threads, and close all connections."""
        self._doorbell.interrupt()
        self._listener.stop()
        self._lane.close()
        self._database.close()


def open_store(url: str, keyring: Keyring, *, kind: str, clock: Clock | None = None) -> Store:
    """Open the store at `url` (`sqlite:///FILE` or `postgresql://...`), creating or migrating it.

    `kind` is `sandbox`, `bridge` or `process`. An injected `clock` also stands for PostgreSQL's own time.
    Raises StoreError for an unusable URL, a database that does not answer or is none, a newer schema, a store
    of another kind or a missing key.
    """
    database = Database(url, clock)
    try:
        with database.write() as connection:
            migrate(connection)
            establish(connection, keyring, kind)
            check_keys(connection, keyring)
        return Store(database, keyring, clock)
    except BaseException as error:
        database.close()
        if isinstance(error, StoreBusy | StoreError):
            raise StoreError(f"{database.name}: {error}") from error
        raise
