"""Markdown of strangers becomes HTML in which nothing runs and nothing is loaded."""

from __future__ import annotations

import asyncio

import pytest

from core.terms.text import rendered, shown


@pytest.mark.parametrize(
    "markdown",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "![x](https://spy.example/pixel.png)",
        "<img src=x onerror=alert(1)>",
        "<a href='https://x' onclick='alert(1)'>x</a>",
        '[x]( "onmouseover=alert(1)")',
        "<style>body{display:none}</style>",
        "`<iframe src=x>`",
    ],
)
def test_nothing_runs_and_nothing_is_loaded(markdown: str) -> None:
    """Neither as a tag nor as an address."""
    html = str(rendered(markdown)).lower()
    for wrong in (
        "<script",
        "<img",
        "<style",
        "<iframe",
        'href="javascript',
        'href="data',
        "<a onclick",
    ):
        assert wrong not in html


def test_headings_go_below_the_page_s_own() -> None:
    """The page has the only h1; tables, lists and links stay."""
    html = str(rendered("# One\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n- [x](https://example.com)"))
    assert "<h2>One</h2>" in html
    assert "<table>" in html
    assert '<a href="https://example.com" rel="noopener noreferrer nofollow">x</a>' in html


async def test_a_tangled_text_holds_nobody_up() -> None:
    """Some businesses' texts take seconds to read, and all businesses share a process."""
    tangled = "|" + "a|" * 300 + "\n|" + "-|" * 300 + "\n" + "|x\n" * 3_000
    reading, turns = asyncio.create_task(shown(tangled)), 0
    while not reading.done():
        turns += 1
        await asyncio.sleep(0.005)
    assert turns > 10
    assert await shown(tangled) is reading.result(), "it is read once"
