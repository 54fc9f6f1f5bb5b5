"""The page of a business's upkeep, which several controllers lead back to."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import DomainError, Invalid
from core.i18n import _, fill
from core.web.formatting import moment, on_the_clock_of, wall
from core.web.forms import Bound, blank
from core.web.http import AnyRequest
from core.web.pages import Page
from tenants import exports
from tenants.lifecycle import naming
from tenants.models import Export
from tenants.portal.routes import access, parts
from tenants.portal.schemas import Confirmed, MaintenancePlan, NewAddress, NewCopy, Passphrase
from tenants.portal.services.businesses import Business

Forms = dict[str, Bound[Any]]


def path_of(business: Business) -> str:
    """The page of a business's upkeep."""
    return f"/businesses/{business.id}/upkeep"


def insist_confirmed(business: Business, typed: str) -> None:
    """Insist that the present address was typed.

    Raises:
        Invalid: something else was, naming the field ``confirm``.
    """
    if typed.strip() != business.slug:
        text = fill(_("Type {address} here, exactly as it is written."), address=business.slug)
        raise Invalid(text, field="confirm")


async def refused_page(
    request: AnyRequest,
    session: AsyncSession,
    business: Business,
    form: Bound[Any],
    problem: DomainError,
) -> Page:
    """The page with what is wrong with one of its forms."""
    return await upkeep_page(request, session, business, {form.id: form.refuse(problem)})


async def upkeep_page(
    request: AnyRequest, session: AsyncSession, business: Business, refused: Forms | None = None
) -> Page:
    """The page; ``refused`` is the form that was just sent, with what is wrong with it."""
    url_of = parts.settings(request).tenant_url
    with on_the_clock_of(business.zone):
        planned = business.maintenance
        typed = {
            "message": planned.message if planned else None,
            "until": wall(planned.until) if planned and planned.until else None,
        }
    forms: Forms = {
        "maintenance": blank(MaintenancePlan, typed),
        "address": blank(NewAddress, {}),
        "export": blank(Passphrase, {}),
        "copy": blank(NewCopy, {}),
        "closing": blank(Confirmed, {}),
    }
    for name, form in forms.items():
        form.id = name
    return Page(
        "portal/upkeep/show.html",
        {
            "business": business,
            "forms_of": forms | (refused or {}),
            "url": url_of(business.slug, ""),
            "domain": url_of("*", "").partition("*")[2],
            "export": shown_export(await exports.latest(session, business.id), business),
            "grace_days": parts.settings(request).closing_grace_days,
            "kept_days": exports.KEPT.days,
            "redirected_days": naming.REDIRECTED.days,
            **access.standing(business),
        },
        status=422 if refused else 200,
    )


def shown_export(export: Export | None, business: Business) -> dict[str, Any] | None:
    """The latest archive as the page and the stream show it."""
    if export is None:
        return None
    with on_the_clock_of(business.zone):
        return {
            "state": export.state,
            "percent": progress_of(export),
            "message": str(fill(_("{count} rows so far"), count=export.rows)),
            "made": moment(export.finished_at) if export.finished_at else None,
            "expires": moment(export.expires_at) if export.expires_at else None,
            "size": export.size or 0,
            "rows": export.rows,
        }


def progress_of(export: Export) -> int:
    """How far an export has come, in percent of its tables."""
    if export.state == "ready":
        return 100
    return round(95 * export.tables_done / export.tables_total) if export.tables_total else 0
