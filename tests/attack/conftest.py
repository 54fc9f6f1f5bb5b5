"""What the attacks share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture
def brief_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream ends by itself at once: whoever asks for every route would read it for ever."""
    monkeypatch.setattr("core.notifications.live.LONGEST", 0.1)


@pytest.fixture(scope="module", autouse=True)
def roomy() -> Iterator[None]:
    """Attacks make more domains and calendars than a business may have."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tenants.domains.services.MOST", 10_000)
        patch.setattr("plugins.car_hire.services.feeds.keeping.MOST", 10_000)
        yield
