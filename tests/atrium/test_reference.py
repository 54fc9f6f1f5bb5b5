"""The reference of a plugin's declaration says what the code says."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from atrium import reference


def test_the_reference_is_up_to_date() -> None:
    """``python -m atrium.reference`` writes it."""
    assert reference.FILE.read_text() == reference.page(), "run python -m atrium.reference"


@pytest.mark.parametrize("kind", reference.DECLARED, ids=lambda kind: kind.__name__)
def test_every_field_of_a_declaration_is_documented(kind: type) -> None:
    """By the string that follows it, in a sentence."""
    fields = list(reference.fields_of(kind))
    assert fields
    assert all(each.meaning.rstrip('"').endswith((".", "?")) for each in fields), fields


def test_every_place_and_point_is_documented() -> None:
    """Which page, who sees it; when it is asked, and what happens if a hook fails."""
    page = reference.page()
    for owner in reference.owners():
        for place in owner.places:
            assert place.page.endswith(".")
            assert f"`{place.name}`" in page
        for point in owner.extension_points:
            assert len(point.purpose) > 40
            assert f"### `{point.name}`, version {point.version}" in page


@dataclass
class Silent:
    """Says what it is, and of its fields nothing."""

    spoken: int
    """A number."""
    unspoken: int


def test_a_field_without_words_is_named() -> None:
    """So that whoever adds one knows where to say what it is."""
    with pytest.raises(reference.Undocumented, match=r"Silent\.unspoken"):
        list(reference.fields_of(Silent))
