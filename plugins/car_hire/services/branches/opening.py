"""Opening hours by the wall clock: what people type, and whether a moment falls within. Pure.

A span is open from its first minute through its last: who arrives at 19:00 sharp, when it closes
at 19:00, is in time. Hours are the clock's, so that on the nights when clocks are set they begin
and end when the clock on the wall says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final

from core import clock

DAY: Final = 24 * 60
WEEKDAYS: Final = (
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
)  # fmt: skip
_TIME: Final = r"(\d{1,2})(?:[:.h](\d{2})?)?"
_SPAN: Final = re.compile(rf"\s*{_TIME}\s*(?:-|–|—|to|às|a)\s*{_TIME}\s*", re.IGNORECASE)  # noqa: RUF001
MOST: Final = 4
"""Spans of one day."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Minutes after midnight, both ends included; 1440 is the next midnight."""

    opens: int
    closes: int

    def __str__(self) -> str:
        return f"{_clock(self.opens)}–{_clock(self.closes)}"  # noqa: RUF001  # an en dash is meant

    @property
    def kept(self) -> list[str]:
        """As it is stored."""
        return [_clock(self.opens), _clock(self.closes)]


def typed(text: str) -> list[Span]:
    """What somebody typed, such as ``9-13, 14:30-19``; nothing is closed.

    Raises:
        ValueError: it cannot be read, a span ends before it begins, or two overlap.
    """
    parts = [each for each in re.split(r"[,;\n]", text) if each.strip()]
    spans = sorted(_span(each) for each in parts)
    if len(spans) > MOST:
        raise ValueError(text)
    for before, after in pairwise(spans):
        if after.opens <= before.closes:
            raise ValueError(text)
    return spans


def _span(text: str) -> Span:
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError(text)
    hours = [int(found[1]), int(found[3])]
    minutes = [int(found[2] or 0), int(found[4] or 0)]
    opens, closes = (hour * 60 + minute for hour, minute in zip(hours, minutes, strict=True))
    if not 0 <= opens < closes <= DAY or max(minutes) > 59:
        raise ValueError(text)
    return Span(opens, closes)


def read(kept: Sequence[Sequence[str]]) -> list[Span]:
    """Spans from how they are stored."""
    return [_span(f"{opens}-{closes}") for opens, closes in kept]


def told(spans: Sequence[Span]) -> str:
    """``09:00–13:00, 14:00–19:00``; empty for a closed day."""  # noqa: RUF002
    return ", ".join(map(str, spans))


@dataclass(frozen=True, slots=True)
class Opening:
    """When a branch is open; ``week`` by ISO day, ``days`` those with hours of their own."""

    zone: str
    week: Mapping[int, Sequence[Span]]
    days: Mapping[date, Sequence[Span]]

    def on(self, day: date) -> Sequence[Span]:
        """The spans of a day by the branch's calendar."""
        if day in self.days:
            return self.days[day]
        if not self.week:
            return (Span(0, DAY),)
        return self.week.get(day.isoweekday(), ())

    def is_open(self, moment: datetime) -> bool:
        """Whether somebody is there at an aware moment."""
        return any(any(span.opens <= at <= span.closes for span in spans)
                   for at, spans in self._readings(moment))  # fmt: skip

    def _readings(self, moment: datetime) -> Iterator[tuple[int, Sequence[Span]]]:
        wall = clock.local(moment, self.zone)
        at = wall.hour * 60 + wall.minute
        yield at, self.on(wall.date())
        if at == 0:  # midnight ends the day before as well
            yield DAY, self.on(wall.date() - timedelta(days=1))


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
