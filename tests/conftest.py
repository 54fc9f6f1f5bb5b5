"""The servers of a run; the fixtures that every test may use are those of ``atrium.testing``."""

from __future__ import annotations

import pytest
from hypothesis import settings

from atrium.testing.servers import Servers

pytest_plugins = ["atrium.testing.fixtures"]
collect_ignore = ["outside_plugin"]  # run where it is installed, by testing/test_outside_plugin.py

# Machines are noisy: no example fails for its time.
settings.register_profile("atrium", deadline=None)
settings.load_profile("atrium")

_servers = pytest.StashKey[Servers]()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the servers once, in the process that steers the run, before its workers start."""
    config = session.config
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    servers = Servers()
    servers.start()
    config.stash[_servers] = servers


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop them, however the run ended; a killed run is cleaned up by the servers' guard."""
    if (servers := config.stash.get(_servers, None)) is not None:
        servers.stop()
