"""Car hire, declared."""

from __future__ import annotations

from typing import Final

from core.i18n import _
from core.permissions import permission, public
from core.plugin import Meter, NavItem, Plugin
from core.storage.areas import FileArea
from plugins.car_hire import demo, tasks
from plugins.car_hire.audit_titles import TITLES
from plugins.car_hire.notices import NOTICES
from plugins.car_hire.permissions import BRANCHES, DESK, FLEET, INSIGHT, RATES
from plugins.car_hire.points import POINTS
from plugins.car_hire.policy import PLUGIN, Policy
from plugins.car_hire.routes import (
    api,
    booking_extras,
    bookings_api,
    branches,
    calendar,
    car_transfers,
    companies,
    companies_api,
    condition,
    customers,
    damage_prices,
    damage_prices_api,
    deposits,
    desk,
    embedding,
    evidence,
    extras,
    extras_api,
    feeds,
    finding,
    inspections,
    inspections_api,
    keeping,
    kept,
    later,
    later_api,
    money,
    new_booking,
    own_changes,
    papers,
    papers_api,
    price_sheets,
    prices,
    prices_api,
    promotions,
    repeating,
    reports,
    reports_api,
    return_branch,
    reviews,
    search,
    site,
    slots,
    storefront,
    students,
    waiting,
)
from plugins.car_hire.routes.vehicles import (
    board,
    documents,
    importing,
    photos,
    retiring,
    servicing,
)
from plugins.car_hire.services import bill_lines
from plugins.car_hire.services.branches import reach
from plugins.car_hire.services.branches.personal import STAFF
from plugins.car_hire.services.fleet import VEHICLES
from plugins.car_hire.services.hires import HIRES_STARTED
from plugins.car_hire.services.inspections import pictures
from plugins.car_hire.services.later import recording
from plugins.car_hire.services.papers import agreements, drawing, listing
from plugins.car_hire.services.paying_later import PAY_AT_DESK
from plugins.car_hire.services.personal import PERSONAL
from plugins.car_hire.services.storefront.pages import public_pages
from plugins.car_hire.services.vehicles import photos as kept_photos
from plugins.car_hire.webhooks import WEBHOOKS

PAPERS: Final = FileArea(name=drawing.AREA, access=permission(DESK.name), belongs=listing.belongs)
AGREEMENTS: Final = FileArea(
    name=agreements.AREA, access=permission(DESK.name), belongs=agreements.belongs
)
LATER: Final = FileArea(
    name=recording.AREA, access=permission(DESK.name), belongs=recording.belongs
)
BILL_LINES: Final = FileArea(
    name=bill_lines.AREA, access=permission(DESK.name), belongs=bill_lines.belongs
)
DOCUMENTS: Final = FileArea(name="car_hire.documents", access=permission(DESK.name))
VEHICLE_PHOTOS: Final = FileArea(name=kept_photos.VEHICLES, access=permission(DESK.name))
CLASS_PHOTOS: Final = FileArea(name=kept_photos.CLASSES, access=public)
INSPECTIONS: Final = FileArea(
    name=pictures.AREA, access=permission(DESK.name), belongs=pictures.belongs
)

MONEY: Final = _("Money")
HOUSE: Final = _("Cars and prices")

reach.install()

NAVIGATION: Final = (
    NavItem(title=_("Hire a car"), path="/car-hire", icon="car", area="site", order=10),
    NavItem(
        title=_("My bookings"),
        path="/car-hire/bookings",
        icon="calendar-event",
        area="site",
        order=20,
    ),
    NavItem(
        title=_("My invoices"),
        path="/car-hire/papers",
        icon="file-invoice",
        area="site",
        order=30,
    ),
    *(
        NavItem(
            title=title,
            path=f"/car-hire/desk{path}",
            icon=icon,
            permission=needs,
            order=order,
            group=group,
        )
        for order, (group, title, path, icon, needs) in enumerate(
            (
                (None, _("Today"), "", "calendar-due", DESK.name),
                (None, _("Search"), "/search", "search", DESK.name),
                (None, _("Calendar"), "/calendar", "calendar-month", DESK.name),
                (None, _("Bookings"), "/bookings", "calendar-event", DESK.name),
                (None, _("Waiting list"), "/waiting", "hourglass", DESK.name),
                (None, _("Fleet"), "/fleet", "car", DESK.name),
                (None, _("Customers"), "/customers", "users", DESK.name),
                (MONEY, _("Invoices"), "/papers", "file-invoice", DESK.name),
                (MONEY, _("Cash desk"), "/cash", "cash", DESK.name),
                (MONEY, _("Bank transfers"), "/transfers", "building-bank", DESK.name),
                (MONEY, _("Companies"), "/companies", "building-skyscraper", DESK.name),
                (MONEY, _("Fines and tolls"), "/charges", "receipt-2", DESK.name),
                (HOUSE, _("Classes"), "/classes", "car-suv", DESK.name),
                (HOUSE, _("Branches"), "/branches", "building-store", BRANCHES.name),
                (HOUSE, _("Prices"), "/prices", "tags", RATES.name),
                (None, _("Reports"), "/reports", "chart-bar", INSIGHT.name),
                (None, _("Reviews"), "/reviews", "star", INSIGHT.name),
                (HOUSE, _("Extras and covers"), "/extras", "baby-carriage", RATES.name),
                (HOUSE, _("Promotion codes"), "/promotions", "discount", RATES.name),
                (HOUSE, _("Damage prices"), "/damage-prices", "car-crash", RATES.name),
                (HOUSE, _("Your web site"), "/web-site", "world-www", RATES.name),
            ),
            start=100,
        )
    ),
)

