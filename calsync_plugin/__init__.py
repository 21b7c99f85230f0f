"""calsync: keeps the meetings of a CRM and its users' Outlook calendars in step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pluggy

    from calsync_plugin.engine.assembly import Calsync
    from calsync_plugin.settings import Settings

__version__ = "0.1.0"


def register(plugin_manager: pluggy.PluginManager, config: Settings | Mapping[str, object]) -> Calsync:
    """Register calsync with a host's plugin manager (project `calsync`) and return it.

    `config` is what a configuration file holds, as a mapping, or ready settings. What an administrator saved
    on the admin page comes under a mapping and the environment, and over ready settings. A host that
    implements `calsync_crm_gateway` registers its plugin on the same manager. Call `start()` on the result to
    sync in this process; without it the hooks only leave marks, for another process of the host that does
    start.
    Raises ConfigurationError or StoreError; the hooks themselves never raise.
    """
    # Only here: a simulator or a script that needs an error class must not load databases and HTTP.
    import os  # noqa: PLC0415

    from calsync_plugin.engine.assembly import Calsync  # noqa: PLC0415
    from calsync_plugin.settings import Settings, load_settings  # noqa: PLC0415

    settings = config if isinstance(config, Settings) else load_settings(config, os.environ)
    return Calsync(settings, plugin_manager, kind="process")
