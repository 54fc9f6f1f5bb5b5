"""The same as the pages say, in the words of schema.org, for search engines. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from core import clock
from core.mail import address_of
from core.scope import Tenant
from plugins.car_hire.models import GEARS
from plugins.car_hire.policy import Policy
from plugins.car_hire.services.branches.opening import DAY, Span
from plugins.car_hire.services.storefront.addresses import SITE
from plugins.car_hire.services.storefront.conditions import Clause
from plugins.car_hire.services.storefront.showing import BranchShown, ClassShown

_DAYS: Final = (
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
)  # fmt: skip
_FUELS: Final = {
    "petrol": "Gasoline",
    "diesel": "Diesel",
    "hybrid": "Hybrid",
    "electric": "Electricity",
}
GOOD_FOR: Final = timedelta(days=7)
"""How long a price is said to hold; prices are made anew before that."""

Thing = dict[str, Any]


def business(tenant: Tenant, rules: Policy, branches: Sequence[BranchShown]) -> Thing:
    """The firm, with the branches it has."""
    main = branches[0] if branches else None
    return {
        "@type": "AutoRental",
        "@id": _id_of(SITE),
        "name": tenant.name,
        "url": address_of(SITE),
        "currenciesAccepted": tenant.currency,
        **({"legalName": rules.legal_name} if rules.legal_name else {}),
        **({"logo": address_of(tenant.brand.logo)} if tenant.brand.logo else {}),
        **({"image": address_of(tenant.brand.logo)} if tenant.brand.logo else {}),
        **(_contact(main) if main else {}),
        **({"department": [_branch(each) for each in branches]} if len(branches) > 1 else {}),
    }


def branch(tenant: Tenant, shown: BranchShown) -> Thing:
    """One branch, as a part of the firm."""
    parent = {"@type": "AutoRental", "@id": _id_of(SITE), "name": tenant.name}
    return {**_branch(shown), "parentOrganization": parent}


def _branch(shown: BranchShown) -> Thing:
    return {
        "@type": "AutoRental",
        "@id": _id_of(shown.path),
        "name": shown.row.name,
        "url": address_of(shown.path),
        **_contact(shown),
    }


def _contact(shown: BranchShown) -> Thing:
    row = shown.row
    told: Thing = {}
    if row.street_address:
        told["address"] = row.street_address
    if row.desk_phone:
        told["telephone"] = row.desk_phone
    if row.desk_email:
        told["email"] = row.desk_email
    if row.latitude is not None and row.longitude is not None:
        told["geo"] = {
            "@type": "GeoCoordinates",
            "latitude": float(row.latitude),
            "longitude": float(row.longitude),
        }
    if shown.map_path:
        told["hasMap"] = shown.map_path
    hours = [*_week(shown.week), *_special(shown)]
    return {**told, "openingHoursSpecification": hours} if hours else told


def _week(week: Iterable[tuple[int, Sequence[Span]]]) -> list[Thing]:
    return [
        {"@type": "OpeningHoursSpecification", "dayOfWeek": _DAYS[day - 1], **_from_to(span)}
        for day, spans in week
        for span in spans
    ]


def _special(shown: BranchShown) -> list[Thing]:
    found = []
    for day, spans in shown.special:
        valid = {"validFrom": day.day.isoformat(), "validThrough": day.day.isoformat()}
        # A day from midnight to midnight is how schema.org writes that nobody is there.
        hours = [_from_to(each) for each in spans] or [{"opens": "00:00", "closes": "00:00"}]
        found += [{"@type": "OpeningHoursSpecification", **each, **valid} for each in hours]
    return found


def _from_to(span: Span) -> Thing:
    opens, closes = span.kept
    return {"opens": opens, "closes": "23:59" if span.closes == DAY else closes}


def car(tenant: Tenant, shown: ClassShown) -> Thing:
    """A class as something that is offered, at the price that its page shows."""
    row = shown.row
    told: Thing = {
        "@type": ["Product", "Car"],
        "@id": _id_of(shown.path),
        "name": row.name,
        "url": address_of(shown.path),
        "vehicleSeatingCapacity": row.seats,
        "vehicleTransmission": str(GEARS[row.gears]),
        "brand": {"@type": "Organization", "name": tenant.name},
    }
    if row.description:
        told["description"] = row.description
    if row.fuel:
        told["fuelType"] = _FUELS[row.fuel]
    if shown.photo:
        told["image"] = address_of(shown.photo)
    if shown.least:
        told["offers"] = _offer(tenant, shown)
    return told


def _offer(tenant: Tenant, shown: ClassShown) -> Thing:
    assert shown.least is not None
    amount = {"price": str(shown.least.day.amount), "priceCurrency": shown.least.day.unit}
    return {
        "@type": "Offer",
        "url": address_of(shown.path),
        "availability": "https://schema.org/InStock",
        "businessFunction": "http://purl.org/goodrelations/v1#LeaseOut",
        "priceValidUntil": (clock.today(tenant.zone) + GOOD_FOR).isoformat(),
        **amount,
        "priceSpecification": {
            "@type": "UnitPriceSpecification",
            **amount,
            "unitCode": "DAY",
            "valueAddedTaxIncluded": True,
        },
        "seller": {"@type": "AutoRental", "@id": _id_of(SITE), "name": tenant.name},
    }


def trail(steps: Iterable[tuple[object, str]]) -> Thing:
    """Where a page is: names with the paths that they lead to, from the site's own on."""
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": place, "name": str(name), "item": address_of(path)}
            for place, (name, path) in enumerate(steps, start=1)
        ],
    }


def questions(clauses: Iterable[Clause]) -> Thing:
    """Questions that are asked often, with the answers on the page."""
    return {
        "@type": "FAQPage",
        "mainEntity": [
            {
                "@type": "Question",
                "name": each.question,
                "acceptedAnswer": {"@type": "Answer", "text": each.answer},
            }
            for each in clauses
        ],
    }


def classes(paths: Mapping[str, Any]) -> Thing:
    """The list of classes on the first page."""
    return {
        "@type": "ItemList",
        "itemListElement": [
            {"@type": "ListItem", "position": place, "name": row.name, "url": address_of(path)}
            for place, (path, row) in enumerate(paths.items(), start=1)
        ],
    }


def _id_of(path: str) -> str:
    return f"{address_of(path)}#this"
