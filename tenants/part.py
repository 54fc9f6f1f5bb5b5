"""Tenancy as a part of the platform: what it adds to tenant zero."""

from __future__ import annotations

from importlib.metadata import version

from core.i18n import _
from core.plugin import Plugin
from tenants.provisioning import Provisioner
from tenants.tasks import actors, schedules


def tenancy(provisioner: Provisioner) -> Plugin:
    """The part ``tenants``, whose jobs ``provisioner`` does."""
    jobs = actors(provisioner)
    return Plugin(
        name="tenants",
        title=_("Tenancy"),
        summary=_("Makes tenants and looks after them"),
        version=version("atrium"),
        core_versions=">=0.1",
        package="tenants",
        actors=jobs,
        schedules=schedules(jobs),
    )
