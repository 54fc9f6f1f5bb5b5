"""The ``atrium`` command in a process of its own that need not import it first."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click

from atrium.cli import COMMANDS, main

# Imported before the fork, once for all commands.
for _name in COMMANDS:
    main.get_command(click.Context(main), _name)


def command(arguments: Sequence[str], environment: dict[str, str], said: Path) -> None:
    """Run ``atrium …`` to its end; what it says goes to ``said``."""
    with said.open("wb", buffering=0) as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    os.environ.clear()
    os.environ.update(environment)
    main.main(args=list(arguments), prog_name="atrium")
