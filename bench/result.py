"""What a benchmark says at its end: one line of JSON."""

from __future__ import annotations

from typing import Any

import msgspec


class Result(msgspec.Struct, kw_only=True):
    """``value`` in ``unit``, held against ``target`` in words; ``detail`` is what led to it."""

    bench: str
    value: float
    unit: str
    target: str
    met: bool
    detail: dict[str, Any] = {}

    def line(self) -> str:
        """The result as one line of JSON."""
        return msgspec.json.encode(self).decode()
