"""What programs of a business are told: chosen by title, described by its class, of no people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from atrium.testing.checks.candidate import Candidate
from atrium.testing.checks.check import Check, for_each
from atrium.testing.checks.personal import TELLING
from core.events import Event
from core.i18n import LazyText
from core.webhooks import Webhook

_OF_PEOPLE: Final = TELLING | {"name", "customer_id", "licence", "born", "remarks", "note"}
"""Fields that tell of a person, or lead to one."""


def it_can_be_chosen(it: Candidate, told: Webhook) -> Iterator[str]:
    """Owners choose by the title, in their own language; programmers read the class."""
    if not isinstance(told.title, LazyText) or not str(told.title):
        yield f'the title of {told.name} cannot be translated: write _("…")'
    if not told.event.__doc__ or told.event.__doc__ == Event.__doc__:
        yield f"{told.event.__name__} does not say when it happens: give it a docstring"


def its_example_is_one(it: Candidate, told: Webhook) -> Iterator[str]:
    """It is shown as what comes, so it must be able to come."""
    if type(told.example) is not told.event:
        yield f"the example of {told.name} is no {told.event.__name__}"
        return
    sent = msgspec.json.encode(told.example)
    if msgspec.json.decode(sent, type=told.event) != told.example:
        yield f"the example of {told.name} is another one when it was sent and read"


def it_tells_of_no_people(it: Candidate, told: Webhook) -> Iterator[str]:
    """What was sent lies with somebody else, and cannot be forgotten with a person."""
    for name in sorted(_OF_PEOPLE.intersection(told.event.__struct_fields__)):
        yield f"{told.name} sends {name}: name things by their ids, and let the API tell the rest"


def checks(it: Candidate) -> list[Check]:
    """The checks of this module for ``it``."""
    return for_each(it.plugin.webhooks, it_can_be_chosen, its_example_is_one, it_tells_of_no_people)
