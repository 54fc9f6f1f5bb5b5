"""``/robots.txt`` and ``/sitemap.xml``: what search engines may read of a business's site.

Pages are listed by the plugins whose they are (``Plugin.public_pages``). The portal and desks are
nobody's to find; neither is what only whoever is signed in may see.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final
from xml.sax.saxutils import quoteattr

import structlog
from litestar import Response, get
from sqlalchemy.ext.asyncio import AsyncSession

from core import plugin_failures
from core.contained import contained
from core.db import lost_its_transaction
from core.errors import NotFound
from core.i18n import LOCALES
from core.mail.office import address_of
from core.permissions import public
from core.plugin import Plugin, Plugins
from core.public_pages import PublicPage
from core.scope import current
from core.web.http import AnyRequest, Session
from core.web.listed import address_in, alternates
from core.web.navigation import served

KEPT: Final = "public, max-age=3600"
PRIVATE: Final = (
    "/account", "/api/", "/dev/", "/enter", "/notifications", "/settings/", "/sign-in", "/sign-up",
)  # fmt: skip
"""Core's own pages that say nothing to a stranger."""
MOST: Final = 50_000 // len(LOCALES)
"""Pages: a sitemap holds so many addresses (sitemaps.org), and each page has one a language."""
BUDGET: Final = 2.0
"""Seconds that a plugin may take to name its pages."""

log = structlog.get_logger(__name__)


@get("/robots.txt", access=public, include_in_schema=False, media_type="text/plain")
async def robots(request: AnyRequest) -> Response[str]:
    """What crawlers should leave alone (RFC 9309)."""
    if current().is_platform:
        return _kept("User-agent: *\nDisallow: /\n", "text/plain")
    plugins: Plugins = request.app.state.plugins
    hidden = [*PRIVATE, *(each.desk for each in served(plugins) if each.desk)]
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in sorted(hidden))]
    return _kept("\n".join([*lines, f"Sitemap: {address_of('/sitemap.xml')}", ""]), "text/plain")


@get("/sitemap.xml", access=public, include_in_schema=False, media_type="application/xml")
async def sitemap(request: AnyRequest, session: Session) -> Response[str]:
    """Every page that the business's products list, in each language.

    Raises:
        NotFound: this is the portal.
    """
    if current().is_platform:
        raise NotFound
    plugins: Plugins = request.app.state.plugins
    pages = [page for each in served(plugins) for page in await _pages_of(session, each)]
    return _kept(_drawn(pages[:MOST]), "application/xml")


async def _pages_of(session: AsyncSession, plugin: Plugin) -> Sequence[PublicPage]:
    """What ``plugin`` lists; nothing if it fails, so that the others are found all the same."""
    if plugin.public_pages is None:
        return ()
    try:
        async with contained(session, BUDGET):
            return await plugin.public_pages(session)
    except Exception as problem:  # a plugin's own code may raise anything
        if lost_its_transaction(problem):
            raise
        log.exception("sitemap.failed", plugin=plugin.name)
        await plugin_failures.note(session, plugin.name, "sitemap", problem)
        return ()


def _drawn(pages: Iterable[PublicPage]) -> str:
    entries = (_entry(page, code) for page in pages for code in LOCALES)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
        ' xmlns:xhtml="http://www.w3.org/1999/xhtml">\n' + "".join(entries) + "</urlset>\n"
    )


def _entry(page: PublicPage, code: str) -> str:
    links = "".join(
        f'<xhtml:link rel="alternate" hreflang="{each}" href={quoteattr(address)}/>'
        for each, address in alternates(page.path)
    )
    address = quoteattr(address_in(page.path, code))[1:-1]
    changed = f"<lastmod>{page.changed_on.isoformat()}</lastmod>" if page.changed_on else ""
    return f"<url><loc>{address}</loc>{changed}{links}</url>\n"


def _kept(body: str, media_type: str) -> Response[str]:
    etag = hashlib.sha256(body.encode()).hexdigest()[:20]
    headers = {"cache-control": KEPT, "etag": f'"{etag}"'}
    return Response(body, media_type=media_type, headers=headers)
