"""No flag stays for ever."""

from __future__ import annotations

from core.clock import today
from tenants.flags.services import declared
from tenants.installed import installed


def test_every_flag_is_gone_by_its_sunset() -> None:
    """Give the feature to everybody, make it a setting, or say why it needs more time: each flag
    that stays doubles the number of ways in which the software can behave."""
    known = declared(installed())
    assert known, "no flag is found: is this test still looking at the right place?"
    overdue = [key for key, flag in known.items() if flag.sunset <= today("UTC")]
    assert not overdue, f"past their sunset: {', '.join(overdue)}"
