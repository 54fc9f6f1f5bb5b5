"""The watch over businesses' own addresses, as a part of the platform."""

from __future__ import annotations

from importlib.metadata import version

from core.i18n import _
from core.plugin import Plugin
from tenants.senders.checking import SenderInspector
from tenants.senders.tasks import jobs


def senders(inspector: SenderInspector) -> Plugin:
    """The part ``senders``, whose jobs ``inspector`` does."""
    actors, schedules = jobs(inspector)
    return Plugin(
        name="senders",
        title=_("Senders of mail"),
        summary=_("Looks at the DNS records of the addresses that businesses send from"),
        version=version("atrium"),
        core_versions=">=0.1",
        package="tenants.senders",
        actors=actors,
        schedules=schedules,
    )
