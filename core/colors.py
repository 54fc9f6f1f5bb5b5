"""Colours that can be read: contrast as WCAG 2.2 defines it."""

from __future__ import annotations

from typing import Final

_WHITE: Final = (255, 255, 255)
_BLACK: Final = (14, 17, 23)
READABLE: Final = 4.5
"""The contrast that WCAG 2.2 asks of text (success criterion 1.4.3)."""


def _channels(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _luminance(channels: tuple[int, int, int]) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    shares = [value / 255 for value in channels]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    """Contrast ratio, 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def ink_on(color: str) -> str:
    """White or near-black, whichever reads better on ``color``."""
    channels = _channels(color)
    white = contrast(channels, _WHITE) >= min(READABLE, contrast(channels, _BLACK))
    return "#ffffff" if white else "#0e1117"


def readable_on_white(color: str) -> str:
    """``color``, darkened until text in it can be read on a light tint of itself."""
    channels = _channels(color)
    tint = tuple(round(255 - (255 - value) * 0.16) for value in channels)
    for _step in range(40):
        if contrast(channels, (tint[0], tint[1], tint[2])) >= READABLE:
            break
        channels = (channels[0] * 19 // 20, channels[1] * 19 // 20, channels[2] * 19 // 20)
    return "#{:02x}{:02x}{:02x}".format(*channels)
