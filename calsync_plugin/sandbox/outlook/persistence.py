"""A dump of the simulated organisation as one JSON file, so that a data folder survives a restart.

Kept: mailboxes with all they hold, the log of mails, tokens, subscriptions and switches. Not kept: faults,
request log.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calsync_plugin.sandbox.outlook.state import Alias, Calendar, Item, Mail, Mailbox, Shape, index_uid
from calsync_plugin.sandbox.outlook.switches import Switches
from calsync_plugin.sandbox.outlook.wire import Json

if TYPE_CHECKING:
    from calsync_plugin.sandbox.outlook.simulator import Simulator

_TIMES = frozenset(item.name for item in fields(Item) if "datetime" in str(item.type))
_INDEXES = frozenset(("calendars", "aliases", "items", "by_uid", "by_property"))


def dump(sim: Simulator, path: Path) -> None:
    """Write the state; the file is replaced only when it is complete."""
    state = sim.state
    whole = {
        "next": state.next_number(),
        "sequence": state.sequence,
        "cursors_valid_from": sim.cursors_valid_from,
        "switches": sim.switches.as_dict(),
        "mails": [asdict(mail) for mail in state.mails],
        "logins": sim.logins.as_json(),
        "subscriptions": sim.subscriptions.as_json(),
        "mailboxes": [
            _mailbox_json(mailbox) for mailbox in (*state.mailboxes.values(), *state.outside.values())
        ],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(".tmp")
    scratch.write_text(json.dumps(whole))
    scratch.replace(path)


def load(sim: Simulator, path: Path) -> None:
    """Replace the state by a dump's."""
    whole = json.loads(path.read_text())
    state = sim.state
    state.restore_numbers(whole["next"])
    state.sequence = whole["sequence"]
    sim.cursors_valid_from = whole["cursors_valid_from"]
    sim.switches = Switches().changed(whole["switches"])
    state.mails = [Mail(**mail) for mail in whole["mails"]]
    sim.logins.restore(whole["logins"])
    sim.subscriptions.restore(whole["subscriptions"])
    for value in whole["mailboxes"]:
        state.register(_mailbox(value))
    state.sequence = whole["sequence"]


def _mailbox_json(mailbox: Mailbox) -> Json:
    plain = {item.name: getattr(mailbox, item.name) for item in fields(mailbox) if item.name not in _INDEXES}
    calendars = [asdict(calendar) for calendar in mailbox.calendars.values()]
    for calendar in calendars:
        calendar["changes"] = [[*key, sequence] for key, sequence in calendar["changes"].items()]
    return {
        **plain,
        "calendars": calendars,
        "aliases": [asdict(alias) for alias in mailbox.aliases.values()],
        "items": [_item_json(item) for item in mailbox.items.values()],
    }


def _item_json(item: Item) -> Json:
    made: Json = {}
    for part in fields(item):
        value = getattr(item, part.name)
        if isinstance(value, datetime):
            value = value.isoformat()
        elif part.name == "exceptions":
            value = [_item_json(exception) for exception in value.values()]
        elif part.name == "shapes":
            value = [_plain(asdict(shape)) for shape in value]
        made[part.name] = value
    return made


def _item(value: Json) -> Item:
    made: dict[str, Any] = dict(value)
    for name in _TIMES:
        if made[name] is not None:
            made[name] = datetime.fromisoformat(made[name])
    made["exceptions"] = {exception["day"]: _item(exception) for exception in value["exceptions"]}
    made["shapes"] = [_shape(shape) for shape in value["shapes"]]
    return Item(**made)


def _plain(value: Any) -> Any:
    """Return a value with its times in text, however deep they lie."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value


def _shape(value: Json) -> Shape:
    moved = (
        (day, datetime.fromisoformat(first), datetime.fromisoformat(last))
        for day, first, last in value["exceptions"]
    )
    return Shape(
        **{
            **value,
            "start": datetime.fromisoformat(value["start"]),
            "end": datetime.fromisoformat(value["end"]),
            "cancelled_days": tuple(value["cancelled_days"]),
            "exceptions": tuple(moved),
        }
    )


def _mailbox(value: Json) -> Mailbox:
    plain = {name: part for name, part in value.items() if name not in _INDEXES}
    plain["transactions"] = {name: (part[0], part[1]) for name, part in plain["transactions"].items()}
    made = Mailbox(**plain)
    for part in value["calendars"]:
        changes = {(number, day): sequence for number, day, sequence in part["changes"]}
        made.calendars[part["number"]] = Calendar(**{**part, "changes": changes})
    made.aliases = {part["number"]: Alias(**part) for part in value["aliases"]}
    for part in value["items"]:
        item = _item(part)
        made.items[item.number] = item
        index_uid(made, item)
        if not item.purged:
            for name, text in item.properties.items():
                made.by_property.setdefault((name, text.lower()), {})[item.number] = None
    return made
