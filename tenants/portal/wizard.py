"""The sign-up wizard: its steps, and how far a draft has come through them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import msgspec

from core.auth.identity import Identity
from core.errors import FieldError
from core.i18n import LazyText, _
from core.plugin import Plugins
from core.web.forms import Bound, bind, blank
from tenants.portal.models import SignUpDraft
from tenants.portal.schemas import Address, Business, Hosting, KeptOwner, Owner, Products
from tenants.portal.services.sign_up import Account, Wanted


@dataclass(frozen=True, slots=True)
class Step:
    """A page of the wizard; ``struct`` is what it asks for."""

    name: str
    title: LazyText
    struct: type[msgspec.Struct]

    @property
    def path(self) -> str:
        """Where it is found."""
        return f"/sign-up/{self.name}"

    @property
    def template(self) -> str:
        """How it looks."""
        return f"portal/sign_up/{self.name}.html"


STEPS: Final = (
    Step("business", _("Business"), Business),
    Step("products", _("Products"), Products),
    Step("hosting", _("Hosting"), Hosting),
    Step("address", _("Address"), Address),
    Step("owner", _("Owner"), Owner),
)
REVIEW: Final = "review"
BY_NAME: Final = {step.name: step for step in STEPS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A step in the list at the top; ``state`` is done, current or ahead."""

    title: LazyText
    name: str
    state: str


class Journey:
    """A draft on its way; ``identity`` is who is signed in, ``products`` what is installed."""

    def __init__(
        self, draft: SignUpDraft | None, identity: Identity | None, products: Plugins
    ) -> None:
        self._data: Mapping[str, Any] = draft.data if draft else {}
        self.password_hash = draft.password_hash if draft else None
        self.identity = identity
        self.products = products

    def struct(self, step: Step) -> type[msgspec.Struct]:
        """What ``step`` asks for: a password only once."""
        return KeptOwner if step.name == "owner" and self.password_hash else step.struct

    def bind(self, step: Step, typed: Mapping[str, Any]) -> Bound[Any]:
        """``typed`` as the form of ``step``, with everything that is wrong with it."""
        form: Bound[Any] = bind(self.struct(step), typed)
        if step.name == "products" and form.ok:
            unknown = set(form.value.products) - set(self.products.working)
            if unknown:
                form.errors.append(FieldError("products", _("Choose from the list.")))
        return form

    def form(self, step: Step, initial: Mapping[str, Any] | None = None) -> Bound[Any]:
        """The form of ``step`` as it was left, or with ``initial`` before anybody typed."""
        typed = self._data.get(step.name)
        return blank(self.struct(step), initial) if typed is None else self.bind(step, typed)

    def typed(self, step: str) -> Mapping[str, Any]:
        """What was typed in a step, right or wrong."""
        typed: Mapping[str, Any] = self._data.get(step, {})
        return typed

    def is_done(self, step: Step) -> bool:
        """Whether nothing more has to be asked there."""
        if step.name == "owner" and self.identity is not None:
            return True
        if step.name == "owner" and self.password_hash is None:
            return False
        return step.name in self._data and self._forms[step.name].ok

    @cached_property
    def _forms(self) -> dict[str, Bound[Any]]:
        return {step.name: self.form(step) for step in STEPS}

    @property
    def first_open(self) -> Step | None:
        """The first step that is not done; None when all may be reviewed."""
        return next((step for step in STEPS if not self.is_done(step)), None)

    def may_see(self, step: Step) -> bool:
        """Whether everything before ``step`` is done."""
        first = self.first_open
        return first is None or STEPS.index(step) <= STEPS.index(first)

    def marks(self, current: str) -> list[Mark]:
        """The steps as the list at the top shows them."""
        marks = [
            Mark(title=step.title, name=step.name, state=self._state(step, current))
            for step in STEPS
        ]
        state = "current" if current == REVIEW else "ahead"
        return [*marks, Mark(title=_("Review"), name=REVIEW, state=state)]

    def _state(self, step: Step, current: str) -> str:
        if step.name == current:
            return "current"
        return "done" if self.is_done(step) and self.may_see(step) else "ahead"

    def answer(self, step: str) -> Any:
        """What a finished step says.

        Raises:
            Invalid: it is not finished.
        """
        return self._forms[step].value

    def wanted(self, locale: str) -> Wanted:
        """The business that a finished draft asks for."""
        business: Business = self.answer("business")
        return Wanted(
            name=" ".join(business.name.split()),
            slug=self.answer("address").slug,
            zone=business.zone,
            currency=business.currency,
            country=business.country,
            products=tuple(sorted(set(self.answer("products").products))),
            hosting=self.answer("hosting").hosting,
            locale=locale,
        )

    def account(self) -> Account:
        """Who asks for it: whoever is signed in, or a new account."""
        if self.identity is not None:
            person = self.identity
            return Account(id=person.user_id, name=person.name, email=person.email)
        owner: Owner = self.answer("owner")
        return Account(name=owner.name, email=owner.email.lower(), password_hash=self.password_hash)


def after(step: Step) -> str:
    """The path of the page that follows ``step``."""
    position = STEPS.index(step) + 1
    return STEPS[position].path if position < len(STEPS) else f"/sign-up/{REVIEW}"


def before(step: Step) -> str:
    """The path of the page before ``step``."""
    position = STEPS.index(step)
    return STEPS[position - 1].path if position else "/"
