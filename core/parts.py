"""What core itself adds to the applications, declared like any product."""

from __future__ import annotations

from typing import Final

from core.audit.routes import AuditLog
from core.auth.account_routes import Account
from core.auth.api_routes import Sessions
from core.auth.people_routes import People
from core.auth.routes import Entry, SignIn, SignUp
from core.i18n import _
from core.permissions import MANAGE_PEOPLE, READ_AUDIT
from core.plugin import NavItem, Plugin

CORE: Final = Plugin(
    name="core",
    title=_("Core"),
    summary=_("Accounts, people and the audit log."),
    version="1",
    core_versions=">=0",
    package="core",
    controllers=(SignIn, Entry, Account, People, AuditLog, Sessions),
    navigation=(
        NavItem(title=_("Account"), path="/account", icon="user", area="account"),
        NavItem(
            title=_("People"),
            path="/settings/people",
            icon="users",
            permission=MANAGE_PEOPLE.name,
            order=900,
        ),
        NavItem(
            title=_("Audit log"),
            path="/settings/audit",
            icon="history",
            permission=READ_AUDIT.name,
            order=910,
        ),
    ),
)
"""Of every application."""

SELF_REGISTRATION: Final = Plugin(
    name="registration",
    title=_("Registration"),
    summary=_("Customers make their own accounts."),
    version="1",
    core_versions=">=0",
    package="core",
    controllers=(SignUp,),
)
"""Of the tenants' application only: accounts of the portal are made by its wizard."""
