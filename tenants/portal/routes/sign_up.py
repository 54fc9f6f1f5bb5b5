"""The sign-up wizard, step by step; what was typed waits on the server."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from litestar import Controller, Response, get, post
from litestar.datastructures import Cookie
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from core import origin, terms
from core.auth import recovery
from core.auth.allowances import SIGN_UPS_PER_SOURCE
from core.auth.identity import Identity
from core.auth.names import clean_email, clean_name
from core.auth.passwords import check_rules
from core.auth.recovery_routes import CONFIRM
from core.auth.services import EmailTaken, enter
from core.auth.tokens import fresh_token
from core.auth.web import session_cookie
from core.clock import now
from core.db import outside
from core.errors import DomainError, Invalid, NotFound
from core.i18n import _, locale
from core.permissions import public
from core.terms.fields import Accepted
from core.terms.services import Edition
from core.web.forms import Bound, Form, blank, posted, typed_fields
from core.web.http import AnyRequest, Session
from core.web.pages import Page, SeeOther, is_secure
from tenants import lifecycle
from tenants.lifecycle import SlugTaken
from tenants.portal import choices, wizard
from tenants.portal.models import SignUpDraft
from tenants.portal.routes import parts
from tenants.portal.routes.wizard_pages import availability, step_page
from tenants.portal.services import drafts, sign_up
from tenants.portal.wizard import BY_NAME, REVIEW, Journey, Step

NEXT: Final = "next"
BACK: Final = "back"
SIGNS_IN_AGAIN: Final = timedelta(seconds=30)
"""For so long the repeated send of a double click is signed in like the first."""


class Agreement(Form):
    """That the operator's terms are accepted, where there are any."""

    terms: Accepted | None = None


class SignUp(Controller):
    """From a name to a business that is being made."""

    path = "/sign-up"
    include_in_schema = False

    @get("/", access=public)
    async def start(self, request: AnyRequest, session: Session) -> Response[Any]:
        """Go on where the draft was left, or begin one."""
        draft = await drafts.find(session, _token_of(request))
        if draft is None or draft.tenant_id is not None:
            return SeeOther(wizard.STEPS[0].path, cookies=[_cookie(request, fresh_token())])
        step = _journey(request, draft).first_open
        return SeeOther(step.path if step else f"/sign-up/{REVIEW}")

    @get("/availability", access=public)
    async def check_address(
        self, session: Session, request: AnyRequest, slug: FromQuery[str] = ""
    ) -> Page:
        """Whether an address is free, while it is typed."""
        return Page(
            "portal/sign_up/availability.html",
            await availability(session, parts.settings(request), slug[: drafts.LONGEST]),
        )

    @get("/review", access=public)
    async def review(self, request: AnyRequest, session: Session) -> Response[Any]:
        """Everything once more, before anything is made."""
        draft = await drafts.find(session, _token_of(request))
        if draft is not None and draft.tenant_id is not None:
            return await _finished(request, session, draft)
        journey = _journey(request, draft)
        if (step := journey.first_open) is not None:
            return SeeOther(step.path)
        editions = await _asked(session)
        return _review_page(request, journey, blank(Agreement), editions)

    @post("/review", access=public, status_code=200)
    async def submit(self, request: AnyRequest, session: Session) -> Response[Any]:
        """Make it. However often this is sent, one business comes of one draft."""
        draft = await drafts.find(session, _token_of(request), lock=True)
        if draft is None:
            return SeeOther("/sign-up")
        if draft.tenant_id is not None:
            return await _finished(request, session, draft)
        journey = _journey(request, draft)
        if (step := journey.first_open) is not None:
            return SeeOther(step.path)
        authority, account = parts.authority(request), journey.account()
        form, editions = await posted(request, Agreement), await _asked(session)
        try:
            terms.insist_accepted(editions, form.value.terms)
        except Invalid as problem:
            form.refuse(problem)
            return _review_page(request, journey, form, editions, problem.status)
        try:
            made = await sign_up.submit(session, authority, journey.wanted(locale()), account)
        except SlugTaken:
            text = _("Somebody has just taken this address. Please choose another one.")
            return SeeOther(BY_NAME["address"].path, flash=text, level="warning")
        except EmailTaken as problem:
            return SeeOther(BY_NAME["owner"].path, flash=problem.message, level="warning")
        await terms.accept(session, made.account_id, editions, form.value.terms)
        new_account = made.account_id if made.token else None
        if new_account is not None:
            link = f"{parts.settings(request).public_url}{CONFIRM}"
            await recovery.welcome(session, authority, new_account, link)
        await drafts.close(session, draft, made.ordered.tenant_id, new_account)
        return SeeOther(
            _progress_path(draft),
            cookies=[session_cookie(authority, made.token)] if made.token else None,
        )

    @get("/{name:str}", access=public)
    async def show(
        self, request: AnyRequest, session: Session, name: FromPath[str]
    ) -> Response[Any]:
        """One step, as it was left."""
        step, token = _step(name), _token_of(request)
        draft = await drafts.find(session, token)
        if draft is not None and draft.tenant_id is not None:
            return await _finished(request, session, draft)
        journey = _journey(request, draft)
        if not journey.may_see(step):
            open_step = journey.first_open
            assert open_step is not None
            return SeeOther(open_step.path)
        page = await step_page(request, session, journey, step)
        if not token:
            page.set_cookie(_cookie(request, fresh_token()))
        return page

    @post("/{name:str}", access=public, status_code=200)
    async def answer(
        self, request: AnyRequest, session: Session, name: FromPath[str]
    ) -> Response[Any]:
        """Take down a step and go on, or back; wrong answers are shown beside their fields."""
        step, sent = _step(name), _token_of(request)
        token = sent or fresh_token()
        draft = await drafts.find(session, token)
        if draft is not None and draft.tenant_id is not None:
            return await _finished(request, session, draft)
        typed = await typed_fields(request)
        go = str(typed.pop("go", NEXT))
        journey = _journey(request, draft)
        cookies = [] if sent else [_cookie(request, token)]
        if not (step.name == "owner" and journey.identity is not None):
            form = journey.bind(step, typed)
            if go == NEXT:
                await _check(request, session, step, form)
                if not form.ok:
                    return await step_page(request, session, journey, step, form, cookies)
            await _keep(request, session, token, step, typed, form)
        if go == BACK:
            return SeeOther(wizard.before(step), cookies=cookies)
        if go in BY_NAME:
            return SeeOther(BY_NAME[go].path, cookies=cookies)
        session.expire_all()
        journey = _journey(request, await drafts.find(session, token))
        onward = journey.first_open
        return SeeOther(onward.path if onward else f"/sign-up/{REVIEW}", cookies=cookies)

    @post("/{name:str}/draft", access=public, status_code=204)
    async def keep(self, request: AnyRequest, session: Session, name: FromPath[str]) -> None:
        """Take down what is being typed, so that a reload loses nothing."""
        step, token = _step(name), _token_of(request)
        typed = await typed_fields(request)
        typed.pop("go", None)
        typed.pop("password", None)
        if token and not (step.name == "owner" and parts.identity() is not None):
            await drafts.keep(session, token, step.name, typed)


