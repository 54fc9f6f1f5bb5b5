"""The style gallery at /dev/gallery: every component with believable data, in development only."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from litestar import Request, get, post
from litestar.params import FromQuery

from core import clock
from core.i18n import _
from core.money import Money
from core.permissions import public
from core.web.forms import (
    Bound,
    Form,
    amount,
    bind,
    blank,
    choice,
    day,
    email,
    long_text,
    moment,
    posted,
    text,
    tick,
    whole,
)
from core.web.pages import Page, SeeOther

_COLUMNS = [
    {"key": "plate", "title": _("Plate"), "sort": True},
    {"key": "model", "title": _("Model"), "sort": True},
    {"key": "status", "title": _("Status")},
    {"key": "odometer", "title": _("Odometer"), "sort": True, "end": True},
    {"key": "rate", "title": _("Daily rate"), "end": True},
]
_FLEET = [
    ("AA-12-BC", "Renault Clio", "ready", 41_230, "34.00"),
    ("BD-77-QT", "Peugeot 3008", "out", 18_904, "62.50"),
    ("CE-05-ZK", "Tesla Model 3", "service", 60_112, "89.00"),
    ("DF-31-MN", "Fiat 500 Hybrid", "ready", 7_455, "29.90"),
]


class Sample(Form):
    """Every kind of field."""

    name: Annotated[str, text(_("Name"), max=80, autocomplete="name")]
    mail: Annotated[str, email(_("E-mail address"))]
    plate: Annotated[
        str,
        text(_("Plate"), max=10, pattern="^[A-Z0-9-]+$", hint=_("Capitals, digits and hyphens.")),
    ]
    size: Annotated[
        Literal["small", "family", "van"],
        choice(
            _("Class"), {"small": _("Small"), "family": _("Family"), "van": _("Van")}, look="radio"
        ),
    ]
    fuel: Annotated[
        Literal["petrol", "diesel", "electric"],
        choice(
            _("Fuel"),
            {"petrol": _("Petrol"), "diesel": _("Diesel"), "electric": _("Electric")},
        ),
    ]
    odometer: Annotated[int, whole(_("Odometer"), unit="km")]
    rate: Annotated[Decimal, amount(_("Daily rate"), currency="EUR", hint=_("Before tax."))]
    born: Annotated[date, day(_("Date of birth"), max=date(2010, 1, 1))]
    pickup: Annotated[str, moment(_("Pick-up"))] | None = None
    notes: Annotated[str, long_text(_("Notes"), max=500)] | None = None
    terms: Annotated[bool, tick(_("I have read the terms"))] = False


def _context(form: Bound[Sample], sort: str | None) -> dict[str, Any]:
    now = clock.now()
    wrong = bind(Sample, {"name": "Ana Sofia", "mail": "ana@", "odometer": "-4", "rate": "12,345"})
    wrong.id = "wrong"
    return {
        "form": form,
        "wrong": wrong,
        "sort": sort,
        "columns": _COLUMNS,
        "fleet": [(*row[:4], Money.of(row[4], "EUR")) for row in _FLEET],
        "names": {"ready": _("Ready"), "out": _("On hire"), "service": _("In the workshop")},
        "colors": {"ready": "green", "out": "blue", "service": "orange"},
        "revenue": Money.of("18420.50", "EUR"),
        "now": now,
        "events": [
            {
                "title": _("Vehicle returned"),
                "text": _("41,230 km, tank full"),
                "at": now - timedelta(minutes=25),
                "icon": "key",
                "color": "green",
            },
            {
                "title": _("Deposit authorised"),
                "text": "€300.00",
                "at": now - timedelta(days=3),
                "icon": "credit-card",
                "color": "blue",
            },
            {"title": _("Booking made"), "at": now - timedelta(days=9), "icon": "calendar-event"},
        ],
        "steps": [
            {"title": _("Account created"), "state": "done"},
            {"title": _("Preparing the database"), "state": "running"},
            {"title": _("Adding the products"), "state": "waiting"},
        ],
    }


@get("/dev/gallery/desk", access=public, include_in_schema=False)
async def gallery_desk(sort: FromQuery[str | None] = None) -> Page:
    """The components in the desk's shell."""
    return Page("core/gallery_desk.html", _context(blank(Sample), sort))


@get("/dev/gallery", access=public, include_in_schema=False)
async def gallery(sort: FromQuery[str | None] = None) -> Page:
    """The components in the customer site's shell."""
    return Page("core/gallery_site.html", _context(blank(Sample), sort))


@post("/dev/gallery/desk", access=public, include_in_schema=False)
async def gallery_send(request: Request[Any, Any, Any]) -> Page | SeeOther:
    """Bind the sample form, to see its errors."""
    form = await posted(request, Sample)
    if not form.ok:
        return Page("core/gallery_desk.html", _context(form, None), status=422)
    return SeeOther("/dev/gallery/desk", flash=_("Saved. Nothing was stored."))
