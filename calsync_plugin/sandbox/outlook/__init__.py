"""A stateful simulator of Microsoft Graph v1.0 calendars, with login, a calendar page and a control API.

`app.create_app` builds it, `server.serve` runs it. `control` documents how a test steers it; `switches` lists
every behaviour that Microsoft does not document, each with both settings.
"""

from calsync_plugin.sandbox.outlook.app import create_app
from calsync_plugin.sandbox.outlook.server import serve
from calsync_plugin.sandbox.outlook.simulator import Simulator
from calsync_plugin.sandbox.outlook.wire import DroppedConnection

__all__ = ["DroppedConnection", "Simulator", "create_app", "serve"]
