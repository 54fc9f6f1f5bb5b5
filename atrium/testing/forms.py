"""A form of a page, as a browser would send it back unchanged."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass(slots=True)
class PostedForm:
    """Where a form is sent, and what."""

    action: str
    values: dict[str, str] = field(default_factory=dict)


def fields_of(page: str, path: str) -> PostedForm:
    """The first form of ``page`` whose action begins with ``path``.

    Raises:
        LookupError: there is none.
    """
    reader = _Reader(path)
    reader.feed(page)
    if reader.form is None:
        raise LookupError(f"the page has no form for {path}")
    return reader.form


class _Reader(HTMLParser):
    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path
        self.form: PostedForm | None = None
        self._within = False
        self._select = ""
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            action = given.get("action") or ""
            self._within = self.form is None and action.startswith(self.path)
            if self._within:
                self.form = PostedForm(action)
        if self.form is None or not self._within:
            return
        name = given.get("name") or ""
        match tag:
            case "input" if name:
                if given.get("type") not in {"checkbox", "radio"}:
                    self.form.values[name] = given.get("value") or ""
                elif "checked" in given:
                    self.form.values[name] = given.get("value") or "on"
            case "select":
                self._select = name
            case "option" if "selected" in given:
                self.form.values[self._select] = given.get("value") or ""
            case "textarea":
                self._text = name
                self.form.values[name] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._within = False
        elif tag == "textarea":
            self._text = ""

    def handle_data(self, data: str) -> None:
        if self.form is not None and self._within and self._text:
            self.form.values[self._text] += data
