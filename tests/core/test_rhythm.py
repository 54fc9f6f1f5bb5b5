"""Schedules in words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core import i18n, rhythm
from core.i18n import reading_in
from core.rhythm import often


@pytest.fixture(autouse=True)
def texts() -> Iterator[None]:
    """Core's own; gone again after the test."""
    before = dict(i18n._catalogues)
    i18n._catalogues.clear()
    i18n.load(Path(rhythm.__file__).parent / "locale")
    yield
    i18n._catalogues.clear()
    i18n._catalogues.update(before)


@pytest.mark.parametrize(
    ("cron", "english", "portuguese"),
    [
        ("* * * * *", "every minute", "a cada minuto"),
        ("*/10 * * * *", "every 10 minutes", "a cada 10 minutos"),
        ("17 * * * *", "every hour", "a cada hora"),
        ("20 3 * * *", "every day at 03:20", "todos os dias às 03:20"),
        ("0 8 * * 1", "Monday, at 08:00", "segunda-feira, às 08:00"),
        ("0 8 * * 0", "Sunday, at 08:00", "domingo, às 08:00"),
        ("0 8 * * 7", "Sunday, at 08:00", "domingo, às 08:00"),
        ("5 0 1 * *", "on day 1 of each month, at 00:05", "no dia 1 de cada mês, às 00:05"),
        ("0 8 * 6 *", "at set times", "a horas marcadas"),
        ("0 8,20 * * *", "at set times", "a horas marcadas"),
        ("0 8 1 * 1", "at set times", "a horas marcadas"),
        ("1-5 * * * *", "at set times", "a horas marcadas"),
    ],
)
def test_how_often_is_said_in_words(cron: str, english: str, portuguese: str) -> None:
    """In both languages; what is too strange to be said is not said wrongly."""
    with reading_in("en"):
        assert often(cron) == english
    with reading_in("pt"):
        assert often(cron) == portuguese
