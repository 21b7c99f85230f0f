"""Rules of persons (contacts, leads, users): their names, e-mail addresses and the search for duplicates."""

from __future__ import annotations

from calsync_plugin.sandbox.crm.tables import Record, Table


def named(values: Record, before: Record) -> Record:
    """The full name that follows from the parts; a user without any is called by the user name."""
    present = {**before, **values}
    parts = [present.get("firstName"), present.get("lastName")]
    name = " ".join(part for part in parts if part) or present.get("userName")
    return {"name": name} if name != before.get("name") else {}


def addressed(values: Record, before: Record) -> Record:
    """The address list that follows from a new primary address, or the primary one from a new list."""
    if values.get("emailAddressData") is not None:
        entries = [_entry(entry) for entry in values["emailAddressData"] if entry.get("emailAddress")]
        primary = next((entry for entry in entries if entry["primary"]), entries[0] if entries else None)
        return {"emailAddressData": entries, "emailAddress": primary and primary["emailAddress"]}
    if "emailAddress" not in values:
        return {}
    others = [entry for entry in before.get("emailAddressData") or [] if not entry["primary"]]
    if not values["emailAddress"]:
        return {"emailAddressData": others, "emailAddress": None}
    return {"emailAddressData": [_entry({"emailAddress": values["emailAddress"], "primary": True}), *others]}


def _entry(entry: Record) -> Record:
    return {
        "emailAddress": entry["emailAddress"],
        "lower": entry["emailAddress"].lower(),
        "primary": bool(entry.get("primary")),
        "optOut": bool(entry.get("optOut")),
        "invalid": bool(entry.get("invalid")),
    }


def duplicates(table: Table, values: Record) -> list[Record]:
    """The records that EspoCRM would take for the same person: the same name or the same address."""
    found = table.matching("name", [named(values, {}).get("name")]) or set()
    if values.get("emailAddress"):
        found = found | (table.matching("emailAddress", [values["emailAddress"]]) or set())
    return [table.rows[record_id] for record_id in sorted(found)]
