"""The ``atrium`` command. Each subcommand is loaded when it is called, so that all start fast."""

from __future__ import annotations

import importlib
from typing import Final

import click

COMMANDS: Final = {
    "bootstrap": "tenants.commands:bootstrap",
    "doctor": "tenants.doctor.command:doctor_command",
    "flags": "tenants.operator.flag_commands:flags_command",
    "health": "tenants.operator.status_commands:health",
    "jobs": "atrium.dead_letters:jobs",
    "migrate": "tenants.migration.command:migrate_command",
    "operators": "tenants.operator.commands:operators",
    "plugins": "atrium.scaffold.command:plugins",
    "proxy": "atrium.proxy:proxy",
    "relay": "atrium.processes:relay",
    "scheduler": "atrium.processes:scheduler",
    "schedules": "tenants.operator.status_commands:schedules",
    "seed": "tenants.commands:seed",
    "tenants": "tenants.every_command:tenants",
    "terms": "tenants.operator.terms_commands:terms_command",
    "up": "atrium.up.__main__:main",
    "web": "atrium.web:web",
    "worker": "atrium.processes:worker",
}
"""Every subcommand, and the click command it is."""


class _Lazy(click.Group):
    """A group that imports a subcommand when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_Lazy)
def main() -> None:
    """Atrium: a multi-tenant platform. Settings are read from ATRIUM_* variables."""
