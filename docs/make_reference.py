"""Writes docs/reference/ from what the program itself says: `python docs/make_reference.py`.

Decides how schemas, hook specifications, errors and commands look as pages. Their words stand where they are
used: in schemas/, hookspecs.py, errors.py and the command line. A test compares the pages with a fresh run.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from calsync_plugin import bundle, errors, hookspecs
from calsync_plugin.cli import main as calsync
from calsync_plugin.errors import CalsyncError

REFERENCE = Path(__file__).parent / "reference"
NOT_CALLED_YET: frozenset[str] = frozenset()
"""Hooks that a host can implement already, before anything calls them."""
MADE = "<!-- Made by docs/make_reference.py; edit the sources that it names, not this page. -->"
PARAMETER = re.compile(r"^:param (\w+): (.*)$")

Schema = Mapping[str, Any]


def configuration() -> Iterator[str]:
    """The configuration file, section by section."""
    schema = bundle.schema("config")
    yield "# Configuration"
    yield (
        "One YAML file: `calsync serve --config calsync.yaml`. A variable of the environment goes before the "
        "file. A secret may also come from a file: `CALSYNC_CRM_API_KEY_FILE=/run/secrets/crm` in place of "
        "`CALSYNC_CRM_API_KEY`. `calsync config check` names wrong keys and values with their line. "
        "[An example](../how-to/run-beside-espocrm.md#4-write-the-configuration) with every needed key."
    )
    for section, group in _properties(schema):
        yield f"## `{section}`"
        yield group["description"]
        yield _table(section, group)
        for key, option in _properties(group):
            if option["type"] == "array" and option["items"]["type"] == "object":
                yield f"### `{section}.{key}`"
                yield f"Each entry: {option['items']['description']}"
                yield _table("", option["items"])


def user_settings() -> Iterator[str]:
    """What a user chooses."""
    schema = bundle.schema("external_account")
    yield "# User settings"
    yield (
        f"{schema['description']} Users choose on their own page, `/external-account/settings`, and read "
        "there what a change will do before it is made. An account that is connected by `calsync accounts "
        "connect` begins with these defaults and with all configured kinds of records; `--mode` sets the "
        "direction."
    )
    rows = ["| setting | title | default | what it does |", "|---|---|---|---|"]
    for key, option in _properties(schema):
        words = " ".join((option["description"], _choices(option))).strip()
        rows.append(f"| `{key}` | {_cell(option['title'])} | {_default(option)} | {_cell(words)} |")
    yield "\n".join(rows)


def hooks() -> Iterator[str]:
    """The hook specifications in the order of the module."""
    yield "# Hooks"
    yield _reflowed(inspect.getdoc(hookspecs) or "")
    for name, spec in hook_specifications().items():
        yield f"## `{name}`"
        yield f"```python\n{_signature(name, spec)}\n```"
        if name in NOT_CALLED_YET:
            yield "*Not called by this version.*"
        yield _reflowed(inspect.getdoc(spec) or "")


def hook_specifications() -> dict[str, Callable[..., object]]:
    """The specifications by name."""
    found = vars(hookspecs).items()
    return {name: spec for name, spec in found if name.startswith("calsync_") and inspect.isfunction(spec)}


def error_pages() -> Iterator[str]:
    """The tree of errors and what each means."""
    lines = (inspect.getdoc(errors) or "").splitlines()
    tree = [line.removeprefix("    ") for line in lines if line.startswith("    ")]
    yield "# Errors"
    yield (
        "What calsync raises on purpose (`calsync_plugin.errors`). A host that calls `register` meets "
        "`UserError`; the hooks themselves never raise. On the command line a `UserError` is one line and "
        "exit code 2, any other of them exit code 1."
    )
    yield "```text\n" + "\n".join(tree) + "\n```"
    for error in all_errors():
        yield f"## `{error.__name__}`"
        yield (inspect.getdoc(error) or "").replace("\n", " ").replace("  ", "\n\n")


def all_errors() -> list[type[CalsyncError]]:
    """Every error of the tree, in the order of the module."""
    found = [value for value in vars(errors).values() if inspect.isclass(value)]
    return [error for error in found if issubclass(error, CalsyncError)]


def command_line() -> Iterator[str]:
    """Every command with its help."""
    yield "# Command line"
    yield (
        "Exit codes: 0 done, 1 failed, 2 wrong use or configuration. `--json` prints for programs. Commands "
        "without `--config` (and without `CALSYNC_CRM_URL`) are about the sandbox in the data folder."
    )
    for path, command in commands(calsync, "calsync"):
        if isinstance(command, click.Group):
            continue
        arguments = [_argument(p) for p in command.params if isinstance(p, click.Argument)]
        yield f"## `{path}`"
        yield command.help or ""
        options = _options(command)
        yield f"```text\n{' '.join([path, *arguments, *(['[OPTIONS]'] if options else [])])}\n```"
        if options:
            yield "\n".join(["| option | what it is |", "|---|---|", *options])


def _options(command: click.Command) -> list[str]:
    rows = []
    for option in command.params:
        if isinstance(option, click.Option):
            words = (option.help or "").replace("  [default", " [default")
            value = "" if option.is_flag else f" {_value(option)}"
            rows.append(f"| `{', '.join(option.opts)}{value}` | {_cell(words)} |")
    return rows


def _argument(argument: click.Argument) -> str:
    choices = argument.type.choices if isinstance(argument.type, click.Choice) else ()
    return "/".join(map(str, choices)) or argument.human_readable_name.upper()


def _value(option: click.Option) -> str:
    match option.type:
        case click.Choice():
            return "/".join(str(choice) for choice in option.type.choices)
        case click.Path():
            return "FILE" if option.type.file_okay else "FOLDER"
        case click.types.IntParamType():
            return "N"
    return option.human_readable_name.upper()


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """The command and all below it, with their full names."""
    yield path, command
    if isinstance(command, click.Group):
        for name, inner in sorted(command.commands.items()):
            yield from commands(inner, f"{path} {name}")


def _properties(schema: Schema) -> list[tuple[str, Schema]]:
    resolved = [(key, _resolved(option)) for key, option in schema["properties"].items()]
    return sorted(resolved, key=lambda entry: int(entry[1].get("x-order", 0)))


def _resolved(option: Schema) -> Schema:
    """A property with what its reference to another schema says."""
    reference = str(option.get("$ref", ""))
    if not reference:
        return option
    return {**bundle.schema(reference.removesuffix(".schema.json")), **option}


def _table(section: str, group: Schema) -> str:
    rows = ["| key | variable | default | what it is |", "|---|---|---|---|"]
    for key, option in _properties(group):
        path = f"{section}.{key}" if section else key
        variable = f"`{option['x-env']}`" if "x-env" in option else ""
        words = " ".join(filter(None, (option["description"], _choices(option), _limits(option))))
        rows.append(f"| `{path}` | {variable} | {_default(option)} | {_cell(words)} |")
    return "\n".join(rows)


def _choices(option: Schema) -> str:
    labels = option.get("x-labels", {})
    choices = [
        f"`{choice}`" + (f" ({labels[choice]})" if choice in labels else "") for choice in _enum(option)
    ]
    return f"One of: {'; '.join(choices)}." if choices else ""


def _enum(option: Schema) -> list[str]:
    return [str(choice) for choice in option.get("enum", ())]


def _limits(option: Schema) -> str:
    low, high = option.get("minimum"), option.get("maximum")
    return f"{low} to {high}." if low is not None and high is not None else ""


def _default(option: Schema) -> str:
    if "x-default" in option:
        return str(option["x-default"])
    default = option.get("default")
    if default is None or default == "":
        return ""
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def _signature(name: str, spec: Callable[..., object]) -> str:
    signature = inspect.signature(spec)
    parameters = [str(parameter).replace("'", "") for parameter in signature.parameters.values()]
    returned = str(signature.return_annotation).replace("'", "")
    return f"{name}({', '.join(parameters)}) -> {returned}"


def _reflowed(text: str) -> str:
    """A docstring as Markdown: parameters as a list, indented lines as code."""
    blocks: list[str] = []
    for block in text.split("\n\n"):
        lines = block.splitlines()
        if all(line.startswith("    ") or not line for line in lines):
            code = inspect.cleandoc(block) if not blocks else "\n".join(line[4:] for line in lines)
            blocks.append(f"```python\n{code}\n```")
        elif lines[0].startswith(":"):
            blocks.append("\n".join(_parameter(line) for line in lines))
        else:
            blocks.append("\n".join(lines))
    return "\n\n".join(blocks).replace("\n```\n\n```python\n", "\n\n")


def _parameter(line: str) -> str:
    found = PARAMETER.match(line)
    if found:
        return f"- `{found[1]}`: {found[2]}"
    return (
        f"- returns {line.removeprefix(':return: ')}" if line.startswith(":return: ") else f"  {line.strip()}"
    )


PAGES: dict[str, Callable[[], Iterator[str]]] = {
    "configuration.md": configuration,
    "user-settings.md": user_settings,
    "hooks.md": hooks,
    "errors.md": error_pages,
    "cli.md": command_line,
}


def main(folder: Path = REFERENCE) -> None:
    """Write all pages into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        text = "\n\n".join([MADE, *page()])
        lines = (line.rstrip() for line in text.splitlines())
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*[Path(argument) for argument in sys.argv[1:]])
