"""What a sheet becomes."""

from __future__ import annotations

import msgspec

from core.documents.drawing import draw, pdf
from core.documents.sheet import Facts, Prose, Row, Sheet, Signature, Signatures, Table
from tests.core.logos.test_pictures import picture

SHEET = Sheet(
    title="Fatura FR 2026/1",
    language="pt",
    business="ACME",
    color="#0f766e",
    day=(2026, 6, 8),
    page="Página {page} de {pages}",
    logo=picture(),
    blocks=(
        Facts((("Cliente", "João Conceição #panic() $x$ *a*"),)),
        Table(("O quê", "Valor"), ("left", "right"), (Row(("Diária", "32,50 €"), note="uma"),)),
        Prose(("= no heading", "#import \"x\""), title="Condições", small=True),
        Signatures((Signature("João", picture("JPEG")), Signature("ACME"))),
    ),
)  # fmt: skip


async def test_the_same_sheet_gives_the_same_bytes() -> None:
    """In another process too; what looks like markup is none."""
    drawn = await pdf(SHEET)
    assert drawn.startswith(b"%PDF-")
    assert drawn == draw(SHEET)


def test_a_long_table_goes_on_over_the_page() -> None:
    rows = tuple(Row((f"Diária {n}", "32,50 €")) for n in range(200))
    table = Table(("O quê", "Valor"), ("left", "right"), rows)
    drawn = draw(msgspec.structs.replace(SHEET, blocks=(table,)))
    assert len(drawn) > len(draw(msgspec.structs.replace(SHEET, blocks=())))
