"""How an administrator of the CRM gives a login to a command: typed, by the environment or by standard input.

Decides that a password is never an argument: other users of the machine see those. Keeps nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from calsync_plugin.errors import UserError

NAME, PASSWORD, CODE = "CALSYNC_CRM_ADMIN", "CALSYNC_CRM_ADMIN_PASSWORD", "CALSYNC_CRM_ADMIN_CODE"


def login_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options by which a login is given."""
    admin = click.option(
        "--admin",
        metavar="USER",
        help=f"Administrator of EspoCRM; {NAME} may name one instead. The password is asked for, or comes "
        f"from {PASSWORD} or {PASSWORD}_FILE.",
    )
    from_stdin = click.option(
        "--password-stdin",
        is_flag=True,
        help="Read the password from standard input, and the code of a second factor from its second line.",
    )
    return admin(from_stdin(command))


class Asked:
    """One login, asked for piece by piece."""

    def __init__(self, admin: str | None, *, from_stdin: bool) -> None:
        """Read standard input if it holds the login."""
        lines = sys.stdin.read().splitlines() if from_stdin else []
        self._lines: list[str] = [*lines, "", ""][:2] if from_stdin else []
        self._admin = admin

    def user_name(self) -> str:
        """Who logs in."""
        named = self._admin or os.environ.get(NAME, "")
        return named or _typed("Administrator of EspoCRM", hidden=False, instead=f"--admin or {NAME}")

    def password(self) -> str:
        """The password; it is shown nowhere."""
        if self._lines:
            return self._lines[0]
        return _environment(PASSWORD) or _typed(
            "Password", hidden=True, instead=f"{PASSWORD}, {PASSWORD}_FILE or --password-stdin"
        )

    def code(self, reason: str) -> str:
        """The code of the second factor, asked for only if EspoCRM wants one; `reason` says where it is."""
        if self._lines and self._lines[1]:
            return self._lines[1]
        found = _environment(CODE)
        if not found:
            click.echo(reason, err=True)
            found = _typed("Code", hidden=False, instead=CODE)
        return found


def _environment(name: str) -> str:
    file = os.environ.get(f"{name}_FILE")
    if file:
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{name}_FILE: {file} cannot be read ({type(error).__name__})") from None
    return os.environ.get(name, "")


def _typed(question: str, *, hidden: bool, instead: str) -> str:
    try:
        answer: str = click.prompt(question, hide_input=hidden, err=True)
    except click.Abort:
        raise UserError(f"nobody answered {question!r}; give it by {instead}") from None
    return answer
