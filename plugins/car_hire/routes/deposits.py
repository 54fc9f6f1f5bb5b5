"""A deposit that is to be authorised again, behind the link of a letter."""

from __future__ import annotations

from typing import Final

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import DomainError
from core.money import Money
from core.payments.services.payments import Payments
from core.payments.states import FAILED, State
from core.permissions import public
from core.throttle import Allowance
from core.web.forms import Bound, blank, posted
from core.web.pages import Page, SeeOther
from plugins.car_hire.models import Hire
from plugins.car_hire.routes.http import AnyRequest
from plugins.car_hire.routes.site import card_of
from plugins.car_hire.schemas import CardInput
from plugins.car_hire.services import paying
from plugins.car_hire.services.paying import renewing

TRIES: Final = Allowance("car_hire.deposits", 30, 10 * 60)
"""Cards tried from one address: a customer has a few, who tests stolen ones has too many."""
ANSWERS: Final = Allowance("car_hire.deposit_answers", 30, 10 * 60)
"""Answers to the bank from one address."""
_UNSEEN: Final = {"referrer-policy": "no-referrer", "x-robots-tag": "noindex"}
"""The address is a secret: no other site and no search engine hears of it."""
Session = NamedDependency[AsyncSession]


class Deposit(Controller):
    """What a customer finds behind their link; they need not sign in."""

    path = "/car-hire/deposits"
    include_in_schema = False

    @get("/{secret:str}", access=public)
    async def show(self, session: Session, secret: FromPath[str]) -> Page:
        """How much is to be reserved, or thanks."""
        return await _page(session, secret, blank(CardInput))

    @post("/{secret:str}", access=public, allowance=TRIES)
    async def reserve(
        self, request: AnyRequest, session: Session, secret: FromPath[str]
    ) -> Page | SeeOther:
        """Reserve the deposit on another card; the amount is the hire's."""
        refusal, hire, _booking = await renewing.by_link(session, secret)
        if refusal.answered_at is not None:
            return SeeOther(f"/car-hire/deposits/{secret}")  # a link takes one card
        form = await posted(request, CardInput)
        try:
            await paying.pay_deposit(session, hire.id, form.value.payment_method)
        except DomainError as error:
            return await _page(session, secret, form.refuse(error), error.status)
        return SeeOther(f"/car-hire/deposits/{secret}")

    @post("/{secret:str}/answer", access=public, allowance=ANSWERS)
    async def answered(self, session: Session, secret: FromPath[str]) -> Page | SeeOther:
        """The cardholder has answered the bank."""
        _refusal, hire, _booking = await renewing.by_link(session, secret)
        try:
            await paying.answered(session, paying.HIRE, hire.id, paying.DEPOSIT)
        except DomainError as error:
            return await _page(session, secret, blank(CardInput).refuse(error), error.status)
        return SeeOther(f"/car-hire/deposits/{secret}")


async def _page(
    session: AsyncSession, secret: str, form: Bound[CardInput], status: int = 200
) -> Page:
    refusal, hire, booking = await renewing.by_link(session, secret)
    card = await card_of(session)
    return Page(
        "car_hire/site/deposit.html",
        {
            "here": f"/car-hire/deposits/{secret}",
            "booking": booking,
            "amount": Money(hire.deposit, hire.currency),
            "done": refusal.answered_at is not None,
            "over": not hire.needs_hold,
            "waiting": await _waits_for_bank(session, hire),
            "card": card,
            "form": form,
        },
        status=status,
        headers=_UNSEEN,
        csp=card.csp if card else None,
    )


async def _waits_for_bank(session: AsyncSession, hire: Hire) -> object | None:
    for each in reversed(await Payments(session).of(paying.HIRE, hire.id)):
        if paying.kind_of(each.purpose) == paying.DEPOSIT and each.standing not in FAILED:
            return each if each.standing is State.REQUIRES_ACTION else None
    return None


CONTROLLERS: Final = (Deposit,)
