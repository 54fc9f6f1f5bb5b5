"""Pages that search engines may find: each product names its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicPage:
    """A page that search engines may find: it stands in the business's ``/sitemap.xml``."""

    path: str
    """Its own path, without a query; the page says the same by ``Page(listed=…)``."""
    changed_on: date | None = None
    """When what it says last changed, if that is known."""
