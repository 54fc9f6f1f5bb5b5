"""A tenant's colour as a style sheet of its own: no inline style, so the policy stays strict."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from litestar import Response, get

from core.colors import ink_on, readable_on_white
from core.permissions import public
from core.scope import Brand, current

_COLOR: Final = re.compile(r"#[0-9a-fA-F]{6}")
_FALLBACK: Final = Brand().color


def style_sheet(
    brand: Brand, every: str = ":root", light: str = ':root:not([data-bs-theme="dark"])'
) -> str:
    """The custom properties that carry ``brand``; a malformed colour falls back to ours.

    ``every`` and ``light`` are selectors: of what wears it, and of what does so on white.
    """
    color = brand.color if _COLOR.fullmatch(brand.color) else _FALLBACK
    return (
        f"{every}{{--at-brand:{color};--at-brand-ink:{ink_on(color)}}}"
        f"{light}{{--at-brand-text:{readable_on_white(color)}}}"
    )


def brand_version(brand: Brand) -> str:
    """A short hash of the style sheet."""
    return hashlib.sha256(style_sheet(brand).encode()).hexdigest()[:12]


@get("/brand.css", access=public, include_in_schema=False)
async def serve_brand() -> Response[str]:
    """The style sheet of the tenant being served."""
    brand = current().brand
    return Response(
        style_sheet(brand),
        media_type="text/css",
        headers={"etag": f'"{brand_version(brand)}"', "cache-control": "public, max-age=86400"},
    )
