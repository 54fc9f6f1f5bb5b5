"""Terms as everybody reads them, and the page that asks for their acceptance."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from markupsafe import Markup
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.auth.guard import safe_next
from core.auth.identity import Identity
from core.db import outside
from core.errors import DomainError
from core.i18n import _, locale
from core.permissions import member, public
from core.terms import services
from core.terms.fields import Accepted
from core.terms.services import KINDS
from core.terms.text import shown
from core.terms.web import ACCEPTANCE
from core.web.forms import Bound, Form, blank, posted
from core.web.http import AnyRequest, Session
from core.web.pages import Page, SeeOther
from core.web.shell import LANGUAGES

TERMS: Final = "/terms"


class AcceptanceForm(Form):
    """That the versions shown are accepted, and where to go then."""

    terms: Accepted | None = None
    next: str | None = None


class Terms(Controller):
    """``/terms``: public, printable, with every earlier version."""

    path = TERMS
    include_in_schema = False

    @get(access=public)
    async def everything(self, session: Session) -> Page:
        """What is in force, with its text, what is to come, and what was."""
        editions, moment = await services.published(session), clock.now()
        current = await services.current(session)
        written = {
            each.kind: (await services.text_of(session, each.kind, each.number, locale()))[0]
            for each in current
        }
        texts = await outside(session, lambda: _shown(written))
        context = {
            "current": current,
            "texts": texts,
            "to_come": [each for each in editions if each.valid_from > moment],
            "earlier": [
                each for each in editions if each.valid_from <= moment and each not in current
            ],
        }
        return Page("terms/all.html", context)

    @get("/{kind:str}/{number:int}", access=public)
    async def one(
        self,
        session: Session,
        kind: FromPath[str],
        number: FromPath[int],
        language: FromQuery[str | None] = None,
    ) -> Page:
        """One version, in the reader's language or in ``language``."""
        text, spoken = await services.text_of(session, kind, number, language or locale())
        editions = await services.published(session)
        edition = next(each for each in editions if (each.kind, each.number) == (kind, number))
        current = await services.current(session)
        context = {
            "edition": edition,
            "text": await outside(session, partial(shown, text)),
            "spoken": spoken,
            "languages": LANGUAGES,
            "is_current": edition in current,
            "is_to_come": edition.valid_from > clock.now(),
        }
        return Page("terms/one.html", context)


async def _shown(written: Mapping[str, str]) -> dict[str, Markup]:
    return {kind: await shown(text) for kind, text in written.items()}


class Acceptance(Controller):
    """Asked after sign-in, as long as something is due."""

    path = ACCEPTANCE
    include_in_schema = False

    @get(access=member)
    async def ask(
        self,
        session: Session,
        identity: NamedDependency[Identity],
        next: FromQuery[str | None] = None,  # noqa: A002  # the parameter's name in addresses
    ) -> Page | SeeOther:
        """What is new, until when it can wait, and the box to tick."""
        return await _page(session, identity, blank(AcceptanceForm, {"next": safe_next(next)}))

    @post(access=member, status_code=200)
    async def accept(
        self, request: AnyRequest, session: Session, identity: NamedDependency[Identity]
    ) -> Page | SeeOther:
        """Note it, and go on."""
        form = await posted(request, AcceptanceForm)
        try:
            given = form.value
            asked = await services.due(session, identity.user_id)
            await services.accept(session, identity.user_id, asked.editions, given.terms)
        except DomainError as problem:
            return await _page(session, identity, form.refuse(problem), problem.status)
        return SeeOther(safe_next(given.next), flash=_("Thank you. It is noted which version."))


async def _page(
    session: AsyncSession, person: Identity, form: Bound[AcceptanceForm], status: int = 200
) -> Page | SeeOther:
    asked = await services.due(session, person.user_id)
    onward = safe_next(form.typed("next"))
    if not asked.editions:
        return SeeOther(onward)
    context = {"form": form, "due": asked, "onward": onward, "kinds": KINDS}
    return Page("terms/acceptance.html", context, status=status)