plugin: Final = Plugin(
    name=PLUGIN,
    title=_("Car hire"),
    summary=_("Vehicles, bookings, card payments, hires and returns"),
    version="0.1.0",
    core_versions=">=0.1",
    package="plugins.car_hire",
    icon="car",
    home="/car-hire",
    desk="/car-hire/desk",
    controllers=(
        *api.CONTROLLERS,
        *bookings_api.CONTROLLERS,
        *prices_api.CONTROLLERS,
        *extras_api.CONTROLLERS,
        *search.CONTROLLERS,
        *site.CONTROLLERS,
        *storefront.CONTROLLERS,
        *embedding.CONTROLLERS,
        *feeds.CONTROLLERS,
        *repeating.CONTROLLERS,
        *new_booking.CONTROLLERS,
        desk.Desk,
        *deposits.CONTROLLERS,
        *booking_extras.CONTROLLERS,
        *keeping.CONTROLLERS,
        *kept.CONTROLLERS,
        *companies.CONTROLLERS,
        *companies_api.CONTROLLERS,
        *evidence.CONTROLLERS,
        *later.CONTROLLERS,
        *later_api.CONTROLLERS,
        *customers.CONTROLLERS,
        *money.CONTROLLERS,
        *papers.CONTROLLERS,
        *papers_api.CONTROLLERS,
        *prices.CONTROLLERS,
        *extras.CONTROLLERS,
        *calendar.CONTROLLERS,
        *reviews.CONTROLLERS,
        *own_changes.CONTROLLERS,
        *inspections.CONTROLLERS,
        *inspections_api.CONTROLLERS,
        *damage_prices.CONTROLLERS,
        *damage_prices_api.CONTROLLERS,
        *condition.CONTROLLERS,
        *finding.CONTROLLERS,
        *reports.CONTROLLERS,
        *reports_api.CONTROLLERS,
        *branches.CONTROLLERS,
        *car_transfers.CONTROLLERS,
        *return_branch.CONTROLLERS,
        *promotions.CONTROLLERS,
        *price_sheets.CONTROLLERS,
        *students.CONTROLLERS,
        *waiting.CONTROLLERS,
        *documents.CONTROLLERS,
        *photos.CONTROLLERS,
        *board.CONTROLLERS,
        *retiring.CONTROLLERS,
        *servicing.CONTROLLERS,
        *importing.CONTROLLERS,
    ),
    public_pages=public_pages,
    navigation=NAVIGATION,
    audit_titles=TITLES,
    actors=tasks.ACTORS,
    schedules=tasks.SCHEDULES,
    listeners=tasks.LISTENERS,
    permissions=(DESK, FLEET, BRANCHES, RATES, INSIGHT),
    notices=NOTICES,
    webhooks=WEBHOOKS,
    places=slots.PLACES,
    slots=slots.SLOTS,
    extension_points=POINTS,
    areas=(
        AGREEMENTS,
        BILL_LINES,
        DOCUMENTS,
        VEHICLE_PHOTOS,
        CLASS_PHOTOS,
        INSPECTIONS,
        LATER,
        PAPERS,
    ),
    settings=Policy,
    personal=(*PERSONAL, STAFF),
    meters=(Meter(name=HIRES_STARTED, title=_("Hires started"), unit="hire"),),
    limits=(VEHICLES,),
    flags=(PAY_AT_DESK,),
    extensions=("btree_gist", "pg_trgm"),
    seed=demo.seed,
    demo=demo.demo,
)
