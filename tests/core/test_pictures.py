"""What is kept of a photo."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from core import compute
from core.pictures import LONGEST_SIDE, photo
from tests.core.logos.test_pictures import claiming, moving, opened, picture

ORIENTATIONS = range(1, 9)


def quartered(orientation: int) -> bytes:
    """A photo, red above left when it is shown as a camera meant it; with a place and a name."""
    upright = Image.new("RGB", (400, 200), "white")
    upright.paste("red", (0, 0, 200, 100))
    turned = {
        2: [Image.Transpose.FLIP_LEFT_RIGHT], 3: [Image.Transpose.ROTATE_180],
        4: [Image.Transpose.FLIP_TOP_BOTTOM], 5: [Image.Transpose.TRANSPOSE],
        6: [Image.Transpose.ROTATE_90], 7: [Image.Transpose.TRANSVERSE],
        8: [Image.Transpose.ROTATE_270],
    }  # fmt: skip
    for turn in turned.get(orientation, []):
        upright = upright.transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Maria's telephone"
    out = BytesIO()
    upright.save(out, "JPEG", exif=exif, quality=95)
    return out.getvalue()


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_photo_is_kept_the_right_way_up(orientation: int) -> None:
    """However the camera was held, and without what it noted."""
    kept = photo(quartered(orientation))
    shown = opened(kept.body).convert("RGB")
    assert shown.size == (kept.width, kept.height) == (400, 200)
    above_left, below_right = shown.crop((40, 40, 60, 60)), shown.crop((340, 140, 360, 160))
    red, green, _blue = above_left.getextrema()
    assert red[0] > 200 > 100 > green[1]
    assert min(low for low, _high in below_right.getextrema()) > 200
    assert b"Maria" not in kept.body


def test_a_large_photo_becomes_smaller() -> None:
    kept = photo(picture("JPEG", (5000, 3000)))
    assert (kept.width, kept.height) == (LONGEST_SIDE, 1536)
    assert kept.media_type == "image/jpeg"


def test_what_shows_through_still_does() -> None:
    """A signature is drawn on nothing."""
    kept = photo(picture("PNG", (60, 40), (0, 0, 0, 0)))
    assert kept.media_type == "image/png"
    assert opened(kept.body).getchannel("A").getextrema() == (0, 0)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "no_picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no_picture"),
        (picture("GIF"), "no_picture"),
        (moving("WEBP"), "moves"),
        (claiming(10_000, 10_000), "too_many_pixels"),
        (claiming(60_000, 10), "too_many_pixels"),
        (picture("JPEG", (900, 900))[:-300], "damaged"),
    ],
    ids=["empty", "svg", "gif", "moving", "giant", "long", "cut"],
)
def test_other_files_are_refused_by_name(body: bytes, reason: str) -> None:
    with pytest.raises(compute.Refused, match=reason):
        photo(body)


async def test_fifty_million_pixels_fit_its_process() -> None:
    """The largest that is taken, as PNG, which cannot be read smaller."""
    kept = await compute.run(photo, picture("PNG", (8000, 6200), compress_level=1))
    assert kept.width == LONGEST_SIDE


def test_a_photo_as_a_telephone_takes_it(tmp_path: Path) -> None:
    """Several pictures in one file (MPO), of which the first is meant."""
    out = BytesIO()
    frames = [Image.new("RGB", (200, 100), each) for each in ("teal", "red")]
    frames[0].save(out, "MPO", save_all=True, append_images=frames[1:])
    kept = photo(out.getvalue())
    assert (kept.width, kept.height) == (200, 100)
