"""What plugins may use of core. Whatever is not named here may change without a word.

``docs/reference/api.md`` says how names come and go; it is written by ``python -m atrium.api``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

VERSION: Final = "1.15"
"""The second number grows when something is added, the first when something goes or changes."""

NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "core.audit.services": ("record", "record_each"),
    "core.auth.identity": ("Identity", "current", "required"),
    "core.billing.usage": ("record",),
    "core.clock": ("local", "now", "today"),
    "core.crypto": ("EncryptedDate", "EncryptedText", "mark", "marks", "ready"),
    "core.db": ("Base", "outside"),
    "core.documents.drawing": ("pdf",),
    "core.documents.letterhead": ("Letterhead", "letterhead"),
    "core.documents.sheet": (
        "Facts", "Prose", "Row", "Sheet", "Signature", "Signatures", "Table",
    ),
    "core.errors": (
        "Conflict", "DomainError", "EditedMeanwhile", "FieldError", "Forbidden", "Invalid",
        "NotFound", "Unauthenticated", "Unavailable",
    ),
    "core.events": ("Event", "emit"),
    "core.extension": ("Extension", "ExtensionFailed", "ExtensionPoint"),
    "core.flags": ("Flag", "UnknownFlag", "on"),
    "core.i18n": ("LazyText", "_", "fill", "gettext", "in_every_locale", "in_reading", "ngettext"),
    "core.ids": ("new_id",),
    "core.jobs": ("Actor", "GiveUp", "Schedule", "actor", "running_job"),
    "core.mail": ("address_of", "from_address", "send"),
    "core.money": ("Money", "round_to"),
    "core.notices": ("Channel", "Notice"),
    "core.notifications": ("notify",),
    "core.payments.events": ("PaymentAuthorised", "PaymentFailed"),
    "core.payments.services": ("NotAcceptingCards", "Payments", "accepts_cards"),
    "core.permissions": ("Permission", "Role", "member", "permission", "public"),
    "core.personal": ("PersonalData", "Rows"),
    "core.plugin": ("BUSINESS", "Meter", "NavItem", "Place", "Plugin", "Slot"),
    "core.plugin_settings": ("read", "read_at", "save"),
    "core.public_pages": ("PublicPage",),
    "core.quotas": ("Limit", "QuotaExceeded", "give_back", "take"),
    "core.scope": ("Tenant", "current"),
    "core.compute": ("ComputationFailed", "Refused", "TookTooLong", "run"),
    "core.storage.areas": ("FileArea",),
    "core.storage.models": ("StoredFile",),
    "core.storage.receiving": ("file", "picture"),
    "core.storage.services": ("content", "discard", "keep", "one", "several"),
    "core.terms": ("accepted_now", "asked_of"),
    "core.terms.fields": ("Accepted",),
    "core.testing": ("Business", "Rows", "conformance"),
    "core.throttle": ("Allowance",),
    "core.web.api": ("Cursor", "Listing", "expected", "page_of", "versioned"),
    "core.web.forms": (
        "Bound", "Form", "amount", "bind", "blank", "bound", "choice", "day", "decode", "email",
        "file", "long_text", "moment", "number", "password", "posted", "text", "tick",
        "typed_fields", "whole",
    ),
    "core.web.forms.fields": (
        "Form", "amount", "choice", "day", "email", "file", "long_text", "moment", "number",
        "password", "text", "tick", "whole",
    ),
    "core.web.listed": ("Listed",),
    "core.web.pages": ("Page", "SeeOther"),
    "core.web.slots": ("Slots",),
    "core.webhooks": ("Webhook",),
}  # fmt: skip
"""By module, the names that may be imported from it, or used of it after ``from core import …``."""
