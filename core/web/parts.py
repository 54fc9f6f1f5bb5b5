"""What the web part of core adds to an application: its routes, hooks and error handlers."""

from __future__ import annotations

from typing import Final

from litestar.handlers import HTTPRouteHandler

from core.logos.routes import serve_logo
from core.mail.routes import letter, letter_html, letters
from core.storage.routes import serve_file
from core.web.brand import serve_brand
from core.web.gallery import gallery, gallery_desk, gallery_send
from core.web.robots import robots, sitemap
from core.web.static import serve

HANDLERS: Final[tuple[HTTPRouteHandler, ...]] = (
    serve,
    serve_brand,
    serve_logo,
    serve_file,
    robots,
    sitemap,
)
"""Of every application."""

DEVELOPMENT_HANDLERS: Final[tuple[HTTPRouteHandler, ...]] = (
    gallery,
    gallery_desk,
    gallery_send,
    letters,
    letter,
    letter_html,
)
"""Only where ``settings.development``."""
