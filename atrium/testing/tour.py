"""A browser that looks at each page of a plugin once, and remembers what it saw."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from granian.constants import Interfaces
from granian.server.embed import Server
from playwright.async_api import Browser, Page, Response

from atrium.testing.browser import axe
from atrium.testing.routes import Route
from atrium.testing.trial import Trial
from atrium.up.process import free_port
from core.auth.authority import LOCAL_COOKIE
from core.permissions import Role

WIDE: Final = {"width": 1440, "height": 900}
NARROW: Final = {"width": 360, "height": 780}


@dataclass(slots=True)
class Seen:
    """What was wrong with one page."""

    complaints: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    too_wide: list[int] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def heard(self, text: str) -> None:
        """Note a line of the browser's console."""
        (self.violations if "Content Security Policy" in text else self.complaints).append(text)

    def loaded(self, host: str, response: Response) -> None:
        """Note what was loaded."""
        if response.status >= 400 or urlsplit(response.url).netloc not in {host, ""}:
            self.missing.append(f"{response.status} {response.url}")


@dataclass(frozen=True, slots=True)
class Tour:
    """``address`` serves the trial's tenant ``here``."""

    trial: Trial
    browser: Browser
    address: str
    pages: dict[str, Seen] = field(default_factory=dict)

    async def seen(self, route: Route) -> Seen:
        """What is wrong with the page at ``route``, for somebody for whom it is meant."""
        if route.path not in self.pages:
            self.pages[route.path] = await self._look(route)
        return self.pages[route.path]

    async def _look(self, route: Route) -> Seen:
        seen, host = Seen(), urlsplit(self.address).netloc
        context = await self.browser.new_context(viewport=WIDE)  # type: ignore[arg-type]  # a ViewportSize
        try:
            if route.access.kind != "public":
                role = Role.MEMBER if route.access.kind == "member" else Role.OWNER
                token = await self._token(role)
                cookie = {"name": LOCAL_COOKIE, "value": token, "url": self.address}
                await context.add_cookies([cookie])  # type: ignore[list-item]  # a SetCookieParam
            page = await context.new_page()
            page.on("console", lambda m: seen.heard(m.text) if m.type == "error" else None)
            page.on("pageerror", lambda error: seen.heard(str(error)))
            page.on("response", lambda response: seen.loaded(host, response))
            await page.goto(self.address + route.path, wait_until="load")
            await self._measure(page, seen)
        finally:
            await context.close()
        return seen

    async def _measure(self, page: Page, seen: Seen) -> None:
        for size in (WIDE, NARROW):
            await page.set_viewport_size(size)  # type: ignore[arg-type]  # a ViewportSize
            if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                seen.too_wide.append(size["width"])
        for each in await axe(page):
            seen.findings.append(f"{each['id']}: {each['help']} at {', '.join(each['where'])}")

    async def _token(self, role: Role) -> str:
        site, tenant = self.trial.site, self.trial.here
        user_id = await site.enrol(tenant, role)
        async with site.world.databases.transaction(tenant) as session:
            return await site.sessions.begin(session, user_id)


@asynccontextmanager
async def tour_of(trial: Trial, browser: Browser) -> AsyncIterator[Tour]:
    """A tour of the trial's site, served by a real web server in this process."""
    port = free_port()
    server = Server(trial.site.edge, port=port, interface=Interfaces.ASGINL, log_enabled=False)
    serving = asyncio.create_task(server.serve())
    await _listening(port)
    try:
        yield Tour(trial, browser, f"http://{trial.here.slug}.localhost:{port}")
    finally:
        server.stop()  # type: ignore[no-untyped-call]  # theirs
        await serving


async def _listening(port: int) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return
