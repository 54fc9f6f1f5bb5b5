"""What is each tenant's fair share of something that all of them use."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final
from uuid import UUID

PRESENT_FOR: Final = 1.0
"""Seconds after it last asked for something during which a tenant counts as present."""


class Shares:
    """``places`` to be shared among the tenants who are present.

    Who is alone may have them all. Beside others nobody has more than an equal part, nor more
    than a quarter, so that whoever comes next finds room at once; everybody has ``least``.
    """

    def __init__(
        self, places: int, *, least: int = 1, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._places = max(1, places)
        self._least = least
        self._clock = clock
        self._seen: OrderedDict[UUID, float] = OrderedDict()

    def note(self, tenant: UUID) -> None:
        """The tenant asks for something now."""
        self._seen[tenant] = self._clock()
        self._seen.move_to_end(tenant)

    @property
    def spare(self) -> int:
        """So many places in use leave room for anybody, whatever they have already."""
        return self._places // 4

    @property
    def each(self) -> int:
        """How many places one tenant may have at present."""
        return self.among(self._present())

    def among(self, present: int) -> int:
        """How many places one of ``present`` tenants may have."""
        if present <= 1:
            return self._places
        return max(self._least, min(self._places // 4, self._places // present))

    def _present(self) -> int:
        over = self._clock() - PRESENT_FOR
        while self._seen and next(iter(self._seen.values())) < over:
            self._seen.popitem(last=False)
        return len(self._seen)
