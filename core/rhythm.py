"""How often a schedule's turn comes, in words: most people never saw five fields of cron."""

from __future__ import annotations

from datetime import time

from babel.dates import format_time, get_day_names

from core.i18n import _, fill, locale
from core.web.formatting import region


def often(cron: str) -> str:
    """``every day at 03:20``, in the reader's language; "at set times" where words fail."""
    minute, hour, *days = cron.split()
    if days == ["*", "*", "*"] and hour == "*":
        return _within_the_hour(minute)
    if not (minute.isdecimal() and hour.isdecimal()):
        return str(_("at set times"))
    at = format_time(time(int(hour), int(minute)), "short", locale=region())
    match days:
        case ["*", "*", "*"]:
            return str(fill(_("every day at {time}"), time=at))
        case ["*", "*", day] if day.isdecimal():
            # Cron's week begins on Sunday, which is 0 and 7; Babel's on Monday, which is 0.
            name = get_day_names("wide", locale=locale())[(int(day) - 1) % 7]
            return str(fill(_("{weekday}, at {time}"), weekday=name, time=at))
        case [day, "*", "*"] if day.isdecimal():
            return str(fill(_("on day {day} of each month, at {time}"), day=day, time=at))
    return str(_("at set times"))


def _within_the_hour(minute: str) -> str:
    step = minute.removeprefix("*/")
    if minute == "*":
        return str(_("every minute"))
    if minute.isdecimal():
        return str(_("every hour"))
    if step.isdecimal():
        return str(fill(_("every {count} minutes"), count=step))
    return str(_("at set times"))
