"""What is decided for the whole business is asked of all of it, whoever asks.

Queries for staff who are bound to branches are narrowed to what is theirs (``reach``). How many
seats are left, what a company owes, whether a car is out: an answer from one branch's rows alone
would promise a thing twice. Such a query is executed with the options ``WHOLE``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

WHOLE: Final[Mapping[str, Any]] = {"car_hire_whole": True}
"""For ``execution_options``: of rows that decide something, and are shown to nobody."""


def is_whole(options: Mapping[str, Any]) -> bool:
    """Whether a query is asked of the whole business."""
    return bool(options.get("car_hire_whole"))
