"""Markdown of strangers becomes HTML in which nothing runs and nothing is loaded."""

from __future__ import annotations

import asyncio
import time

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
    longest, over = 0.0, asyncio.Event()

    async def others() -> None:
        nonlocal longest
        while not over.is_set():
            before = time.perf_counter()
            await asyncio.sleep(0)
            longest = max(longest, time.perf_counter() - before)
            await asyncio.sleep(0.005)

    watching = asyncio.create_task(others())
    began = time.perf_counter()
    first = await shown(tangled)
    took = time.perf_counter() - began
    over.set()
    await watching
    assert longest < took / 2
    began = time.perf_counter()
    assert await shown(tangled) is first
    assert time.perf_counter() - began < took / 2, "it is read once"
