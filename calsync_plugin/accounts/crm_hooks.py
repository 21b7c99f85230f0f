"""The part of the set-up that is about webhooks: made and mended with our API user's key, secrets stored.

Decides that the secret is stored right after EspoCRM told it, so that no delivery meets an unknown webhook
for longer than a moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial

from calsync_plugin.accounts.crm_steps import Doing, Hands, Step
from calsync_plugin.accounts.crm_survey import Survey
from calsync_plugin.crm.webhook_setup import EVENTS, Compared, Stray, compare_webhooks, mend_webhook
from calsync_plugin.errors import NotFound
from calsync_plugin.state import Webhook

LIMIT = 50
"""Webhooks that EspoCRM gives one API user (9.2.7, measured)."""


def hook_steps(
    found: Survey, address: str, entity_types: Iterable[str], secrets: Mapping[str, str]
) -> Iterator[Step]:
    """One step for each event, one for each webhook too many, one for stored secrets of none."""
    events = [f"{entity_type}.{event}" for entity_type in entity_types for event in EVENTS]
    compared, strays = compare_webhooks(found.webhooks, address, events, secrets, found.user_id)
    if len(events) > LIMIT:
        yield Step(
            part="webhooks",
            name=address,
            found=f"{len(events)} are needed, and EspoCRM gives an API user {LIMIT}",
            doing=Doing.PERSON,
            action="sync fewer kinds of records",
        )
        return
    yield Step(
        part="webhooks",
        name=f"{address}/...",
        found=f"{sum(one.present is not None for one in compared)} of {len(events)}",
        doing=Doing.NOTHING,
    )
    yield from (_remove(stray) for stray in strays)
    yield from (_event(one) for one in compared if one.present is None or one.troubles)
    present = {str(row.get("id")) for row in found.webhooks}
    gone = sorted(webhook_id for webhook_id in secrets if webhook_id not in present)
    if gone:
        yield Step(
            part="webhook secrets",
            name=f"{len(gone)} stored",
            found="their webhooks are gone from EspoCRM",
            doing=Doing.REMOVE,
            action="forget them",
            run=partial(_forget, gone),
        )


def _event(one: Compared) -> Step:
    if one.present is None:
        return Step(
            part="webhook",
            name=one.event,
            found="there is none",
            doing=Doing.MAKE,
            why="reports what is saved in EspoCRM",
            run=partial(_mend, one),
        )
    return Step(
        part="webhook",
        name=one.event,
        found="; ".join(one.troubles),
        doing=Doing.CHANGE,
        action=f"let it go to {one.url}" if one.present.get("url") != one.url else "mend it",
        why="reports what is saved in EspoCRM",
        run=partial(_mend, one),
    )


def _mend(one: Compared, hands: Hands) -> None:
    webhook = mend_webhook(hands.bridge(), one)
    hands.store.webhooks.save(Webhook(webhook.id, webhook.event, webhook.secret))


def _remove(stray: Stray) -> Step:
    return Step(
        part="webhook",
        name=str(stray.row.get("event")),
        found=stray.reason,
        doing=Doing.REMOVE,
        action=f"remove the one to {stray.row.get('url')}",
        run=partial(remove_webhook, str(stray.row.get("id"))),
    )


def remove_webhook(webhook_id: str, hands: Hands) -> None:
    """Remove one, whoever owns it, and forget its secret. One that is gone already is no error."""
    with suppress(NotFound):
        hands.admin.call("DELETE", "Webhook", record_id=webhook_id)
    hands.store.webhooks.delete(webhook_id)


def _forget(webhook_ids: Iterable[str], hands: Hands) -> None:
    for webhook_id in webhook_ids:
        hands.store.webhooks.delete(webhook_id)
