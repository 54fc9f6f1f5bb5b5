"""The rules of the house: what each tenant may set for its car hire."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from core import plugin_settings
from core.errors import FieldError
from core.i18n import LazyText, _, fill
from core.web.forms.fields import Form, amount, long_text, text, tick, whole
from plugins.car_hire import framing

PLUGIN: Final = "car_hire"
_MINUTES: Final = _("minutes")


def _prefix(label: LazyText) -> msgspec.Meta:
    hint = _("Capital letters and digits; a series is this and the year: FT 2026.")
    return text(label, max=8, pattern=r"^[A-Z0-9]+$", hint=hint)


class Policy(Form, kw_only=True):
    """Minutes, years, and a fee net of tax in the tenant's currency."""

    grace_minutes: Annotated[
        int,
        whole(
            _("Grace at the return"),
            max=1440,
            unit=_MINUTES,
            hint=_(
                "How late a car may come back before another day or a late fee is charged. With"
                " less than 60, the night on which clocks are set back costs a day more."
            ),
        ),
    ] = 60
    buffer_minutes: Annotated[
        int,
        whole(
            _("Between two hires"),
            max=1440,
            unit=_MINUTES,
            hint=_("Time for cleaning and checking the car."),
        ),
    ] = 30
    early_minutes: Annotated[
        int,
        whole(
            _("Early pick-up"),
            max=1440,
            unit=_MINUTES,
            hint=_("How long before the agreed time a car may be handed over."),
        ),
    ] = 120
    late_fee_per_hour: Annotated[
        Decimal, amount(_("Late fee per hour"), hint=_("Before tax, for each hour begun."))
    ] = Decimal(15)
    minimum_age: Annotated[
        int,
        whole(
            _("Minimum age"),
            min=16,
            max=99,
            hint=_("Proposed for new classes; each class has its own."),
        ),
    ] = 21
    hold_minutes: Annotated[
        int,
        whole(
            _("Unpaid bookings are kept for"),
            min=5,
            max=1440,
            unit=_MINUTES,
            hint=_("Then the car is free for others again."),
        ),
    ] = 20
    quote_minutes: Annotated[
        int, whole(_("A shown price is good for"), min=5, max=10080, unit=_MINUTES)
    ] = 60

    offer_hours: Annotated[
        int,
        whole(
            _("An offer to who waits is held for"),
            min=1,
            max=168,
            unit=_("hours"),
            hint=_("When a car gets free. Then it goes to the next on the waiting list."),
        ),
    ] = 4
    cancel_free_hours: Annotated[
        int,
        whole(
            _("Cancelling is free until"),
            max=2160,
            unit=_("hours before"),
            hint=_("Before the pick-up. Bookings keep the rules that they were made by."),
        ),
    ] = 48
    cancel_percent: Annotated[
        int,
        whole(
            _("Kept when cancelled later"),
            max=100,
            unit="%",
            hint=_("Of the price; the rest goes back to the card."),
        ),
    ] = 0
    no_show_percent: Annotated[
        int, whole(_("Kept when nobody comes"), max=100, unit="%", hint=_("Of the price."))
    ] = 100
    change_hours: Annotated[
        int,
        whole(
            _("Customers may change dates until"),
            max=2160,
            unit=_("hours before"),
            hint=_("Before the pick-up, by themselves on the site. The desk may change any time."),
        ),
    ] = 2
    student_domains: Annotated[
        str,
        long_text(
            _("Addresses of students"),
            min=0,
            max=2000,
            hint=_(
                "One domain a line, such as ulisboa.pt. Who has confirmed an address there, or"
                " below it, is known as a student for a year; the desk looks at all others."
            ),
        ),
    ] = ""
    ask_reviews: Annotated[
        bool,
        tick(
            _("Ask customers how it was"),
            hint=_("A day after the return they get a letter with a link for one review."),
        ),
    ] = True
    legal_name: Annotated[
        str,
        text(
            _("Legal name of the business"),
            min=0,
            max=120,
            hint=_("As it stands on invoices. Invoices are made once name and tax number are set."),
        ),
    ] = ""
    seller_tax_number: Annotated[str, text(_("Tax number of the business"), min=0, max=30)] = ""
    seller_address: Annotated[
        str, long_text(_("Address of the business"), min=0, max=400, hint=_("In lines."))
    ] = ""
    seller_more: Annotated[
        str,
        long_text(
            _("More about the business"),
            min=0,
            max=400,
            hint=_("What your law wants on invoices: register and capital, licence, telephone."),
        ),
    ] = ""
    invoice_prefix: Annotated[str, _prefix(_("Prefix of invoices"))] = "FT"
    credit_note_prefix: Annotated[str, _prefix(_("Prefix of credit notes"))] = "NC"
    receipt_prefix: Annotated[str, _prefix(_("Prefix of receipts"))] = "RC"
    statement_prefix: Annotated[str, _prefix(_("Prefix of statements"))] = "EX"
    paper_note: Annotated[str, long_text(_("Note at the end of invoices"), min=0, max=600)] = ""

    framed_on: Annotated[
        str,
        long_text(
            _("Web sites that may show the search"),
            min=0,
            max=4000,
            hint=_(
                "One address a line, such as https://www.example.com. The line to copy there is"
                " on the page “Your web site” of the desk."
            ),
        ),
    ] = ""

    def check(self) -> Iterable[FieldError]:
        """Two kinds of papers cannot share a series; a web site has an address."""
        try:
            framing.origins(self.framed_on)
        except ValueError as problem:
            wrong = _("“{line}” is no address of a web site; write it with https://")
            yield FieldError("framed_on", fill(wrong, line=str(problem)[:80]))
        seen: set[str] = set()
        for field in ("invoice_prefix", "credit_note_prefix", "receipt_prefix", "statement_prefix"):
            prefix = getattr(self, field)
            if prefix in seen:
                yield FieldError(field, _("Another kind of paper has this prefix"))
            seen.add(prefix)

    later_fee: Annotated[
        Decimal,
        amount(
            _("Fee for handling a fine or toll"),
            hint=_("Before tax; it is added to what is charged after a hire."),
        ),
    ] = Decimal(25)

    @property
    def framed_by(self) -> tuple[str, ...]:
        """The origins of the web sites that may show the search."""
        return framing.origins(self.framed_on)

    @property
    def issues_papers(self) -> bool:
        """Whether it is known who the seller is, without which there is no invoice."""
        return bool(self.legal_name and self.seller_tax_number)

    photos_needed: Annotated[
        bool,
        tick(
            _("No car leaves or comes back without its photos"),
            hint=_("All eight of them, taken on the pages of check-out and check-in."),
        ),
    ] = False

    papers_days: Annotated[
        int,
        whole(
            _("Staff hear of papers that lapse"),
            min=1,
            max=180,
            unit=_("days before"),
            hint=_("Insurance, inspection and other papers of cars; once for each date."),
        ),
    ] = 30
    papers_needed: Annotated[
        bool,
        tick(
            _("No car leaves with papers that lapse during the hire"),
            hint=_("Otherwise the check-out only warns."),
        ),
    ] = False

    @property
    def buffer(self) -> timedelta:
        """What a car needs between two hires."""
        return timedelta(minutes=self.buffer_minutes)


async def read(session: AsyncSession) -> Policy:
    """The tenant's rules."""
    return await plugin_settings.read(session, PLUGIN, Policy)
