"""What the wizard guesses of a country."""

from __future__ import annotations

import pytest

from tenants.portal import choices


@pytest.mark.parametrize(
    ("country", "zone"),
    [
        ("PT", "Europe/Lisbon"),  # the Azores and Madeira have clocks of their own
        ("FR", "Europe/Paris"),
        ("US", ""),  # nobody's guess
    ],
)
def test_a_country_suggests_the_clock_that_nearly_all_of_it_lives_by(
    country: str, zone: str
) -> None:
    suggested = {option.value: option.zone for option in choices.country_options()}
    assert suggested[country] == zone


def test_every_suggested_zone_can_be_chosen() -> None:
    known = {option.value for option in choices.zone_options()}
    assert {option.zone for option in choices.country_options()} - {""} <= known
