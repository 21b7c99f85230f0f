"""How the plan of a set-up looks, and what an administrator is told at its end.

Decides words and colours only; no secret is among what it is given.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from rich.table import Table

from calsync_plugin.accounts.crm_job import Job
from calsync_plugin.accounts.crm_steps import Doing, Plan
from calsync_plugin.cli.options import as_written, console

KEY_VARIABLE = "CALSYNC_CRM_API_KEY_FILE"

COLOURS: Mapping[Doing, str] = {
    Doing.NOTHING: "green",
    Doing.MAKE: "cyan",
    Doing.CHANGE: "cyan",
    Doing.REMOVE: "red",
    Doing.PERSON: "yellow",
    Doing.NOTE: "yellow",
}


def table_of(plan: Plan) -> Table:
    """The plan as a table."""
    table = Table(box=None, pad_edge=False)
    for title in ("what", "now", "to do", "why"):
        table.add_column(title, overflow="fold", min_width=12)
    for step in plan:
        colour = COLOURS[step.doing]
        doing = "ok" if step.doing is Doing.NOTHING else step.doing.value
        action = f": {as_written(step.action)}" if step.action else ""
        table.add_row(
            as_written(f"{step.part} {step.name}"),
            as_written(step.found),
            f"[{colour}]{doing}[/]{action}",
            as_written(step.why),
        )
    return table


def print_json(plan: Plan, done: bool, more: Mapping[str, object]) -> None:
    """The same for programs."""
    click.echo(json.dumps({"steps": [step.told() for step in plan], "done": done, **more}))


def tell_what_is_left(job: Job, config: Path | None, key_file: Path, left: Sequence[str]) -> None:
    """Say what is for the administrator to do."""
    for sentence in left:
        console.print(f"[yellow]still missing[/] {as_written(sentence)}")
    for step in job.plan:
        if step.doing is Doing.PERSON:
            console.print(f"[yellow]by hand[/] {as_written(f'{step.part} {step.name}: {step.action}')}")
    if not job.configured:
        console.print("\nPut this into the configuration, below crm:\n")
        click.echo(_block(job.entities))
    if os.environ.get(KEY_VARIABLE) != str(key_file) and any(
        step.part == "API key" and step.name == str(key_file) for step in job.plan
    ):
        file = key_file.resolve()
        console.print("\nThe API key is in a file that only you can read. Name it to calsync:\n")
        click.echo(f"export {KEY_VARIABLE}={file}")
    console.print("\nThen: calsync doctor" + (f" --config {config}" if config else ""), markup=False)


def _block(entities: Sequence[Mapping[str, object]]) -> str:
    """The block in YAML; JSON's way to quote a text is one of YAML's."""
    lines = ["  entities:"]
    for entity in entities:
        for number, (name, value) in enumerate(entity.items()):
            lines.append(f"    {'- ' if number == 0 else '  '}{name}: {json.dumps(value)}")
    return "\n".join(lines)
