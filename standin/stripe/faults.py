"""Trouble on order: what tests ask the stand-in to do wrong."""

import re
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from standin.stripe.wire import ApiError, Params

Kind = Literal["delay", "error", "drop_before", "drop_after"]


@dataclass
class Fault:
    """One kind of trouble for the next `times` requests that match."""

    kind: Kind
    method: str = ".*"
    path: str = ".*"
    times: int = 1
    status: int = 500
    seconds: float = 1.0

    def matches(self, method: str, path: str) -> bool:
        """Whether a request is meant."""
        return (
            self.times > 0
            and re.fullmatch(self.method, method) is not None
            and re.search(self.path, path) is not None
        )


@dataclass
class Faults:
    """The faults on order, taken first come first served."""

    ordered: list[Fault] = field(default_factory=list)

    def order(self, wish: Params) -> Fault:
        """Add one from its JSON form."""
        if wish.get("kind") not in get_args(Kind):
            raise ApiError(400, f"kind is one of {', '.join(get_args(Kind))}", param="kind")
        unknown = wish.keys() - Fault.__dataclass_fields__.keys()
        if unknown:
            raise ApiError(400, f"Unknown: {', '.join(sorted(unknown))}")
        fault = Fault(**wish)
        self.ordered.append(fault)
        return fault

    def take(self, method: str, path: str) -> Fault | None:
        """The fault for this request, used up once."""
        for fault in self.ordered:
            if fault.matches(method, path):
                fault.times -= 1
                return fault
        return None

    def clear(self) -> None:
        """Back to good weather."""
        self.ordered.clear()


@dataclass
class RequestLog:
    """What was asked, for tests to count; never keys, never card numbers."""

    entries: list[dict[str, Any]] = field(default_factory=list)

    def add(self, **entry: Any) -> None:
        """Append one, keeping the last thousand."""
        self.entries.append(entry)
        del self.entries[:-1000]
