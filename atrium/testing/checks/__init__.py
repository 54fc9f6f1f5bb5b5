"""The conformance checks: what Atrium expects of a plugin, said as functions that find faults."""

from __future__ import annotations

from typing import Final

from atrium.testing.checks import (
    access,
    audited,
    browsing,
    declaration,
    downgrades,
    files,
    jobs,
    notices,
    personal,
    rendering,
    settings,
    tables,
    texts,
    webhooks,
)
from atrium.testing.checks.candidate import Candidate
from atrium.testing.checks.check import Check

_DECLARED: Final = (
    declaration.checks,
    files.checks,
    texts.checks,
    tables.declared,
    downgrades.declared,
    jobs.declared,
    access.declared,
    settings.declared,
    personal.declared,
    audited.checks,
    notices.checks,
    webhooks.checks,
)
_AT_WORK: Final = (
    tables.at_work,
    downgrades.at_work,
    access.at_work,
    jobs.at_work,
    settings.at_work,
    rendering.at_work,
    personal.at_work,
)


def declared(it: Candidate) -> list[Check]:
    """What can be checked of ``it`` without any server."""
    return [check for part in _DECLARED for check in part(it)]


def at_work(it: Candidate) -> list[Check]:
    """What can be checked of ``it`` among tenants and people."""
    return [check for part in _AT_WORK for check in part(it)]


def in_a_browser(it: Candidate) -> list[Check]:
    """What can be checked of ``it`` in Chromium."""
    return browsing.in_a_browser(it)
