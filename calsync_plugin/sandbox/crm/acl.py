"""The `acl` of `App/user`: a caller's access as EspoCRM 9.2.7 tells it, recorded of a regular user.

Of the scopes that every user has beside the roles (notes, attachments, ...) it knows none, and of
the fields that are closed to users in general `uid` alone.
"""

from __future__ import annotations

from calsync_plugin.sandbox.crm.access import Access, Caller
from calsync_plugin.sandbox.crm.tables import Record

PERMISSIONS = (
    "assignmentPermission",
    "messagePermission",
    "mentionPermission",
    "userCalendarPermission",
    "auditPermission",
    "exportPermission",
    "massUpdatePermission",
    "userPermission",
    "portalPermission",
    "groupEmailAccountPermission",
    "followerManagementPermission",
    "dataPrivacyPermission",
)
_WITH_UID = ("Meeting", "Call")


def acl_of(access: Access, caller: Caller) -> Record:
    """What the caller may do."""
    table = access.table(caller)
    closed = [name for name in _WITH_UID if name in table and not access.sees_uid(caller, name)]
    fields = {name: {"uid": {"read": "no", "edit": "no"}} if name in closed else {} for name in table}
    return {
        "table": table,
        "fieldTable": fields,
        "fieldTableQuickAccess": {name: _quick(["uid"] if name in closed else []) for name in table},
        **{name: access.permission(caller, name) for name in PERMISSIONS},
    }


def _quick(closed: list[str]) -> Record:
    """The same by what may not be done; the field `uid` is one attribute of the same name."""
    return {
        kind: {action: {"yes": [], "no": list(closed)} for action in ("read", "edit")}
        for kind in ("attributes", "fields")
    }
