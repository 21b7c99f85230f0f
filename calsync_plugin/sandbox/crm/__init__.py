"""A stand-in for EspoCRM 9.2.7: its REST API and webhooks as measured, a calendar page, and controls for
tests.

`create_app` for tests and other WSGI hosts, `serve` for a server of its own.
"""

from calsync_plugin.sandbox.crm.server import CrmServer, create_app, serve
from calsync_plugin.sandbox.crm.simulator import Crm

__all__ = ["Crm", "CrmServer", "create_app", "serve"]
