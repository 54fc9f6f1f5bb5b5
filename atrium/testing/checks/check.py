"""What a check is: a function that tells each fault it finds, and whose docstring says why."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from atrium.testing.routes import Route

Faults = Iterator[str] | AsyncIterator[str]
Find = Callable[..., Faults]
"""``find(what, *subjects)``, where ``what`` is a candidate, a trial or a tour."""


class Nonconformant(AssertionError):
    """A plugin does not do what Atrium expects; the message says why that matters, and where."""


@dataclass(frozen=True, slots=True)
class Check:
    """One test: ``find``, for the subjects of one plugin."""

    find: Find
    subjects: tuple[Any, ...] = field(default=())

    def __str__(self) -> str:
        words = self.find.__name__.replace("_", " ")
        return f"{words}: {', '.join(map(_named, self.subjects))}" if self.subjects else words

    def declared(self, candidate: object) -> Callable[[], None]:
        """The check as a test of ``candidate`` that needs nothing more."""

        def run() -> None:
            found = self.find(candidate, *self.subjects)
            assert isinstance(found, Iterator)
            self._judge(list(found))

        return run

    async def __call__(self, what: object) -> None:
        """Raise if there is a fault.

        Raises:
            Nonconformant: there is.
        """
        found = self.find(what, *self.subjects)
        assert isinstance(found, AsyncIterator)
        self._judge([fault async for fault in found])

    def _judge(self, faults: list[str]) -> None:
        if faults:
            reason = inspect.cleandoc(self.find.__doc__ or "")
            raise Nonconformant("\n".join([str(self), reason, *(f"- {each}" for each in faults)]))


def _named(subject: Any) -> str:
    """A declaration by what it is called, anything else in its own words."""
    if isinstance(subject, Route):
        return str(subject)
    called = (getattr(subject, each, None) for each in ("name", "id", "key", "path"))
    return str(next(filter(None, called), subject))


def alone(*found: Find) -> list[Check]:
    """A check for each function."""
    return [Check(each) for each in found]


def for_each(subjects: Iterable[Any], *found: Find) -> list[Check]:
    """A check for each function and subject."""
    known = list(subjects)
    return [Check(function, (subject,)) for function in found for subject in known]
