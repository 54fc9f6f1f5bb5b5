"""Photos of the demo's cars: drawn, so that no picture need be kept among the sources."""

from __future__ import annotations

from io import BytesIO
from typing import Final

from PIL import Image, ImageColor, ImageDraw, ImageFilter

SIZE: Final = (640, 480)
_PAINT: Final = {
    "white": "#e9ebee", "blue": "#2f5d9b", "yellow": "#e0b83a", "red": "#a8322f",
    "grey": "#7c828b", "black": "#26292e", "brown": "#6d5240", "silver": "#b9bfc7",
}  # fmt: skip
_GLASS: Final = "#33414f"
_FLANK: Final = ((60, 330), (66, 280), (120, 258), (196, 192), (400, 188), (482, 250), (570, 268),
                 (586, 330))  # fmt: skip
_WINDOWS: Final = ((150, 256), (206, 204), (392, 200), (456, 252))
_END: Final = ((170, 350), (166, 270), (214, 190), (426, 190), (474, 270), (470, 350))
_PANE: Final = ((206, 258), (232, 206), (408, 206), (434, 258))


def side(view: str, colour: str) -> bytes:
    """A car in a yard from one of the eight sides, as a JPEG."""
    picture = _yard()
    pen = ImageDraw.Draw(picture)
    paint = _paint(colour)
    if view in {"left", "right"}:
        _flank(pen, paint)
    elif view in {"front", "rear"}:
        _end(pen, paint, "#fff4c2" if view == "front" else "#c8322b", 1.0)
    else:
        _flank(pen, paint)
        _end(pen, _darker(paint), "#fff4c2" if view.startswith("front") else "#c8322b", 0.6, 505)
    if view in {"right", "rear_right", "front_left"}:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return _jpeg(picture)


def close_up(kind: str, colour: str) -> bytes:
    """Damage from near by, as a JPEG."""
    paint = _paint(colour)
    picture = Image.new("RGB", SIZE, paint)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 0, 640, 60), fill=_darker(paint))
    if kind == "dent":
        for ring in range(9):
            shade = tuple(max(0, part - 9 * ring) for part in paint)
            pen.ellipse((180 + 12 * ring, 150 + 9 * ring, 460 - 12 * ring, 350 - 9 * ring), shade)
    else:
        bare = "#5a5f66" if sum(paint) > 500 else "#d9dde2"
        for line in range(5):
            at = 190 + 22 * line
            pen.line((120, at, 330, at + 26, 520, at - 8), fill=bare, width=2 + line % 3)
    return _jpeg(picture.filter(ImageFilter.GaussianBlur(1)))


def _yard() -> Image.Image:
    picture = Image.new("RGB", SIZE, "#c9d3da")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 300, 640, 480), fill="#8d9296")
    for at in range(40, 640, 150):
        pen.line((at, 340, at - 60, 480), fill="#dcdfe1", width=5)
    pen.ellipse((60, 340, 590, 400), fill="#6f7478")
    return picture


def _flank(pen: ImageDraw.ImageDraw, paint: tuple[int, ...]) -> None:
    pen.polygon(_FLANK, fill=paint)
    pen.polygon(_WINDOWS, fill=_GLASS)
    pen.line((300, 200, 306, 330), fill=_darker(paint), width=4)
    for at in (160, 480):
        pen.ellipse((at - 44, 286, at + 44, 374), fill="#1d1f22")
        pen.ellipse((at - 22, 308, at + 22, 352), fill="#b8bcc1")


def _end(
    pen: ImageDraw.ImageDraw, paint: tuple[int, ...], lamp: str, width: float, middle: int = 320
) -> None:
    def at(points: tuple[tuple[int, int], ...]) -> list[tuple[float, float]]:
        return [(middle + (x - 320) * width, y) for x, y in points]

    pen.polygon(at(_END), fill=paint)
    pen.polygon(at(_PANE), fill=_GLASS)
    for lamp_at in ((176, 282, 222, 304), (418, 282, 464, 304)):
        (left, top), (right, bottom) = at(((lamp_at[0], lamp_at[1]), (lamp_at[2], lamp_at[3])))
        pen.ellipse((left, top, right, bottom), fill=lamp)
    (left, top), (right, bottom) = at(((262, 308), (378, 332)))
    pen.rectangle((left, top, right, bottom), fill="#f4f4ef")


def _paint(colour: str) -> tuple[int, ...]:
    return ImageColor.getrgb(_PAINT.get(colour, "#7c828b"))


def _darker(paint: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(round(part * 0.8) for part in paint)


def _jpeg(picture: Image.Image) -> bytes:
    out = BytesIO()
    picture.save(out, "JPEG", quality=80)
    return out.getvalue()
