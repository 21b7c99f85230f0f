"""What a browser would send of the form on a page: its fields with their values, as HTML says them."""

from __future__ import annotations

from html.parser import HTMLParser


class _Form(HTMLParser):
    """Collects the successful controls of the form with the most fields (HTML standard, form submission)."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[list[tuple[str, str]]] = []
        self._select = ""
        self._options: list[tuple[str, bool]] = []
        self._area: tuple[str, list[str]] | None = None
        self._off = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        about = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append([])
        if tag == "fieldset" and (self._off or "disabled" in about):
            self._off += 1
        if not self.forms or "disabled" in about or self._off:
            return
        match tag:
            case "input":
                self._input(about)
            case "select":
                self._select, self._options = about.get("name", ""), []
            case "option" if self._select:
                self._options.append((about.get("value", ""), "selected" in about))
            case "textarea":
                self._area = (about.get("name", ""), [])

    def _input(self, about: dict[str, str]) -> None:
        kind = about.get("type", "text")
        if kind in {"submit", "button"} or not about.get("name"):
            return
        if kind in {"checkbox", "radio"} and "checked" not in about:
            return
        self.forms[-1].append((about["name"], about.get("value", "on")))

    def handle_data(self, data: str) -> None:
        if self._area:
            self._area[1].append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "fieldset" and self._off:
            self._off -= 1
        if tag == "textarea" and self._area:
            self.forms[-1].append(
                (self._area[0], "".join(self._area[1]).removeprefix("\r\n").removeprefix("\n"))
            )
            self._area = None
        if tag == "select" and self._select:
            chosen = [value for value, selected in self._options if selected] or [
                v for v, _ in self._options[:1]
            ]
            self.forms[-1] += [(self._select, value) for value in chosen]
            self._select = ""


def fields(html: str) -> dict[str, list[str]]:
    """The fields of the largest form of a page, each with its values, without the form's token."""
    parser = _Form()
    parser.feed(html)
    found: dict[str, list[str]] = {}
    for name, value in max(parser.forms, key=len, default=[]):
        found.setdefault(name, []).append(value)
    found.pop("csrf_token", None)
    return found
