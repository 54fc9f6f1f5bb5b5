"""What core's own acts are called in the audit log, and the objects that they are done to.

A plugin's are in its declaration (``Plugin.audit_titles``); a test fails for a code without one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from core.i18n import LazyText, _
from core.plugin import Plugin

TITLES: Final[Mapping[str, LazyText | str]] = {
    "core.email_confirmed": _("Address confirmed"),
    "core.entered": _("Entered from the portal"),
    "core.invitation_accepted": _("Invitation accepted"),
    "core.other_sessions_ended": _("Signed out everywhere else"),
    "core.password_changed": _("Password changed"),
    "core.password_reset": _("Password chosen anew by mail"),
    "core.password_reset_asked": _("Letter for a new password sent"),
    "core.person_disabled": _("Person disabled"),
    "core.person_enabled": _("Person enabled"),
    "core.person_erased": _("Person erased"),
    "core.person_invited": _("Person invited"),
    "core.person_renamed": _("Person renamed"),
    "core.profile_changed": _("Profile changed"),
    "core.registered": _("Account made"),
    "core.role_changed": _("Role changed"),
    "core.session_ended": _("Session ended"),
    "core.sessions_ended_by_reset": _("Sessions ended: password of the portal chosen anew"),
    "core.settings_changed": _("Settings changed"),
    "core.signed_in": _("Signed in"),
    "core.signed_out": _("Signed out"),
    "core.terms_accepted": _("Terms accepted"),
    "core.terms_published": _("Terms published"),
    "core.webhook_added": _("Webhook endpoint added"),
    "core.webhook_changed": _("Webhook endpoint changed"),
    "core.webhook_failed": _("Webhook endpoint switched off: it kept failing"),
    "core.webhook_removed": _("Webhook endpoint removed"),
    "core.webhook_secret_rotated": _("Webhook secret replaced"),
    "core.webhook_switched_off": _("Webhook endpoint switched off"),
    "core.webhook_switched_on": _("Webhook endpoint switched on"),
    "payments.account_connected": _("Card payments connected"),
    "payments.account_disconnected": _("Card payments disconnected"),
    "payment_account": _("Payment account"),
    "plugin": _("Product"),
    "session": _("Session"),
    "terms": _("Terms"),
    "user": _("Person"),
    "webhook_endpoint": _("Webhook endpoint"),
}


def titles_of(parts: Iterable[Plugin]) -> dict[str, LazyText | str]:
    """What the codes of all ``parts`` are called."""
    return {code: title for part in parts for code, title in part.audit_titles.items()}
