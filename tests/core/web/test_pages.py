"""Pages, fragments and redirects."""

from __future__ import annotations

import httpx


async def test_gallery_renders_in_both_shells(browser_like: httpx.AsyncClient) -> None:
    """Every component renders, and the strict policy stands on the page."""
    for path in ("/dev/gallery", "/dev/gallery/desk"):
        answer = await browser_like.get(path)
        assert answer.status_code == 200, answer.text
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert "Porto Drive" in answer.text
