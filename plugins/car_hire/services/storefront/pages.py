"""Which pages of the site search engines may find."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from core.public_pages import PublicPage
from plugins.car_hire.services.branches import network
from plugins.car_hire.services.storefront.addresses import (
    BRANCHES,
    CONDITIONS,
    QUESTIONS,
    SITE,
    by_word,
)
from plugins.car_hire.services.storefront.showing import paths_of_classes


async def public_pages(session: AsyncSession) -> Sequence[PublicPage]:
    """The search, a page of each class and branch, the conditions and questions: two statements."""
    words = by_word((await network.read(session)).in_use)
    paths = [
        SITE,
        *await paths_of_classes(session),
        BRANCHES,
        *(f"{BRANCHES}/{word}" for word in words),
        CONDITIONS,
        QUESTIONS,
    ]
    return [PublicPage(path=path) for path in paths]
