"""Links in answers of Outlook lead to Outlook: a token is sent nowhere else."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from typing import Any

import pytest

from tests.world import ALICE, OUTLOOK, World

_LINK = re.compile(rb"(\"@odata\.(?:next|delta)Link\": ?\")[^\"]*/me/")
ELSEWHERE = [
    pytest.param("http://127.0.0.1:9/v1.0", id="this-machine"),
    pytest.param("http://169.254.169.254/latest/v1.0", id="metadata"),
    pytest.param(f"{OUTLOOK}.evil.example/v1.0", id="longer-name"),
    pytest.param(f"{OUTLOOK}@evil.example/v1.0", id="user-part"),
    pytest.param("file:///etc/v1.0", id="file"),
]


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_a_delta_link_to_another_server_is_not_followed(
    world: World, caplog: pytest.LogCaptureFixture, elsewhere: str
) -> None:
    world.outlook_create(ALICE, subject="Before")
    inner = world.outlook_app.wsgi_app
    bent: list[str] = []

    def bending(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        def without_length(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            return start_response(status, [h for h in headers if h[0].lower() != "content-length"], *more)

        body = b"".join(inner(environ, without_length))
        changed = _LINK.sub(rb"\1" + elsewhere.encode() + b"/me/", body)
        bent.extend([str(environ["PATH_INFO"])] * (changed != body))
        return [changed]

    world.outlook_app.wsgi_app = bending  # type: ignore[method-assign]
    world.pull(ALICE)
    world.outlook_app.wsgi_app = inner  # type: ignore[method-assign]
    assert bent
    for _ in range(3):
        world.clock.advance(3600)
        world.pull(ALICE)
    world.outlook_create(ALICE, subject="After")
    world.pull(ALICE)
    assert {"After", "Before"} == {one["name"] for one in world.records()}
    assert "sandbox:alice" not in caplog.text
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]
    world.quiet()