async def _asked(session: AsyncSession) -> Sequence[Edition]:
    """What must be accepted with this business: all of it, or what an account has not yet."""
    person = parts.identity()
    if person is None:
        return await terms.current(session)
    return (await terms.due(session, person.user_id)).editions


def _review_page(
    request: AnyRequest,
    journey: Journey,
    form: Bound[Agreement],
    editions: Sequence[Edition],
    status: int = 200,
) -> Page:
    wanted = journey.wanted(locale())
    return Page(
        "portal/sign_up/review.html",
        {
            "marks": journey.marks(REVIEW),
            "wanted": wanted,
            "account": journey.account(),
            "products": parts.products(request).enabled(wanted.products),
            "country": choices.country_name(wanted.country) if wanted.country else None,
            "currency": choices.currency_name(wanted.currency),
            "url": parts.settings(request).tenant_url(wanted.slug, ""),
            "form": form,
            "editions": editions,
        },
        status=status,
    )


def _step(name: str) -> Step:
    try:
        return BY_NAME[name]
    except KeyError:
        raise NotFound from None


def _journey(request: AnyRequest, draft: SignUpDraft | None) -> Journey:
    return Journey(draft, parts.identity(), parts.products(request))


def _cookie_name(request: AnyRequest) -> str:
    return "__Host-sign-up" if is_secure(request) else "sign-up"


def _token_of(request: AnyRequest) -> str:
    return request.cookies.get(_cookie_name(request), "")


def _cookie(request: AnyRequest, token: str) -> Cookie:
    return Cookie(
        key=_cookie_name(request),
        value=token,
        max_age=int(drafts.KEPT_FOR.total_seconds()),
        httponly=True,
        secure=is_secure(request),
        samesite="lax",
    )


async def _check(request: AnyRequest, session: AsyncSession, step: Step, form: Bound[Any]) -> None:
    """What only the database can tell about an answer that is well formed."""
    if not form.ok:
        return
    try:
        if step.name == "address" and not await lifecycle.is_available(session, form.value.slug):
            raise SlugTaken(field="slug")
        if step.name == "owner":
            await _check_owner(request, session, form.value)
    except DomainError as problem:
        if not problem.errors:
            raise
        form.refuse(problem)


async def _check_owner(request: AnyRequest, session: AsyncSession, owner: Any) -> None:
    email, name = clean_email(owner.email), clean_name(owner.name)
    if owner.password is not None:
        check_rules(owner.password, email=email, name=name)
    await parts.authority(request).throttle.take(SIGN_UPS_PER_SOURCE, origin.line())
    if await sign_up.has_account(session, email):
        raise EmailTaken(field="email")


async def _keep(
    request: AnyRequest,
    session: AsyncSession,
    token: str,
    step: Step,
    typed: dict[str, Any],
    form: Bound[Any],
) -> None:
    password = typed.pop("password", "")
    await drafts.keep(session, token, step.name, typed)
    if step.name == "owner" and password and form.ok:
        passwords = parts.authority(request).passwords
        hashed = await outside(session, lambda: passwords.hash(password))
        await drafts.keep_password(session, token, hashed)


async def _finished(
    request: AnyRequest, session: AsyncSession, draft: SignUpDraft
) -> Response[Any]:
    """A draft that became a business leads there. The second send of a double click replaces
    the first one's answer in the browser, so it must sign in as the first one did."""
    cookies: list[Cookie] = []
    identity: Identity | None = parts.identity()
    fresh = now() - draft.changed_at < SIGNS_IN_AGAIN
    if identity is None and draft.new_account_id is not None and fresh:
        authority = parts.authority(request)
        signed_in = await enter(session, authority, draft.new_account_id, "portal.signed_up")
        cookies.append(session_cookie(authority, signed_in.token))
    return SeeOther(_progress_path(draft), cookies=cookies)


def _progress_path(draft: SignUpDraft) -> str:
    return f"/businesses/{draft.tenant_id}/progress"
