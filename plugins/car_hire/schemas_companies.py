"""What people send us about companies that hire on account."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from core.i18n import _
from core.web.forms.fields import Form, choice, email, long_text, number, text, tick, whole
from plugins.car_hire.models import DEPOSITS


class CompanyInput(Form, kw_only=True):
    """Who pays, by when, and up to how much."""

    name: Annotated[str, text(_("Name of the company"), min=2, max=120)]
    tax_number: Annotated[str, text(_("Tax number"), min=4, max=30)]
    billing_address: Annotated[
        str, long_text(_("Billing address"), min=0, max=400, hint=_("In lines."))
    ] = ""
    contact_name: Annotated[str, text(_("Contact"), min=2, max=120)]
    contact_email: Annotated[str, email(_("E-mail for statements"))]
    contact_phone: Annotated[str, text(_("Phone"), min=0, max=30)] = ""
    terms_days: Annotated[int, whole(_("To be paid within"), max=180, unit=_("days"))] = 30
    credit_limit: (
        Annotated[
            Decimal,
            number(
                _("Credit limit"), min="0", max="9999999", decimals=2,
                hint=_("The most that may be unpaid, booked hires included. Empty: any amount."),
            ),
        ]
        | None
    ) = None  # fmt: skip
    deposit: Annotated[Literal["usual", "none"], choice(_("Deposit"), DEPOSITS)] = "none"
    on_account: Annotated[bool, tick(_("May hire on account now"))] = True


class MemberInput(Form, kw_only=True):
    """A customer who hires for the company."""

    email: Annotated[
        str, email(_("The customer's e-mail address"), hint=_("They are written down already."))
    ]
    sees_statements: Annotated[bool, tick(_("Sees the statements in their account"))] = False


class StatementPaidInput(Form, kw_only=True):
    """A transfer that came for a statement."""

    amount: Annotated[Decimal, number(_("Received"), min="0.01", max="9999999", decimals=2)]
    version: int = 1
    """Of the statement, as it was seen: one transfer is noted once."""
