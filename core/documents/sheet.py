"""What a document consists of; texts are in its language already."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

Align = Literal["left", "right", "center"]
SIGNED: Final = 3
"""Signatures that stand beside each other."""


class Facts(msgspec.Struct, frozen=True, tag="facts"):
    """Names and values in two columns, such as who, when and which car."""

    pairs: tuple[tuple[str, str], ...]
    title: str = ""


class Row(msgspec.Struct, frozen=True):
    """``note`` stands small below the first cell; ``strong`` rows are sums."""

    cells: tuple[str, ...]
    note: str = ""
    strong: bool = False


class Table(msgspec.Struct, frozen=True, tag="table"):
    """Its head is repeated on each page that it reaches; a row is never cut in two."""

    head: tuple[str, ...]
    align: tuple[Align, ...]
    rows: tuple[Row, ...]
    title: str = ""


class Prose(msgspec.Struct, frozen=True, tag="prose"):
    """Paragraphs, as they are: nothing in them is markup."""

    paragraphs: tuple[str, ...]
    title: str = ""
    small: bool = False


class Signature(msgspec.Struct, frozen=True):
    """A place to sign: who, and the drawing (PNG or JPEG) once they did."""

    who: str
    drawing: bytes = b""
    signed: str = ""
    """When and how, in words."""


class Signatures(msgspec.Struct, frozen=True, tag="signatures"):
    """Places to sign, together on one page."""

    places: tuple[Signature, ...]


Block = Facts | Table | Prose | Signatures


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A document of a business. ``day`` is what stands in the metadata (year, month, day): the same
    sheet gives the same bytes on any day."""

    title: str
    language: str
    business: str
    color: str
    day: tuple[int, int, int]
    page: str
    """"Page {page} of {pages}" in its language, with these two names."""
    blocks: tuple[Block, ...]
    subtitle: str = ""
    logo: bytes = b""
    """PNG or JPEG."""
    address: tuple[str, ...] = ()
    """Lines of the business, above right."""
    footer: str = ""
