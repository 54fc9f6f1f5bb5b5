"""Whether bookings can be moved among the cars of a class so that one more fits: pure reckoning.

First a short chain of moves is looked for, since every move may be one that the desk had in mind
otherwise; where none is found, everything that may move is laid out anew, by when it starts, each
on the car whose last hire ends latest before it (interval colouring: without anything fixed, that
finds room whenever there is any).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

LONGEST_CHAIN: Final = 4
TRIALS: Final = 2000
"""How many places a search for a chain may try: some tenths of a second in a large fleet."""


class Piece(NamedTuple):
    """A stretch of time on a car; only what ``moves`` may be put on another."""

    id: UUID
    vehicle_id: UUID
    lower: datetime
    upper: datetime
    moves: bool


def plan(wanted: Piece, cars: Sequence[UUID], pieces: Iterable[Piece]) -> dict[UUID, UUID] | None:
    """By piece, the car it has to move to so that ``wanted`` fits, and the car for ``wanted``.

    None if nothing helps. The car that ``wanted`` names does not matter.
    """
    there = list(pieces)
    if not cars or _busiest(wanted, there) >= len(cars):
        return None
    places = _Chain(cars, [*there, wanted]).found(wanted) or _laid_out(wanted, cars, there)
    if places is None:
        return None
    before = {each.id: each.vehicle_id for each in there}
    return {one: car for one, car in places.items() if one == wanted.id or before[one] != car}


def _busiest(wanted: Piece, pieces: Sequence[Piece]) -> int:
    """How many cars are taken at once, at the worst moment of what is wanted."""
    during = [each for each in pieces if _meet(each, wanted)]
    moments = [max(each.lower, wanted.lower) for each in during]
    return max((sum(e.lower <= at < e.upper for e in during) for at in moments), default=0)


def _meet(one: Piece, other: Piece) -> bool:
    return one.lower < other.upper and other.lower < one.upper


@dataclass
class _Chain:
    """A search in depth for few moves: put it there, and find another place for who was there."""

    cars: Sequence[UUID]
    pieces: Sequence[Piece]
    left: int = field(default=TRIALS)
    _met: dict[UUID, list[Piece]] = field(default_factory=dict)

    def found(self, wanted: Piece) -> dict[UUID, UUID] | None:
        present = {each.id: each.vehicle_id for each in self.pieces if each is not wanted}
        for depth in range(1, LONGEST_CHAIN + 1):
            places = self._put(wanted, present, frozenset(), depth)
            if places is not None:
                return places
        return None

    def _put(
        self, piece: Piece, places: Mapping[UUID, UUID], settled: frozenset[UUID], depth: int
    ) -> dict[UUID, UUID] | None:
        there = self._there(piece, places)
        ways = [(there.get(car, []), car) for car in self.cars]
        for others, car in sorted(ways, key=lambda way: len(way[0])):
            self.left -= 1
            if self.left < 0:
                return None
            stuck = any(not each.moves or each.id in settled for each in others)
            if stuck or (others and not depth):
                continue
            made = self._move_away(others, {**places, piece.id: car}, settled | {piece.id}, depth)
            if made is not None:
                return made
        return None

    def _move_away(
        self,
        others: Sequence[Piece],
        places: dict[UUID, UUID],
        settled: frozenset[UUID],
        depth: int,
    ) -> dict[UUID, UUID] | None:
        made: dict[UUID, UUID] | None = places
        for other in others:
            assert made is not None
            here = {one: car for one, car in made.items() if one != other.id}
            made = self._put(other, here, settled, depth - 1)
            if made is None:
                return None
            settled |= {other.id}
        return made

    def _there(self, piece: Piece, places: Mapping[UUID, UUID]) -> Mapping[UUID, list[Piece]]:
        """By car, what is on it in the time of ``piece``."""
        if piece.id not in self._met:
            others = (each for each in self.pieces if each.id != piece.id)
            self._met[piece.id] = [each for each in others if _meet(each, piece)]
        there: dict[UUID, list[Piece]] = defaultdict(list)
        for each in self._met[piece.id]:
            if each.id in places:
                there[places[each.id]].append(each)
        return there


def _laid_out(
    wanted: Piece, cars: Sequence[UUID], pieces: Sequence[Piece]
) -> dict[UUID, UUID] | None:
    taken: dict[UUID, list[Piece]] = {car: [] for car in cars}  # in order: none meet on one car
    for each in sorted(pieces, key=_begin):
        if not each.moves:
            taken[each.vehicle_id].append(each)
    places: dict[UUID, UUID] = {}
    moving = [wanted, *(each for each in pieces if each.moves)]
    for each in sorted(moving, key=lambda piece: (piece.lower, piece.id)):
        best: tuple[datetime | None, UUID] | None = None
        for car, there in taken.items():
            at = bisect_left(there, each.upper, key=_begin)
            last = there[at - 1].upper if at else None
            if (last is None or last <= each.lower) and (best is None or _is_later(last, best[0])):
                best = last, car
        if best is None:
            return None
        insort(taken[best[1]], each, key=_begin)
        places[each.id] = best[1]
    return places


def _begin(piece: Piece) -> datetime:
    return piece.lower


def _is_later(end: datetime | None, other: datetime | None) -> bool:
    return end is not None and (other is None or end > other)
