"""A business's own sender of mail in the portal: chosen, checked, tried, given up."""

from __future__ import annotations

from email.utils import parseaddr
from typing import Any, Final
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import Conflict, DomainError, NotFound
from core.i18n import _, fill, locale
from core.permissions import member
from core.scope import Tenant
from core.throttle import Allowance
from core.web.formatting import moment, on_the_clock_of
from core.web.forms import Bound, blank, posted
from core.web.http import AnyRequest, Session
from core.web.pages import Page, SeeOther
from tenants.domains import resolver
from tenants.portal.routes import access, parts, sender_texts
from tenants.portal.routes.domains import administered
from tenants.portal.schemas import SenderChoice
from tenants.portal.services.businesses import Business
from tenants.senders import services, trial, views
from tenants.senders.checking import SenderInspector
from tenants.senders.trial import Signature, Trial
from tenants.senders.views import SenderView, Status

TRIALS: Final = Allowance("sender_trial", attempts=5, seconds=600)
"""Per business: its mail server is not for bombing somebody's mailbox."""


class SenderPage(Controller):
    """Pages of those who administer the business; to strangers it does not exist."""

    path = "/businesses/{business_id:uuid}/sender"
    include_in_schema = False

    @get("/", access=member)
    async def show(
        self, request: AnyRequest, session: Session, business_id: FromPath[UUID]
    ) -> Page:
        """The address with the records to make and what is there."""
        business = await administered(request, session, business_id)
        return await _page(request, session, business)

    @post("/", access=member, status_code=200)
    async def choose(
        self, request: AnyRequest, session: Session, business_id: FromPath[UUID]
    ) -> Response[Any]:
        """Choose an address, or change what is shown beside it."""
        business = await administered(request, session, business_id)
        form = await posted(request, SenderChoice)
        try:
            await choose(request, session, business, form.value)
        except DomainError as problem:
            if form.ok:
                form.refuse(problem)
            return await _page(request, session, business, form)
        return _back(business, _("Saved. Letters leave from it once its records are found."))

    @post("/check", access=member, status_code=200)
    async def check(
        self, request: AnyRequest, session: Session, business_id: FromPath[UUID]
    ) -> SeeOther:
        """Look at its records now."""
        business = await administered(request, session, business_id)
        await inspector(request).ask(session, business.id)
        sender = await services.one(session, business.id)
        found = await views.view(session, parts.settings(request), sender)
        if found.status is Status.WORKING:
            return _back(business, fill(_("Letters leave from {address}."), address=found.address))
        text = fill(_("{address} is not ready yet: see what was found."), address=found.address)
        return _back(business, text, "warning")

    @post("/key", access=member, status_code=200)
    async def renew_key(
        self, request: AnyRequest, session: Session, business_id: FromPath[UUID]
    ) -> SeeOther:
        """Make another key; it signs once its record is found."""
        business = await administered(request, session, business_id)
        await services.renew_key(session, business.id)
        text = _("Publish the record of the new key; until it is found, the present one signs.")
        return _back(business, text)

    @post("/trial", access=member, status_code=200)
    async def try_out(
        self, request: AnyRequest, session: Session, business_id: FromPath[UUID]
    ) -> SeeOther:
        """Send a letter to oneself, and say what became of it."""
        business = await administered(request, session, business_id)
        done = await attempt(request, session, business)
        text = sender_texts.outcome(done, parts.member().email)
        good = done.outcome.reason is None and done.signature is Signature.RIGHT
        return _back(business, text, "success" if good else "warning")

    @post("/release", access=member, status_code=200)
    async def release(
        self, request: AnyRequest, session: Session, business_id: FromPath[UUID]
    ) -> SeeOther:
        """Give it up; letters leave from our address."""
        business = await administered(request, session, business_id)
        gone = await services.release(session, parts.signals(request), business.id)
        return _back(business, fill(_("{address} is removed."), address=gone.address))


async def choose(
    request: AnyRequest, session: AsyncSession, business: Business, wanted: SenderChoice
) -> None:
    """Note the address that the business sends from.

    Raises:
        Invalid, SenderTaken: naming the field at fault.
    """
    await services.choose(
        session,
        parts.settings(request),
        parts.signals(request),
        business.id,
        address=wanted.address,
        name=wanted.name,
        reply_to=wanted.reply_to,
    )


async def attempt(request: AnyRequest, session: AsyncSession, business: Business) -> Trial:
    """Send a letter to whoever asks for it.

    Raises:
        NotFound: the business has no address of its own.
        Conflict: it does not send from it now.
        TooManyRequests
    """
    await services.one(session, business.id)
    tenant = await _served(request, business)
    if tenant.sender is None or tenant.sender.fallen_back:
        raise Conflict(_("Once its records are right, a letter can be tried"))
    await parts.authority(request).throttle.take(TRIALS, str(business.id))
    person = parts.member()
    return await trial.send(
        session,
        resolver.installed(),
        tenant,
        tenant.sender,
        to=person.email,
        name=person.name,
        locale=locale(),
    )


def inspector(request: AnyRequest) -> SenderInspector:
    """Looks at DNS for this request."""
    return SenderInspector(
        settings=parts.settings(request),
        signals=parts.signals(request),
        resolver=resolver.installed(),
    )


async def _served(request: AnyRequest, business: Business) -> Tenant:
    found = await parts.directory(request).by_id(business.id)
    if found is None:
        raise NotFound
    return found


def _back(business: Business, text: Any, level: str = "success") -> SeeOther:
    return SeeOther(f"{access.path_of(business)}/sender", flash=text, level=level)


async def _page(
    request: AnyRequest,
    session: AsyncSession,
    business: Business,
    refused: Bound[SenderChoice] | None = None,
) -> Page:
    kept = await services.of(session, business.id)
    sender = await views.view(session, parts.settings(request), kept) if kept else None
    known = {name: value for name, value in _typed(sender).items() if value}
    return Page(
        "portal/sender/show.html",
        {
            "business": business,
            "form": refused or blank(SenderChoice, known),
            "sender": sender,
            "ours": parseaddr(parts.settings(request).mail_from)[1],
            "statuses": sender_texts.STATUS_NAMES,
            "headings": sender_texts.HEADINGS,
            "states": sender_texts.STATE_NAMES,
            "advice": sender_texts.advice,
            "moments": _moments(business, sender) if sender else {},
            **access.standing(business),
        },
        status=422 if refused is not None else 200,
    )


def _typed(sender: SenderView | None) -> dict[str, str | None]:
    if sender is None:
        return {}
    return {"address": sender.address, "name": sender.name, "reply_to": sender.reply_to}


def _moments(business: Business, sender: SenderView) -> dict[str, str]:
    """When it was looked at, and until when former keys are wanted, by the business's clocks."""
    with on_the_clock_of(business.zone):
        retiring = {
            each.name: moment(each.retires_at) for each in sender.records if each.retires_at
        }
        return retiring | ({"checked": moment(sender.checked_at)} if sender.checked_at else {})
