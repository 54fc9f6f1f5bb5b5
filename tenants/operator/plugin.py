"""The operator console as a declaration; only the platform's application has it as a part."""

from __future__ import annotations

from typing import Final

from core.i18n import _
from core.plugin import NavItem, Plugin
from tenants import notices
from tenants.operator.audit_titles import TITLES
from tenants.operator.permissions import ACT, LOOK
from tenants.operator.routes.api import TenantsApi
from tenants.operator.routes.flags import Flags, TenantFlags
from tenants.operator.routes.flags_api import FlagsApi, TenantFlagsApi
from tenants.operator.routes.health import HealthPages
from tenants.operator.routes.installation import Installation
from tenants.operator.routes.installation_api import InstallationApi
from tenants.operator.routes.jobs import Jobs
from tenants.operator.routes.limits import LimitsApi, TenantLimits
from tenants.operator.routes.tenant import OneTenant
from tenants.operator.routes.tenants import Tenants
from tenants.operator.routes.terms import OperatorTerms, TermsApi
from tenants.operator.routes.tokens import Tokens

_PAGES: Final = (
    (_("Tenants"), "/operator/tenants", "building-store"),
    (_("Health"), "/operator/health", "heartbeat"),
    (_("Dead letters"), "/operator/jobs", "mail-off"),
    (_("Schedules"), "/operator/schedules", "calendar-repeat"),
    (_("Migrations"), "/operator/migrations", "database-cog"),
    (_("Databases"), "/operator/databases", "database"),
    (_("Plugins"), "/operator/plugins", "puzzle"),
    (_("Features"), "/operator/flags", "flag"),
    (_("Terms"), "/operator/terms", "file-text"),
    (_("Tokens"), "/operator/tokens", "key"),
)

plugin: Final = Plugin(
    name="operator",
    title=_("Operator console"),
    summary=_("Where we look after our tenants"),
    version="0.1.0",
    core_versions=">=0.1,<0.2",
    package="tenants.operator",
    icon="building-lighthouse",
    desk="/operator/tenants",
    controllers=(
        Tenants,
        OneTenant,
        HealthPages,
        Jobs,
        Installation,
        Tokens,
        OperatorTerms,
        TermsApi,
        TenantLimits,
        LimitsApi,
        Flags,
        TenantFlags,
        FlagsApi,
        TenantFlagsApi,
        TenantsApi,
        InstallationApi,
    ),
    audit_titles=TITLES,
    permissions=(LOOK, ACT),
    notices=notices.OF_OPERATORS,
    navigation=tuple(
        NavItem(title=title, path=path, icon=icon, permission=LOOK.name, order=order)
        for order, (title, path, icon) in enumerate(_PAGES)
    ),
)
