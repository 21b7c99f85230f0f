"""The documentation says what the program does: made pages, names, links, commands and examples."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from calsync_plugin import bundle
from calsync_plugin.cli import main as calsync
from docs import make_reference

CHECKOUT = Path(__file__).parents[1]
DOCS = CHECKOUT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *(CHECKOUT / name for name in ("README.md", "CONTRIBUTING.md"))])
PICTURE_SIZE = 150_000

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
INLINE = re.compile(r"`(calsync [a-z][^`\n]*)`")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def page_id(page: Path) -> str:
    return str(page.relative_to(CHECKOUT))


def blocks(page: Path, language: str) -> Iterator[str]:
    for found, text in FENCE.findall(page.read_text(encoding="utf-8")):
        if found == language:
            yield text


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    words = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(prose(page))]
    return {heading.replace(" ", "-") for heading in words}


@pytest.mark.parametrize("name", make_reference.PAGES)
def test_the_reference_is_up_to_date(name: str, tmp_path: Path) -> None:
    make_reference.main(tmp_path)
    fresh = (tmp_path / name).read_text(encoding="utf-8")
    assert (DOCS / "reference" / name).read_text(encoding="utf-8") == fresh, (
        "run: python docs/make_reference.py"
    )


def test_the_reference_holds_nothing_else() -> None:
    assert {page.name for page in (DOCS / "reference").iterdir()} == set(make_reference.PAGES)


def documented(name: str) -> str:
    return (DOCS / "reference" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("hook", make_reference.hook_specifications())
def test_every_hook_is_documented(hook: str) -> None:
    assert f"## `{hook}`" in documented("hooks.md")


def test_hooks_that_nothing_calls_yet_say_so() -> None:
    """Of the hooks that a host implements; the others are the host's to call."""
    asked = {
        "calsync_crm_gateway",
        "calsync_authenticate",
        "calsync_outbound",
        "calsync_inbound",
        "calsync_notify",
    }
    modules = [file.read_text(encoding="utf-8") for file in (CHECKOUT / "calsync_plugin").rglob("*.py")]
    called = {hook for hook in asked if any(f"hook.{hook}" in text for text in modules)}
    assert asked - called == make_reference.NOT_CALLED_YET


@pytest.mark.parametrize(
    "hook", sorted(set(make_reference.hook_specifications()) - make_reference.NOT_CALLED_YET)
)
def test_every_hook_has_a_test(hook: str) -> None:
    """One that uses it; the tests of the bare specifications do not count, a tested example does."""
    of_the_names_alone = {"test_hookspecs.py", "test_docs.py"}
    tests = [file for file in (CHECKOUT / "tests").rglob("*.py") if file.name not in of_the_names_alone]
    texts = [file.read_text(encoding="utf-8") for file in (*tests, *(CHECKOUT / "examples").glob("*.py"))]
    assert any(re.search(rf"\b{hook}\b", text) for text in texts)


@pytest.mark.parametrize("error", [error.__name__ for error in make_reference.all_errors()])
def test_every_error_is_documented(error: str) -> None:
    assert f"## `{error}`\n\n" in documented("errors.md")
    assert f" {error} " in documented("errors.md").replace(error + "\n", f" {error} "), (
        "it is not in the tree"
    )


def settings() -> Iterator[tuple[str, str]]:
    for section, group in bundle.schema("config")["properties"].items():
        for key in group["properties"]:
            yield "configuration.md", f"{section}.{key}"
    for key in bundle.schema("config")["properties"]["crm"]["properties"]["entities"]["items"]["properties"]:
        yield "configuration.md", key
    for key in bundle.schema("external_account")["properties"]:
        yield "user-settings.md", key


@pytest.mark.parametrize(("page", "setting"), list(settings()))
def test_every_setting_is_documented(page: str, setting: str) -> None:
    assert f"| `{setting}` |" in documented(page)


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_links_and_pictures_resolve(page: Path) -> None:
    for link in LINK.findall(prose(page)):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_file(), f"{page_id(page)} links to {link}"
        assert not anchor or anchor in anchors(target), f"{page_id(page)} links to {link}"


