"""Publishing terms: one form and one page for the operator and for each business."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from litestar import Controller, Response, get, post
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import DomainError
from core.i18n import _
from core.permissions import MANAGE_SETTINGS, permission
from core.terms import services
from core.terms.services import KINDS, LONGEST, Edition
from core.web.forms import Bound, Form, blank, choice, long_text, moment, posted
from core.web.http import AnyRequest, Session
from core.web.pages import Page, SeeOther

CHANGES: Final = {
    "accept": _("Ask everybody to accept it"),
    "inform": _("For information: nobody is asked again"),
}
_MARKDOWN: Final = _("Plain Markdown: # headings, - lists, **bold**, tables and links.")


class NewTerms(Form):
    """A version to be published; an empty language is one that it does not have."""

    kind: Annotated[Literal["terms", "privacy"], choice(_("Document"), KINDS)] = "terms"
    text_en: Annotated[str, long_text(_("Text in English"), max=LONGEST, hint=_MARKDOWN)] = ""
    text_pt: Annotated[str, long_text(_("Text in Portuguese"), max=LONGEST)] = ""
    valid_from: (
        Annotated[datetime, moment(_("In force from"), hint=_("Empty: from now on."))] | None
    ) = None
    change: Annotated[Literal["accept", "inform"], choice(_("Change"), CHANGES, look="radio")] = (
        "accept"
    )
    accept_by: (
        Annotated[
            datetime,
            moment(_("To be accepted by"), hint=_("Empty: as soon as it is in force.")),
        ]
        | None
    ) = None


async def publish(session: AsyncSession, wanted: NewTerms) -> Edition:
    """Publish what the form says.

    Raises:
        Invalid, Conflict: see ``core.terms.services.publish``.
    """
    return await services.publish(
        session,
        wanted.kind,
        {"en": wanted.text_en or "", "pt": wanted.text_pt or ""},
        valid_from=wanted.valid_from,
        must_accept=wanted.change == "accept",
        accept_by=wanted.accept_by,
    )


async def publishing_page(
    session: AsyncSession,
    around: str,
    action: str,
    form: Bound[NewTerms] | None = None,
    *,
    may_publish: bool = True,
    status: int = 200,
) -> Page:
    """What was published, and the form for more; ``around`` is the shell's template."""
    context: dict[str, Any] = {
        "around": around,
        "action": action,
        "form": form or blank(NewTerms),
        "editions": await services.published(session),
        "current": await services.current(session),
        "moment": clock.now(),
        "may_publish": may_publish,
    }
    return Page("terms/publishing.html", context, status=status)


class TermsSettings(Controller):
    """A business publishes its own terms for its customers."""

    path = "/settings/terms"
    include_in_schema = False

    @get(access=permission(MANAGE_SETTINGS.name))
    async def show(self, session: Session) -> Page:
        """Every version, and a form for the next."""
        return await publishing_page(session, "shell/desk.html", self.path)

    @post(access=permission(MANAGE_SETTINGS.name), status_code=200, idempotent=True)
    async def publish(self, request: AnyRequest, session: Session) -> Response[Any]:
        """Publish the next version."""
        form = await posted(request, NewTerms)
        try:
            await publish(session, form.value)
        except DomainError as problem:
            form.refuse(problem)
            return await publishing_page(
                session, "shell/desk.html", self.path, form, status=problem.status
            )
        return SeeOther(self.path, flash=_("It is published."))
