"""Encryption at rest: bound to its row, refused without its key, and nothing readable in the database."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from sqlalchemy import select, update

from calsync_plugin.errors import ConfigurationError, StoreError
from calsync_plugin.state import Cursor, CursorStage, Keyring, OAuthFlow, Store, Webhook
from calsync_plugin.state.schema import metadata, token_caches
from tests.state.samples import NOON, MovedClock, Opener

A, B = Keyring.generate(), Keyring.generate()


@pytest.mark.parametrize(
    "text", ["", "secret", "\u2603 \ud800 \0", "x" * 100_000], ids=["empty", "ascii", "unicode", "long"]
)
def test_a_text_comes_back(text: str) -> None:
    keyring = Keyring({"a": A})
    sealed = keyring.encrypt("token", "alice", text)
    assert sealed.startswith("a:")
    assert keyring.decrypt("token", "alice", sealed) == text
    assert keyring.encrypt("token", "alice", text) != sealed


@pytest.mark.parametrize(
    ("keys", "purpose", "row", "message"),
    [
        pytest.param({"a": A}, "token", "bob", "token of bob", id="other_row"),
        pytest.param({"a": A}, "flow", "alice", "flow of alice", id="other_purpose"),
        pytest.param({"a": B}, "token", "alice", "not the one it was written with", id="other_key"),
        pytest.param({"b": A}, "token", "alice", "'a' is not configured", id="missing_key"),
    ],
)
def test_a_ciphertext_opens_only_in_its_place(
    keys: Mapping[str, str], purpose: str, row: str, message: str
) -> None:
    sealed = Keyring({"a": A}).encrypt("token", "alice", "secret")
    with pytest.raises(StoreError, match=message):
        Keyring(keys).decrypt(purpose, row, sealed)


@pytest.mark.parametrize("sealed", ["a:", "a:!!", "a:AAAA", "a", ""], ids=repr)
def test_what_is_no_ciphertext_is_refused(sealed: str) -> None:
    with pytest.raises(StoreError):
        Keyring({"a": A}).decrypt("token", "alice", sealed)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        pytest.param({}, "at least one key", id="none"),
        pytest.param({"a": "short"}, "at least 16 bytes", id="short"),
        pytest.param({"a:b": A}, "no key id", id="colon"),
        pytest.param({"": A}, "no key id", id="empty_id"),
    ],
)
def test_an_unusable_keyring_is_refused(keys: Mapping[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Keyring(keys)


def test_a_keyring_shows_no_key() -> None:
    assert repr(Keyring({"a": A, "b": B.encode()})) == "Keyring(a, b)"
    assert "hush" not in repr(Webhook("w", "e", "hush"))


def _fill(store: Store, secret: str) -> None:
    store.tokens.save("alice", f"{secret}-token")
    store.oauth_flows.put("state", "alice", f"{secret}-flow", seconds=3600)
    store.webhooks.save(Webhook("w1", "Meeting.create", f"{secret}-webhook"))
    with store.save(None) as save:
        save.journal(
            mailbox_id=3, user_id="alice", link_id="l", side="event", item_id="e", content=f"{secret}-journal"
        )
        save.clash(
            user_id="alice",
            link_id="l",
            field="subject",
            winner="crm",
            crm=f"{secret}-crm",
            outlook=f"{secret}-outlook",
        )
        save.save_cursor(
            Cursor(
                mailbox_id=3,
                calendar_id="c",
                url=f"https://graph/{secret}-cursor",
                query_version=1,
                window_start=NOON,
                window_end=NOON,
            )
        )


def _expect(store: Store, secret: str) -> None:
    assert store.tokens.load("alice") == f"{secret}-token"
    assert store.oauth_flows.take("state") == OAuthFlow("alice", f"{secret}-flow")
    assert store.webhooks.get("w1") == Webhook("w1", "Meeting.create", f"{secret}-webhook")
    assert [entry.content for entry in store.log.journal()] == [f"{secret}-journal"]
    assert [(clash.crm, clash.outlook) for clash in store.log.clashes("alice")] == [
        (f"{secret}-crm", f"{secret}-outlook")
    ]
    cursor = store.cursors.get(3, "c", CursorStage.LIVE)
    assert cursor is not None
    assert cursor.url == f"https://graph/{secret}-cursor"


def test_no_secret_is_readable_in_the_database(url: str, store: Store) -> None:
    _fill(store, "XyzzySecret")
    with store._database.read() as connection:
        rows = [str(row) for t in metadata.sorted_tables for row in connection.execute(select(t))]
    assert rows
    assert not [row for row in rows if "Xyzzy" in row]
    if url.startswith("sqlite"):
        folder = Path(url.removeprefix("sqlite:///")).parent
        assert not [file for file in folder.iterdir() if b"Xyzzy" in file.read_bytes()]
    _expect(store, "XyzzySecret")


def test_a_ciphertext_moved_to_another_row_is_refused(store: Store) -> None:
    store.tokens.save("alice", "hers")
    store.tokens.save("mallory", "his")
    with store._database.write() as connection:
        hers = connection.execute(
            select(token_caches.c.cache).where(token_caches.c.user_id == "alice")
        ).scalar_one()
        connection.execute(update(token_caches).where(token_caches.c.user_id == "mallory").values(cache=hers))
    with pytest.raises(StoreError, match="mallory"):
        store.tokens.load("mallory")


def test_a_store_does_not_open_without_the_keys_of_what_it_holds(opened: Opener) -> None:
    opened(keyring=Keyring({"a": A})).tokens.save("alice", "secret")
    with pytest.raises(StoreError, match="key a, which is not configured"):
        opened(keyring=Keyring({"b": B}))
    with pytest.raises(StoreError, match="not the one it was written with"):
        opened(keyring=Keyring({"a": B}))
    assert opened(keyring=Keyring({"b": B, "a": A})).tokens.load("alice") == "secret"


def test_keys_are_rotated(opened: Opener, clock: MovedClock) -> None:
    _fill(opened(keyring=Keyring({"a": A}), clock=clock), "s")
    both = opened(keyring=Keyring({"b": B, "a": A}), clock=clock)
    assert both.key_ids_in_use() == {"a"}
    both.tokens.save("alice", "s-token")
    assert both.key_ids_in_use() == {"a", "b"}
    assert both.reencrypt() == 6
    assert both.reencrypt() == 0
    assert both.key_ids_in_use() == {"b"}
    _expect(opened(keyring=Keyring({"b": B}), clock=clock), "s")
