"""What the attacks share."""

from __future__ import annotations

import pytest


@pytest.fixture
def brief_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream ends by itself at once: whoever asks for every route would read it for ever."""
    monkeypatch.setattr("core.notifications.live.LONGEST", 0.1)
