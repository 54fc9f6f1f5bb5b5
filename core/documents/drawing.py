"""From a sheet to a PDF, in a process of its own: docs/decisions/documents-by-typst.md."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import typst

from core import compute
from core.documents.sheet import Sheet, Signatures

_TEMPLATE: Final = Path(__file__).with_name("sheet.typ")
_PNG: Final = b"\x89PNG"
SECONDS: Final = 30.0
MEMORY: Final = 4 << 30
"""Bytes of address space: its threads reserve much more than they use."""


async def pdf(sheet: Sheet) -> bytes:
    """The sheet as a PDF that screen readers can read (PDF/UA-1); the same bytes for the same
    sheet. To be awaited with no transaction open.

    Raises:
        ComputationFailed: a picture in it cannot be drawn, say.
    """
    return await compute.run(draw, sheet, seconds=SECONDS, memory=MEMORY)


def draw(sheet: Sheet) -> bytes:
    """The same at once: for the process that computes."""
    files: dict[str, bytes] = {}
    told = msgspec.json.encode(_told(sheet, files))
    with tempfile.TemporaryDirectory(prefix="atrium-") as name:
        folder = Path(name)
        for path, body in {"sheet.json": told, **files}.items():
            (folder / path).write_bytes(body)
        main = folder / "sheet.typ"
        main.write_bytes(_TEMPLATE.read_bytes())
        drawn = typst.compile(
            str(main),
            root=name,
            format="pdf",
            ignore_system_fonts=True,  # another machine would draw it otherwise
            timestamp=datetime(*sheet.day, tzinfo=UTC),
            pdf_standards=["ua-1"],
        )
    assert isinstance(drawn, bytes)
    return drawn


def _told(sheet: Sheet, files: dict[str, bytes]) -> dict[str, Any]:
    """The sheet with the names of its pictures in their places, which are put among ``files``."""

    def named(picture: bytes) -> str:
        if not picture:
            return ""
        name = f"{len(files)}.{'png' if picture.startswith(_PNG) else 'jpg'}"
        files[name] = picture
        return name

    told: dict[str, Any] = msgspec.to_builtins(msgspec.structs.replace(sheet, logo=b"", blocks=()))
    told["logo"] = named(sheet.logo)
    told["blocks"] = [
        {"type": "signatures", "places": [
            {"who": each.who, "signed": each.signed, "drawing": named(each.drawing)}
            for each in block.places
        ]}
        if isinstance(block, Signatures)
        else msgspec.to_builtins(block)
        for block in sheet.blocks
    ]  # fmt: skip
    return told
