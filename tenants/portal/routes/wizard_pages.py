"""How each step of the wizard is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar.datastructures import Cookie
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import Invalid
from core.settings import Settings
from core.web.forms import Bound
from core.web.http import AnyRequest
from core.web.pages import Page
from tenants import lifecycle, slugs
from tenants.lifecycle import SlugTaken
from tenants.portal import choices, wizard
from tenants.portal.routes import parts
from tenants.portal.wizard import Journey, Step


async def step_page(
    request: AnyRequest,
    session: AsyncSession,
    journey: Journey,
    step: Step,
    refused: Bound[Any] | None = None,
    cookies: list[Cookie] | None = None,
) -> Page:
    """One step; ``refused`` is the form that was just sent, with what is wrong with it."""
    context: dict[str, Any] = {
        "step": step,
        "marks": journey.marks(step.name),
        "form": refused or journey.form(step),
        "back": wizard.before(step),
    }
    match step.name:
        case "business":
            context |= _business(request, journey, step, refused)
        case "products":
            context["products"] = list(journey.products)
        case "address":
            context |= await _address(request, session, journey, step, refused)
        case "owner":
            context |= {"account": journey.identity, "has_password": bool(journey.password_hash)}
    status = 422 if refused is not None else 200
    return Page(step.template, context, status=status, cookies=cookies)


def _business(
    request: AnyRequest, journey: Journey, step: Step, refused: Bound[Any] | None
) -> Mapping[str, Any]:
    guess = choices.guess_currency(request.headers.get("accept-language", ""))
    return {
        "form": refused or journey.form(step, {"currency": guess}),
        "zones": choices.zone_options(),
        "currencies": choices.currency_options(),
        "countries": choices.country_options(),
    }


async def _address(
    request: AnyRequest,
    session: AsyncSession,
    journey: Journey,
    step: Step,
    refused: Bound[Any] | None,
) -> Mapping[str, Any]:
    form = refused
    if form is None:
        name = str(journey.typed("business").get("name", ""))
        proposed = await lifecycle.suggest(session, name, count=1)
        form = journey.form(step, {"slug": proposed[0] if proposed else ""})
    typed = form.typed("slug")
    if form.ok and not await lifecycle.is_available(session, typed):
        form.refuse(SlugTaken(field="slug"))
    settings = parts.settings(request)
    found = await availability(session, settings, typed)
    return {**found, "form": form, "domain": settings.tenant_url("*", "").partition("*")[2]}


async def availability(session: AsyncSession, settings: Settings, slug: str) -> dict[str, Any]:
    """Whether ``slug`` is free, and if not, why, and what would be."""
    slug = slug.strip()
    found: dict[str, Any] = {
        "slug": slug,
        "url": settings.tenant_url(slug, ""),
        "state": "empty",
        "message": "",
        "suggestions": [],
    }
    if not slug:
        return found
    try:
        slugs.check(slug)
    except Invalid as problem:
        found |= {"state": "invalid", "message": problem.message}
    else:
        free = await lifecycle.is_available(session, slug)
        found |= {"state": "free"} if free else {"state": "taken", "message": SlugTaken.title}
    if found["state"] != "free":
        plain = slug.replace("\0", "").encode("utf-8", "ignore").decode()
        found["suggestions"] = await lifecycle.suggest(session, plain)
    return found
