"""Slugs are DNS labels that nobody takes for another's."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Invalid
from core.web.hosts import normalise
from tenants import slugs


@pytest.mark.parametrize("slug", ["acme", "a1b", "como-bookings", "3m-lisboa", "x" * 40])
def test_ordinary_labels_are_accepted(slug: str) -> None:
    """Letters, digits and single hyphens between them, 3 to 40 long."""
    assert slugs.check(slug) == slug


@pytest.mark.parametrize(
    "slug",
    [
        "",
        "ab",
        "x" * 41,
        "Acme",
        "-acme",
        "acme-",
        "ac--me",
        "xn--acme-9ta",
        "acme.example",
        "ac me",
        "acme\n",
        "acme\0",
        "acmé",
        "аcme",  # noqa: RUF001  # a Cyrillic a
        "127",
        "1-2-3",
        "www",
        "stripe",
        "paypa1",  # what looks like a name that people trust with their cards
        "admin",
        "b1og",
        "rnail",
    ],
)
def test_what_is_no_label_or_not_a_tenants_is_refused(slug: str) -> None:
    """Each with the field's name; reserved words also when they only look like them."""
    with pytest.raises(Invalid) as refused:
        slugs.check(slug)
    assert [error.field for error in refused.value.errors] == ["slug"]


@pytest.mark.parametrize(
    ("one", "other"), [("barn", "bam"), ("avvard", "award"), ("10cal", "local"), ("z00", "zoo")]
)
def test_look_alikes_have_one_look(one: str, other: str) -> None:
    """What a hasty eye confuses is one name."""
    assert slugs.look(one) == slugs.look(other)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("ACME Car Hire", "acme-car-hire"),
        ("São João & Filhos, Lda.", "sao-joao-and-filhos-lda"),
        ("O'Neill", "oneill"),
        ("東京レンタカー", ""),
    ],
)
def test_a_name_becomes_a_slug(name: str, slug: str) -> None:
    """Accents go, words are joined; a name without Latin letters gives nothing."""
    assert slugs.from_name(name) == slug


@settings(max_examples=60)
@given(st.text(max_size=200))
def test_suggestions_are_always_usable(name: str) -> None:
    """Whatever is typed, there are suggestions, and each is a valid slug and host label."""
    found = list(slugs.suggestions(name))
    assert found
    for slug in found:
        assert slugs.is_valid(slug)
        assert normalise(f"{slug}.localhost") == f"{slug}.localhost"
