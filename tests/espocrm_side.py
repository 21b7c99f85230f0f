"""The hands of EspoCRM's users and administrators, and what they do that nobody is told of.

Nothing here calls a hook: what calsync learns of it, it finds by itself.
"""

from __future__ import annotations

import base64
from typing import Any

from tests.world import CRM, World

MODES = ["both", "crm_to_outlook"]


def quietly(world: World, method: str, path: str, *, user: str = "admin", **body: Any) -> Any:
    """Call the CRM as a user who is logged in, half a minute later, without any webhook."""
    world.clock.advance(30)
    login = base64.b64encode(f"{user}:sandbox".encode()).decode()
    answer = world.session.request(
        method, f"{CRM}/api/v1/{path}", headers={"Espo-Authorization": login}, json=body, timeout=5
    )
    assert answer.ok, (method, path, answer.status_code, answer.headers.get("X-Status-Reason"), answer.text)
    return answer.json()


def in_dialog(world: World, user: str, record_id: str, status: str, entity_type: str = "Meeting") -> None:
    """Answer in EspoCRM's own dialog."""
    action = f"{entity_type}/action/setAcceptanceStatus"
    quietly(world, "POST", action, user=user, id=record_id, status=status)


def restore(world: World, record_id: str, entity_type: str = "Meeting") -> None:
    """Bring a removed record back, as an administrator does."""
    quietly(world, "POST", f"{entity_type}/action/restoreDeleted", id=record_id)


def mass_update(world: World, ids: list[str], entity_type: str = "Meeting", **values: Any) -> None:
    """Change many records at once."""
    _mass(world, ids, entityType=entity_type, action="update", data={"values": values})


def mass_delete(world: World, ids: list[str], entity_type: str = "Meeting") -> None:
    """Remove many records at once."""
    _mass(world, ids, entityType=entity_type, action="delete")


def _mass(world: World, ids: list[str], **body: Any) -> None:
    assert quietly(world, "POST", "MassAction", params={"ids": ids}, **body)["count"] == len(ids)


def requests_of(world: World) -> list[str]:
    """The requests that came to the CRM since its log was cleared, without their questions."""
    return [f"{one.method} {one.path.partition('?')[0]}" for one in world.crm.log.requests]
