"""Who did what: the one place that writes the audit log.

Decides how an actor is named. What is worth an entry is decided by each use case; secrets and contents of
meetings never are.
"""

from __future__ import annotations

from dataclasses import dataclass

from calsync_plugin.state import Account, Store


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, or what stands for one: a user of the CRM by id, others by name alone."""

    user_id: str
    name: str = ""

    @property
    def shown(self) -> str:
        """The name, else the id."""
        return self.name or self.user_id


COMMAND_LINE = Actor("", "command line")


def note(store: Store, actor: Actor, text: str, *, subject: str, user_id: str = "") -> None:
    """Note that `actor` did what `text` says to `subject`; `user_id`: whose account it was."""
    store.audit.add(
        actor_id=actor.user_id, actor_name=actor.name, text=text, subject=subject, user_id=user_id
    )


def note_account(store: Store, actor: Actor | None, account: Account, text: str) -> None:
    """Note what was done to an account; without an actor it was its own user."""
    who = actor or Actor(account.user_id)
    note(store, who, text, subject=account.address or account.user_id, user_id=account.user_id)
