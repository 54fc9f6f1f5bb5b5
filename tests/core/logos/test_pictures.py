"""What is kept of a file that somebody calls a logo."""

from __future__ import annotations

import os
import struct
import zlib
from io import BytesIO
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from core.errors import Invalid
from core.logos.pictures import MOST_BYTES, SIDE, draw


def picture(
    kind: str = "PNG", size: tuple[int, int] = (80, 40), color: object = "teal", **how: Any
) -> bytes:
    """A picture as a file."""
    mode = "RGBA" if isinstance(color, tuple) and len(color) == 4 else "RGB"
    out = BytesIO()
    Image.new(mode, size, color).save(out, kind, **how)  # type: ignore[arg-type]  # a colour
    return out.getvalue()


def drawing(color: tuple[int, int, int]) -> bytes:
    """A bar of ``color`` on nothing."""
    sheet = Image.new("RGBA", (200, 60))
    sheet.paste((*color, 255), (40, 20, 160, 40))
    out = BytesIO()
    sheet.save(out, "PNG")
    return out.getvalue()


def moving(kind: str) -> bytes:
    """Two frames."""
    out = BytesIO()
    frames = [Image.new("RGB", (20, 20), each) for each in ("red", "blue")]
    frames[0].save(out, kind, save_all=True, append_images=frames[1:])
    return out.getvalue()


def claiming(width: int, height: int) -> bytes:
    """A small PNG whose head says that it is large."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    chunk = struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
    return picture()[:8] + chunk + picture()[33:]


def opened(body: bytes) -> Image.Image:
    """``body`` as any browser would read it."""
    found = Image.open(BytesIO(body))
    found.load()
    return found


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_each_kind_becomes_a_small_picture(kind: str) -> None:
    """Large ones shrink and keep their proportions."""
    made = draw(picture(kind, (2000, 500)))
    assert opened(made.body).size == (SIDE, SIDE // 4)
    assert made.media_type == "image/png"
    assert made.name.endswith(".png")


def test_what_shows_through_still_does() -> None:
    """Alpha survives."""
    made = opened(draw(drawing((200, 120, 40))).body)
    assert made.convert("RGBA").getpixel((0, 0))[3] == 0  # type: ignore[index]  # four channels


@pytest.mark.parametrize(
    ("color", "tone"), [((10, 10, 30), "dark"), ((250, 250, 250), "light"), ((200, 120, 40), "")]
)
def test_a_logo_that_needs_a_ground_says_so(color: tuple[int, int, int], tone: str) -> None:
    """By its name, which the style sheet reads."""
    made = draw(drawing(color))
    assert made.tone == tone
    assert (f"-{tone}." in made.name) is bool(tone)


def test_a_ground_of_its_own_needs_none() -> None:
    """Black, but not transparent."""
    assert draw(picture(color="black")).tone == ""


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_noise_is_kept_small(mode: str) -> None:
    """What cannot be packed becomes smaller."""
    side = 700
    noise = Image.frombytes(mode, (side, side), os.urandom(side * side * len(mode)))
    out = BytesIO()
    noise.save(out, "PNG")
    assert len(draw(out.getvalue()).body) <= MOST_BYTES


def test_nothing_is_kept_but_pixels() -> None:
    """Neither comments nor what follows the picture: it is drawn anew."""
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "<script>alert(1)</script>")
    sent = picture(pnginfo=notes) + b"<script>alert(2)</script>PK\x03\x04"
    made = draw(sent).body
    assert b"script" not in made
    assert b"PK\x03\x04" not in made


def test_where_it_was_taken_is_forgotten() -> None:
    """EXIF goes, after it has told which side is up."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "at home"
    made = draw(picture("JPEG", (80, 40), exif=exif)).body
    assert opened(made).size == (40, 80)
    assert b"at home" not in made
    assert not opened(made).getexif()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "no PNG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "no PNG"),
        (b"%PDF-1.7", "no PNG"),
        (picture("GIF"), "no PNG"),
        (picture("BMP"), "no PNG"),
        (picture(size=(300, 300))[:120], "damaged"),
        (picture("JPEG", (300, 300))[:-500], "damaged"),
        (picture()[:45] + b"\0\0\0" + picture()[48:], "damaged"),
        (claiming(5000, 5000), "too many pixels"),
        (claiming(30_000, 30_000), "too many pixels"),
        (claiming(60_000, 1), "too many pixels"),
        (moving("PNG"), "moves"),
        (moving("WEBP"), "moves"),
        (picture(color=(0, 0, 0, 0)), "Nothing is to be seen"),
    ],
    ids=["empty", "svg", "pdf", "gif", "bmp", "cut-png", "cut-jpeg", "broken", "large", "bomb",
         "long", "moving-png", "moving-webp", "invisible"],
)  # fmt: skip
def test_anything_else_is_refused_with_what_to_do(body: bytes, says: str) -> None:
    """Beside the field."""
    with pytest.raises(Invalid, match=says) as refused:
        draw(body)
    assert [each.field for each in refused.value.errors] == ["logo"]
