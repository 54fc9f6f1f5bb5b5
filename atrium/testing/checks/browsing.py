"""Pages in a browser: silent, obedient to their policy, accessible, and no wider than a phone."""

from __future__ import annotations

from collections.abc import AsyncIterator

from atrium.testing.checks.candidate import Candidate
from atrium.testing.checks.check import Check, for_each
from atrium.testing.checks.rendering import pages
from atrium.testing.routes import Route
from atrium.testing.tour import Tour


async def the_page_is_silent(tour: Tour, route: Route) -> AsyncIterator[str]:
    """What a browser complains of does not work for somebody."""
    for line in (await tour.seen(route)).complaints:
        yield line


async def the_page_keeps_its_policy(tour: Tour, route: Route) -> AsyncIterator[str]:
    """What the Content-Security-Policy refuses is missing from the page."""
    for line in (await tour.seen(route)).violations:
        yield line


async def the_page_is_accessible(tour: Tour, route: Route) -> AsyncIterator[str]:
    """axe-core finds nothing serious: people with a screen reader or a keyboard can use it."""
    for finding in (await tour.seen(route)).findings:
        yield finding


async def the_page_fits_a_phone(tour: Tour, route: Route) -> AsyncIterator[str]:
    """At 360 pixels nothing sticks out sideways."""
    for width in (await tour.seen(route)).too_wide:
        yield f"at {width} px it has to be scrolled sideways"


async def what_the_page_needs_is_there(tour: Tour, route: Route) -> AsyncIterator[str]:
    """Pictures, scripts and styles load, all from the tenant's own host."""
    for line in (await tour.seen(route)).missing:
        yield line


def in_a_browser(it: Candidate) -> list[Check]:
    """The checks that need a browser."""
    return for_each(
        pages(it),
        the_page_is_silent,
        the_page_keeps_its_policy,
        the_page_is_accessible,
        the_page_fits_a_phone,
        what_the_page_needs_is_there,
    )
