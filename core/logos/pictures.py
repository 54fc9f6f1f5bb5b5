"""From a file that anybody may send to a small picture that everybody may see."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageStat

from core import pictures
from core.compute import Refused
from core.errors import Invalid
from core.i18n import LazyText, _

LARGEST_SIDE: Final = 6_000
MOST_PIXELS: Final = 16_000_000
"""Of what is sent: some 64 MB while it is read."""
SIDE: Final = 512
"""Pixels; of what is kept, and drawn at 28 to 56."""
MOST_BYTES: Final = 200_000
_DARK: Final = 100
_LIGHT: Final = 185
"""Mean brightness, of 255, below or above which a transparent logo is lost on such a ground."""

# One at a time: a decoder takes memory, and the threads that others wait for stay free.
_READERS: Final = ThreadPoolExecutor(1, thread_name_prefix="logo")

_NO_PICTURE: Final = _("This is no PNG, JPEG or WebP picture; save your logo as one of these.")
_TOO_MANY: Final = _(
    "This picture has too many pixels; make it at most 4,000 pixels wide and high."
)
_MOVES: Final = _("This picture moves or has several pages; choose a still one.")
_INCOMPLETE: Final = _("This file is damaged or incomplete; export the logo again.")
_INVISIBLE: Final = _("Nothing is to be seen in this picture; choose one that is not transparent.")

_WHY: Final[dict[str, LazyText]] = {
    pictures.NO_PICTURE: _NO_PICTURE,
    pictures.TOO_MANY_PIXELS: _TOO_MANY,
    pictures.MOVES: _MOVES,
    pictures.DAMAGED: _INCOMPLETE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """At most ``SIDE`` pixels wide and high and ``MOST_BYTES`` long.

    ``tone`` is ``dark`` or ``light`` for a transparent picture that needs the opposite behind
    it, else empty.
    """

    body: bytes
    media_type: str
    tone: str

    @property
    def name(self) -> str:
        """What it is called: its content's digest, its tone and its kind."""
        digest = hashlib.sha256(self.body).hexdigest()[:32]
        kind = "png" if self.media_type == "image/png" else "jpg"
        return f"{digest}{'-' if self.tone else ''}{self.tone}.{kind}"


async def read(body: bytes) -> Picture:
    """The logo that the file ``body`` holds, read off the event loop.

    Raises:
        Invalid: at ``logo``, with what to do about it.
    """
    return await asyncio.get_running_loop().run_in_executor(_READERS, draw, body)


def draw(body: bytes) -> Picture:
    """The same, at once.

    Raises:
        Invalid: likewise.
    """
    try:
        sent = pictures.opened(body, longest_side=LARGEST_SIDE, most_pixels=MOST_PIXELS)
        return _encoded(_shrunk(pictures.loaded(sent)))
    except Refused as refused:
        raise Invalid(_WHY[refused.reason], field="logo") from None


def _shrunk(sent: Image.Image) -> Image.Image:
    picture = sent.convert("RGBA")
    picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    if picture.getchannel("A").getbbox() is None:
        raise Invalid(_INVISIBLE, field="logo")
    return picture


def _encoded(picture: Image.Image) -> Picture:
    """As PNG; what would be too long so in fewer colours, as JPEG where nothing shows through,
    or smaller yet: at an eighth of ``SIDE`` anything fits."""
    tone = _tone(picture)
    opaque = picture.getchannel("A").getextrema() == (255, 255)
    side = SIDE
    while True:
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
        for kind, form in _forms(picture, opaque=opaque):
            body = pictures.saved(form, kind)
            if len(body) <= MOST_BYTES:
                return Picture(body=body, media_type=f"image/{kind.lower()}", tone=tone)
        side //= 2


def _forms(picture: Image.Image, *, opaque: bool) -> Iterator[tuple[str, Image.Image]]:
    if opaque:
        yield "PNG", picture.convert("RGB")
        yield "JPEG", picture.convert("RGB")
    else:
        yield "PNG", picture
        yield "PNG", picture.quantize(256, Image.Quantize.FASTOCTREE)


def _tone(picture: Image.Image) -> str:
    """Of the visible part; empty where the picture brings its own ground."""
    alpha = picture.getchannel("A")
    seen = alpha.point([0] * 64 + [255] * 192)
    shown = ImageStat.Stat(picture.convert("L"), mask=seen)
    if shown.count[0] in {0, picture.width * picture.height}:
        return ""
    return "dark" if shown.mean[0] < _DARK else "light" if shown.mean[0] > _LIGHT else ""
