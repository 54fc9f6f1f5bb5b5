"""The plugins of this installation: those that are installed and agree with all others."""

from __future__ import annotations

from typing import Final

from core.agreement import House, agreed
from core.part import OF_EVERY_TENANT
from core.plugin import Plugins, discover
from core.web import health
from core.web.parts import DEVELOPMENT_HANDLERS
from tenants.migration.lines import PLATFORM
from tenants.operator.plugin import plugin as operator
from tenants.portal.plugin import plugin as portal

HOUSE: Final = House(
    parts=OF_EVERY_TENANT,
    paths=(*health.PATHS, *(path for each in DEVELOPMENT_HANDLERS for path in each.paths)),
    # Lines of migrations, and prefixes of jobs and permissions:
    names=frozenset({PLATFORM, portal.name, operator.name, "tenants"}),
)
"""What a plugin finds here; the development pages are reserved in production too."""


def installed() -> Plugins:
    """Every plugin that can be served here; of the others, why not."""
    return agreed(discover(), HOUSE)
