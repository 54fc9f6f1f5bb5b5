"""Core's own parts of the applications: the same declaration as a plugin's."""

from __future__ import annotations

from typing import Final

from core.audit.routes import AuditLog
from core.audit.titles import TITLES
from core.auth.account_routes import Account
from core.auth.api_routes import Sessions
from core.auth.people_routes import People
from core.auth.personal import PERSONAL
from core.auth.personal_routes import Erasures, OwnData
from core.auth.recovery_routes import EmailConfirmation, LostPassword
from core.auth.routes import Entry, SignIn, SignUp
from core.auth.seats import PEOPLE
from core.auth.tasks import EVERY_NIGHT, send_reset, sweep
from core.i18n import _
from core.idempotency import tasks as idempotency
from core.mail import tasks as mail
from core.notifications import routes as notifications
from core.notifications import tasks as notification_jobs
from core.notifications.personal import NOTIFICATIONS
from core.payments import routes as payments
from core.payments import tasks as payment_jobs
from core.payments.webhooks import PAYMENTS_TOLD
from core.permissions import CORE_PERMISSIONS, MANAGE_PEOPLE, MANAGE_SETTINGS, READ_AUDIT
from core.plugin import BUSINESS, NavItem, Plugin
from core.quotas import tasks as quotas
from core.storage import tasks as storage
from core.terms.publishing import TermsSettings
from core.terms.routes import Acceptance, Terms
from core.web.parts import HANDLERS
from core.web.slots import PLACES
from core.webhooks import routes as webhooks
from core.webhooks import tasks as webhook_jobs
from core.webhooks.delivering import SWITCHED_OFF
from core.webhooks.endpoints import ENDPOINTS

core: Final = Plugin(
    name="core",
    title="Atrium",
    summary=_("Sign-in, people, settings, payments, mail and audit."),
    version="0.1.0",
    core_versions=">=0.1",
    package="core",
    controllers=(
        *HANDLERS,
        SignIn,
        Entry,
        LostPassword,
        EmailConfirmation,
        Account,
        People,
        OwnData,
        Erasures,
        Terms,
        Acceptance,
        AuditLog,
        Sessions,
        *notifications.CONTROLLERS,
        *payments.CONTROLLERS,
        *webhooks.CONTROLLERS,
    ),
    actors=(
        *payment_jobs.ACTORS,
        *mail.ACTORS,
        *notification_jobs.ACTORS,
        *idempotency.ACTORS,
        sweep,
        send_reset,
        quotas.recount,
        *storage.ACTORS,
        *webhook_jobs.ACTORS,
    ),
    schedules=(
        *payment_jobs.SCHEDULES,
        *mail.SCHEDULES,
        *notification_jobs.SCHEDULES,
        *idempotency.SCHEDULES,
        *storage.SCHEDULES,
        *webhook_jobs.SCHEDULES,
        EVERY_NIGHT,
        quotas.EVERY_NIGHT,
    ),
    webhooks=PAYMENTS_TOLD,
    notices=(SWITCHED_OFF,),
    limits=(PEOPLE, ENDPOINTS),
    permissions=CORE_PERMISSIONS,
    personal=(NOTIFICATIONS, *PERSONAL),  # the account last
    audit_titles=TITLES,
    places=PLACES,
    navigation=(
        *payments.NAVIGATION,
        *webhooks.NAVIGATION,
        *notifications.NAVIGATION,
        NavItem(title=_("Account"), path="/account", icon="user", area="account"),
        NavItem(
            title=_("People"),
            path="/settings/people",
            icon="users",
            permission=MANAGE_PEOPLE.name,
            order=900,
            group=BUSINESS,
        ),
        NavItem(
            title=_("Audit log"),
            path="/settings/audit",
            icon="history",
            permission=READ_AUDIT.name,
            order=910,
            group=BUSINESS,
        ),
    ),
)
"""Of every application."""

registration: Final = Plugin(
    name="registration",
    title=_("Registration"),
    summary=_("Customers make their own accounts, and accept the terms of the business."),
    version="0.1.0",
    core_versions=">=0.1",
    package="core",
    controllers=(SignUp, TermsSettings),
    navigation=(
        NavItem(
            title=_("Terms and privacy"),
            path="/settings/terms",
            icon="file-text",
            permission=MANAGE_SETTINGS.name,
            order=895,
            group=BUSINESS,
        ),
    ),
)
"""Of the tenants' application: the portal's accounts are made by its wizard."""

OF_EVERY_TENANT: Final[tuple[Plugin, ...]] = (core, registration)
"""The parts of the application that serves the tenants' hosts, beside the products."""
