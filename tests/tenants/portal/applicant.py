"""Somebody who signs a business up, by what a browser sends."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Self

import httpx

from atrium.testing.site import OWN_PAGES, Site

PASSWORD = "correct horse staple"  # of a person who does not exist
STEPS = ("business", "products", "hosting", "address", "owner")


@dataclass(frozen=True, slots=True)
class Applicant:
    """A browser with its cookies; ``answers`` is what is typed at each step."""

    client: httpx.AsyncClient
    slug: str
    email: str
    answers: dict[str, dict[str, object]] = field(default_factory=dict)

    @classmethod
    def at(cls, site: Site, client: httpx.AsyncClient | None = None) -> Self:
        """Somebody at the portal, from an address of their own: sources are throttled."""
        slug = f"shop-{secrets.token_hex(5)}"
        email = f"owner@{slug}.example"
        answers: dict[str, dict[str, object]] = {
            "business": {"name": "Lia's Wheels", "zone": "Europe/Lisbon", "currency": "EUR"},
            "products": {"products": ["car_hire"]},
            "hosting": {"hosting": "pooled"},
            "address": {"slug": slug},
            "owner": {"name": "Lia Rocha", "email": email, "password": PASSWORD},
        }
        return cls(client or stranger(site), slug, email, answers)

    async def answer(self, step: str, go: str = "next", **changed: object) -> httpx.Response:
        """Send one step."""
        typed = {**self.answers[step], **changed, "go": go}
        return await self.client.post(f"/sign-up/{step}", data=typed)

    async def fill(self) -> None:
        """Answer everything, up to the review."""
        await self.client.get("/sign-up")
        for step in STEPS:
            answer = await self.answer(step)
            assert answer.status_code == 303, answer.text

    async def submit(self) -> httpx.Response:
        """Press the last button."""
        return await self.client.post("/sign-up/review")


def stranger(site: Site) -> httpx.AsyncClient:
    """A browser at the portal, from an address of its own."""
    host = ".".join(["10", *(str(secrets.randbelow(256)) for _ in range(3))])
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(
            app=site.edge,  # type: ignore[arg-type]  # the same protocol in other words
            raise_app_exceptions=False,
            client=(host, 40000),
        ),
        base_url=site.world.directory.url_of(site.world.platform, ""),
        headers=OWN_PAGES | {"accept": "text/html", "accept-language": "en"},
    )