def test_every_page_is_linked() -> None:
    """From the README, in one step or in several."""
    seen, waiting = set[Path](), [CHECKOUT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page.suffix != ".md" or page in seen:
            continue
        seen.add(page)
        links = [link.partition("#")[0] for link in LINK.findall(prose(page)) if "://" not in link]
        waiting += [(page.parent / link).resolve() for link in links if link]
    assert set(DOCS.rglob("*.md")) <= seen


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def reasons() -> set[str]:
    """The codes of parked items, and why links are detached, as the source says them."""
    calls = [
        call
        for file in (CHECKOUT / "calsync_plugin").rglob("*.py")
        if "sandbox" not in file.parts
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
    ]
    named = {"ItemError", "InvalidRecord", "InvalidEvent", "Refused", "Detach"}
    found = [
        word.value
        for call in calls
        if _called(call) in named
        for word in call.keywords
        if word.arg == "reason"
    ]
    found += [call.args[1] for call in calls if _called(call) == "_detach" and len(call.args) > 1]
    return {node.value for node in found if isinstance(node, ast.Constant) and isinstance(node.value, str)}


PAGES_OF_PEOPLE = (
    *(
        "accounts/asking",
        "accounts/connect",
        "accounts/outsiders",
        "accounts/signing_in",
        "accounts/switching",
    ),
    *("accounts/giving", "accounts/follow_again", "crm/sign_in", "graph/auth", "graph/registration"),
)
"""Modules whose refusals are read on a page."""


def refusals() -> set[str]:
    """What such a refusal always says, up to its first stop."""
    found = set[str]()
    for name in PAGES_OF_PEOPLE:
        tree = ast.parse((CHECKOUT / "calsync_plugin" / f"{name}.py").read_text(encoding="utf-8"))
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and _called(call) in {"UserError", "SignInRefused"} and call.args:
                words = [one.value for one in ast.walk(call.args[0]) if isinstance(one, ast.Constant)]
                longest = max((word for word in words if isinstance(word, str)), key=len, default="")
                found.add(re.split(r"[.;:(]", longest)[0].strip(" ,"))
    return found - {""}


@pytest.mark.parametrize("text", sorted(refusals()))
def test_every_refusal_of_a_page_is_explained(text: str) -> None:
    known = (DOCS / "how-to" / "troubleshooting.md").read_text(encoding="utf-8").lower()
    assert text.lower() in known


@pytest.mark.parametrize("reason", sorted(reasons()))
def test_every_reason_is_told_what_to_do_about(reason: str) -> None:
    text = (DOCS / "how-to" / "troubleshooting.md").read_text(encoding="utf-8")
    assert (reason if " " in reason else f"`{reason}`") in text


def test_pictures_are_small_and_used() -> None:
    pictures = list((DOCS / "pictures").iterdir())
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert pictures
    assert [p.name for p in pictures if p.stat().st_size > PICTURE_SIZE or p.name not in text] == []


def command_lines() -> Iterator[tuple[str, str]]:
    """Each line of a shell block that calls calsync, from whatever folder."""
    for page in PAGES:
        for text in blocks(page, "sh"):
            for line in text.replace("\\\n", " ").splitlines():
                words = shlex.split(line, comments=True)
                if words and Path(words[0]).name == "calsync":
                    yield page_id(page), shlex.join(words[1:])


def command_of(words: list[str]) -> tuple[click.Command, click.Context, list[str]]:
    """The innermost command that `words` begin with, its context, and the rest."""
    command: click.Command = calsync
    context = click.Context(calsync, info_name="calsync")
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        _, inner, words = command.resolve_command(context, words)
        assert inner is not None
        command, context = inner, click.Context(inner, info_name=inner.name, parent=context)
    return command, context, words


@pytest.mark.parametrize(("page", "line"), list(command_lines()))
def test_a_command_line_is_understood(page: str, line: str) -> None:
    command, _, rest = command_of(shlex.split(line))
    if rest == ["--version"]:
        return
    assert not isinstance(command, click.Group)
    command.make_context(command.name, list(rest))


def mentions() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for text in INLINE.findall(prose(page)):
            yield page_id(page), text


@pytest.mark.parametrize(("page", "mention"), list(mentions()))
def test_a_mentioned_command_exists(page: str, mention: str) -> None:
    """In running text arguments may be left out; command and options must exist."""
    command, context, rest = command_of(mention.split()[1:])
    known = {name for parameter in command.get_params(context) for name in parameter.opts}
    assert {word for word in rest if word.startswith("-")} <= known | {"--version"}


def yaml_examples() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for text in blocks(page, "yaml"):
            yield page_id(page), text


@pytest.mark.parametrize(("page", "text"), list(yaml_examples()))
def test_a_configuration_example_fits_the_schema(page: str, text: str) -> None:
    assert [(p.path, p.message) for p in bundle.check(yaml.safe_load(text), "config")] == []


def test_there_are_examples_to_check() -> None:
    """The patterns above find what the pages hold."""
    assert len(list(command_lines())) > 10
    assert len(list(mentions())) > 3
    assert len(list(yaml_examples())) >= 3
    assert len(reasons()) > 20
    assert len(refusals()) > 20
