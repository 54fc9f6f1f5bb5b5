"""The watch over businesses' own host names, as a part of the platform."""

from __future__ import annotations

from importlib.metadata import version

from core.i18n import _
from core.plugin import Plugin
from tenants.domains.checking import Inspector
from tenants.domains.tasks import jobs


def domains(inspector: Inspector) -> Plugin:
    """The part ``domains``, whose jobs ``inspector`` does."""
    actors, schedules = jobs(inspector)
    return Plugin(
        name="domains",
        title=_("Domains"),
        summary=_("Looks at the DNS records of businesses' own domains"),
        version=version("atrium"),
        core_versions=">=0.1",
        package="tenants.domains",
        actors=actors,
        schedules=schedules,
    )
