"""Chromium for the browser tests, and axe-core's findings on a page."""

from __future__ import annotations

import os
import shutil
from functools import cache
from typing import Any

import pytest
from playwright.async_api import Page

from atrium.up.servers import ROOT

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

_AXE = ROOT / "node_modules/axe-core/axe.min.js"
_SETTLED = """Promise.allSettled(document.getAnimations()
    .filter(each => each instanceof CSSTransition).map(each => each.finished))"""
_RUN = """async () => (await axe.run(document, {resultTypes: ['violations']})).violations
    .filter(({impact}) => ['serious', 'critical'].includes(impact))
    .map(({id, impact, help, nodes}) =>
        ({id, impact, help, where: nodes.map(node => node.target.join(' '))}))"""


@cache
def _script() -> str:
    return _AXE.read_text(encoding="utf-8")


def chromium() -> tuple[str, list[str]]:
    """The path and arguments of the machine's Chromium; the test skips where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found, ARGUMENTS
    message = "no Chromium here: install Debian's package chromium to run the browser tests"
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


async def axe(page: Page) -> list[dict[str, Any]]:
    """axe-core's serious and critical findings on ``page``: rule, help and where.

    Raises:
        FileNotFoundError: axe-core is not installed; it comes with ``make env``.
    """
    # A colour on its way from one to the other is neither.
    await page.evaluate(_SETTLED)
    await page.evaluate(_script())  # not as an element: the page's policy would refuse one
    findings: list[dict[str, Any]] = await page.evaluate(_RUN)
    return findings
