"""Pictures that anybody may send, read with care and drawn anew.

Nothing of the file is kept: its pixels are drawn anew, so that what hides beside them (scripts,
places, names, a second format) stays behind.
"""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Final

import msgspec
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from core.compute import Refused

FORMATS: Final = ("PNG", "JPEG", "WEBP")
MOST_PIXELS: Final = 50_000_000
"""Of a photo: cameras of telephones take 48 to 50 million."""
LONGEST_SIDE: Final = 2_560
"""Pixels of what is kept of a photo: enough to see a scratch."""
LARGEST_PHOTO: Final = 25_000_000
"""Bytes of the file that is sent."""

NO_PICTURE: Final = "no_picture"
TOO_MANY_PIXELS: Final = "too_many_pixels"
MOVES: Final = "moves"
DAMAGED: Final = "damaged"

# What Pillow's readers raise on files that are cut short or made to hurt.
_BROKEN: Final = (
    OSError, SyntaxError, ValueError, EOFError, struct.error, ArithmeticError, LookupError,
    TypeError, AttributeError, MemoryError,
)  # fmt: skip
_BOMB: Final = (Image.DecompressionBombError, Image.DecompressionBombWarning)


class Photo(msgspec.Struct, frozen=True):
    """At most ``LONGEST_SIDE`` pixels wide and high, in sRGB and the right way up: a JPEG, or a
    PNG where something shows through it."""

    body: bytes
    media_type: str
    width: int
    height: int


def opened(body: bytes, *, longest_side: int, most_pixels: int) -> Image.Image:
    """The picture in a file, its pixels not yet read: first its size and integrity are looked at.

    Raises:
        Refused: NO_PICTURE, TOO_MANY_PIXELS, MOVES or DAMAGED.
    """
    try:
        checked = Image.open(BytesIO(body), formats=FORMATS)
        width, height = checked.size
        if max(width, height) > longest_side or width * height > most_pixels:
            raise Refused(TOO_MANY_PIXELS)
        if getattr(checked, "n_frames", 1) > 1 and checked.format != "MPO":
            raise Refused(MOVES)
        checked.verify()
        return Image.open(BytesIO(body), formats=FORMATS)  # verifying has used the first one up
    except UnidentifiedImageError:
        raise Refused(NO_PICTURE) from None
    except _BOMB:
        raise Refused(TOO_MANY_PIXELS) from None
    except _BROKEN:
        raise Refused(DAMAGED) from None


def loaded(picture: Image.Image) -> Image.Image:
    """The same the right way up, every pixel read.

    Raises:
        Refused: DAMAGED or TOO_MANY_PIXELS.
    """
    try:
        picture.load()
        return ImageOps.exif_transpose(picture)
    except _BOMB:
        raise Refused(TOO_MANY_PIXELS) from None
    except _BROKEN:
        raise Refused(DAMAGED) from None


def saved(picture: Image.Image, kind: str) -> bytes:
    """The pixels alone as a file of ``kind``."""
    picture.info.clear()  # what savers would write again: comments, EXIF, colour profiles
    out = BytesIO()
    picture.save(out, kind, quality=82, optimize=True)
    return out.getvalue()


def photo(body: bytes) -> Photo:
    """A photo as it is kept. For ``core.compute``: fifty million pixels take time and memory.

    Raises:
        Refused: as ``opened`` and ``loaded`` do.
    """
    sent = opened(body, longest_side=20_000, most_pixels=MOST_PIXELS)
    # A JPEG is decoded at half or a quarter of its size where that is still enough. The size asked
    # for has the picture's own proportions: Pillow looks at both sides.
    scale = LONGEST_SIDE / max(sent.size)
    if scale < 1:
        sent.draft(None, (round(sent.width * scale), round(sent.height * scale)))
    profile = sent.info.get("icc_profile")
    drawn = loaded(sent)
    drawn.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    plain = _in_srgb(drawn, profile)
    kind = "PNG" if plain.mode == "RGBA" else "JPEG"
    return Photo(saved(plain, kind), f"image/{kind.lower()}", *plain.size)


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """In the colours that every screen means; a profile that cannot be read is passed over."""
    mode = "RGBA" if _shows_through(picture) else "RGB"
    if profile and picture.mode in {"RGB", "RGBA", "CMYK", "L"}:
        try:
            meant = ImageCms.ImageCmsProfile(BytesIO(profile))
            srgb = ImageCms.createProfile("sRGB")
            found = ImageCms.profileToProfile(picture, meant, srgb, outputMode=mode)
        except (ImageCms.PyCMSError, *_BROKEN):
            found = None
        if found is not None:
            return found
    return picture.convert(mode)


def _shows_through(picture: Image.Image) -> bool:
    if not picture.has_transparency_data:
        return False
    return picture.convert("RGBA").getchannel("A").getextrema() != (255, 255)
