"""Markdown that strangers wrote, as HTML that is safe to show.

Two walls: the parser takes no HTML in, and the cleaner lets none out that is not listed. There
are no pictures, which would tell another host who reads.

A text of some thousand brackets or empty cells takes seconds to read, and anybody may ask for the
page that shows it: so each is read once, in a thread that reads one after the other.
"""

from __future__ import annotations

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Final

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markupsafe import Markup

_TAGS: Final = {
    "a", "blockquote", "br", "code", "em", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p",
    "pre", "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_ATTRIBUTES: Final = {"a": {"href", "title"}, "ol": {"start"}}
_SCHEMES: Final = {"http", "https", "mailto", "tel"}
_LOWEST: Final = 6
_KEPT: Final = 64
"""Texts of which the HTML is kept; the longest are some 800 KB."""


def _below_the_page(state: StateCore) -> None:
    """The page's own heading is the first: those of the text go below it."""
    for token in state.tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1]) + 1, _LOWEST)}"


_markdown: Final = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_markdown.disable("image")
_markdown.core.ruler.push("below_the_page", _below_the_page)


_reader: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="terms")


async def shown(markdown: str) -> Markup:
    """``rendered``, to be awaited in ``core.db.outside``: it may take seconds."""
    return await asyncio.get_running_loop().run_in_executor(_reader, rendered, markdown)


@lru_cache(maxsize=_KEPT)
def rendered(markdown: str) -> Markup:
    """``markdown`` (CommonMark, tables, no HTML, no pictures) for a page."""
    clean = nh3.clean(
        _markdown.render(markdown),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel="noopener noreferrer nofollow",
    )
    return Markup(clean)  # noqa: S704  # cleaned one line above


def digest_of(markdown: str) -> str:
    """SHA-256 of the text as it was published, in hexadecimal."""
    return hashlib.sha256(markdown.encode()).hexdigest()
