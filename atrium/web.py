"""``atrium web``: the web server."""

from __future__ import annotations

import click
from granian.constants import Interfaces
from granian.server import Server

from core.settings import Settings


@click.command()
@click.option("--workers", default=1, show_default=True, help="Processes that serve.")
def web(workers: int) -> None:
    """Serve the portal, the tenants' sites and the API."""
    settings = Settings.from_environment()
    Server(
        "atrium.asgi:create_app",
        factory=True,
        interface=Interfaces.ASGI,
        address=settings.bind,
        port=settings.port,
        workers=workers,
        workers_kill_timeout=3,
        log_access=False,
    ).serve()
