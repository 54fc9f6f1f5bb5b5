"""What an intruder is after: rows of somebody else's, and bodies that name them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.testing.site import Site
from core.auth.models import UserSession
from core.clock import now
from core.ids import new_id
from core.mail.models import Mail
from core.notifications import notify
from core.notifications.models import Notification
from core.permissions import Role
from core.scope import Tenant
from core.storage.services import keep
from core.webhooks import spreading
from core.webhooks.models import WebhookDelivery, WebhookEndpoint
from core.webhooks.signing import new_secret
from plugins.car_hire.models import BillLine, Extra, Statement, Transfer, VehiclePhoto
from plugins.car_hire.notices import BOOKED
from plugins.car_hire.schemas import BlockInput, DamageInput, LicenceInput
from plugins.car_hire.schemas_branches import BranchInput, CarTransferInput, DayInput
from plugins.car_hire.schemas_extras import ExtraInput
from plugins.car_hire.schemas_feeds import FeedInput
from plugins.car_hire.schemas_later import LaterInput
from plugins.car_hire.schemas_promotions import NewPromotionInput
from plugins.car_hire.schemas_vehicles import DocumentInput, IntervalInput
from plugins.car_hire.schemas_waiting import WaitInput
from plugins.car_hire.services import blocks, fleet, hires, reviews
from plugins.car_hire.services.branches import keeping, transfers
from plugins.car_hire.services.companies import keeping as companies
from plugins.car_hire.services.extras import catalogue
from plugins.car_hire.services.feeds import keeping as feeds
from plugins.car_hire.services.inspections import drafts, marks
from plugins.car_hire.services.later import recording
from plugins.car_hire.services.prices import lists
from plugins.car_hire.services.promotions import keeping as promotions
from plugins.car_hire.services.vehicles import documents, servicing
from plugins.car_hire.services.waiting import joining
from tenants.domains.services import claim
from tenants.imports.models import ArchiveUpload
from tests.plugins.car_hire.shop import (
    Shop,
    class_input,
    company_input,
    customer_input,
    invoice_of,
    vehicle_input,
)

Body = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loot:
    """Rows of one tenant by the placeholders that name them, and the words only they hold."""

    ids: Mapping[str, UUID | str]
    marks: tuple[str, ...]
    shop: Shop
    plate: str
    """Of the car that is away."""
    number: str
    """Of a booking with which the held one may exchange cars."""
    versions: tuple[int, int]
    """Of the car and of the class, when they were made ready."""

    @classmethod
    async def of(cls, site: Site, tenant: Tenant) -> Loot:
        """Some of everything that a business has, in states in which most can be done with it."""
        shop = await Shop.open(site.world.databases, tenant, cars=3)
        gone, hire_id = await shop.out(starts_in=1)
        held, other = await shop.book(starts_in=2), await shop.book(starts_in=60)
        taken = {gone.vehicle_id, held.vehicle_id}
        tomorrow = shop.now + timedelta(days=1)
        code = await shop.extra()
        user_id = await site.enrol(tenant, Role.STAFF)
        mail_id, secret = new_id(), f"letter-{new_id().hex}"
        async with shop.transaction() as session:
            await site.sessions.begin(session, user_id)
            found = select(UserSession.id).where(UserSession.user_id == user_id)
            session_id = (await session.scalars(found)).one()
            letter = Mail(id=mail_id, template="x", recipient="x@example.com", locale="en")
            letter.subject = letter.text = secret
            letter.state = "caught"
            session.add(letter)
            await session.flush()
            await notify(
                session, BOOKED, to=[user_id], subject=("x", user_id), link="/car-hire/desk",
                number=secret, vehicle_class="Compact", starts_at=shop.now,
            )  # fmt: skip
            told = select(Notification.id).where(Notification.subject_id == str(user_id))
            notification_id = (await session.scalars(told)).one()
            car = await fleet.vehicle(session, shop.cars[0].id)
            list_id = (await lists.begin(session)).id
            branch = await keeping.add(session, BranchInput(name=f"Sé {secret}", code=_code()))
            special = await keeping.add_day(
                session, branch.id, DayInput(day=date(2199, 1, 1), name=secret)
            )
            starts_at = shop.now + timedelta(days=300)
            given = BlockInput(starts_at=starts_at, ends_at=starts_at + timedelta(hours=1))
            extra = (await session.scalars(select(Extra).where(Extra.code == code))).one()
            dearer = ExtraInput(name_en=code, price=Decimal(7), effective_from=tomorrow)
            await catalogue.change(session, extra.id, dearer)
            price_id = (await catalogue.prices(session, extra.id))[0].id
            off = NewPromotionInput(code=f"LOOT-{_code()}", name_en=secret, amount=Decimal(1))
            promotion = await promotions.add(session, off)
            block = await blocks.add(session, car.id, given)
            way = CarTransferInput(
                to_branch_id=branch.id, starts_at=starts_at + timedelta(days=1),
                ends_at=starts_at + timedelta(days=2), driver=secret,
            )  # fmt: skip
            paper_of_car = await documents.add(
                session, car.id, DocumentInput(kind="insurance", number=secret)
            )
            service = await servicing.add(
                session, IntervalInput(name=secret, class_id=shop.vehicle_class.id, every_km=1)
            )
            feed, _ = await feeds.add(session, FeedInput(title=secret), "Ana")
            on_the_way = await transfers.plan(session, car.id, way)
            paper = await invoice_of(session, gone, secret)
            looked_at = await drafts.begin(session, gone.id)
            seen = DamageInput(zone="roof", kind="dent", charged=False)
            damage = await marks.note(session, looked_at.id, new_id(), seen)
            transfer = Transfer(
                version=1, booking_id=gone.id, purpose="charge", reference=gone.number, amount=1,
                currency="EUR", due_on=shop.now.date(), state="expected",
            )  # fmt: skip
            session.add(transfer)
            await session.flush()
            taken_class = await fleet.add_class(session, class_input())
            waiting, wait_link = await joining.join(
                session,
                WaitInput(
                    class_id=taken_class.id,
                    starts_at=tomorrow,
                    ends_at=tomorrow + timedelta(days=2),
                    name=secret,
                    email=f"{_code()}@example.com",
                ),
            )
            versions = (car.version, shop.vehicle_class.version)
            hire = await hires.one(session, hire_id)
            gone_car = await fleet.vehicle(session, gone.vehicle_id)
            review = await reviews.open_for(session, hire, gone.customer_id)
            assert review is not None
            fine = LaterInput(
                kind="fine", plate=gone_car.plate, happened_at=now(), authority="PSP",
                reference=secret, amount=Decimal(60),
            )  # fmt: skip
            later = await recording.record(session, fine)
            line = BillLine(
                hire_id=hire_id, position=900, rule="charge.by_hand",
                evidence={"texts": {"en": "Key"}},
                quantity=1, unit_price=1, net=1, tax_rate=0, tax=0, gross=1,
            )  # fmt: skip
            session.add(line)
            company = await companies.add(session, company_input(name=secret))
            month = Statement(
                paper_id=paper.id, version=1, company_id=company.id, month=date(2026, 1, 1),
                due_on=date(2199, 1, 1), currency="EUR", amount=Decimal(123), paid=Decimal(0),
            )  # fmt: skip
            session.add(month)
            endpoint, delivery = await _hook(session, secret)
            shown = await keep(session, "car_hire.vehicles", "car.txt", secret.encode())
            photo = VehiclePhoto(vehicle_id=shop.cars[0].id, file_id=shown.id)
            session.add(photo)
            await session.flush()
            file = await keep(session, "car_hire.documents", "letter.txt", secret.encode())
        platform = site.world.platform
        async with site.world.databases.transaction(platform) as session:
            name = f"www.{tenant.slug}-{new_id().hex}.example"
            domain_id = await claim(session, site.world.settings, tenant.id, name)
            upload = ArchiveUpload(
                id=new_id(), account_id=new_id(), locale="en", state="ready", expires_at=now()
            )
            session.add(upload)
        ids = {
            "domain_id": domain_id,
            "upload_id": upload.id,
            "class_id": shop.vehicle_class.id,
            "list_id": list_id,
            "branch_id": branch.id,
            "day_id": special.id,
            "vehicle_id": shop.cars[0].id,
            "customer_id": shop.customer.id,
            "quote_id": held.quote_id,
            "booking_id": held.id,
            "hire_id": hire_id,
            "line_id": line.id,
            "block_id": block.id,
            "document_id": paper_of_car.id,
            "interval_id": service.id,
            "photo_id": photo.id,
            "car_transfer_id": on_the_way.id,
            "paper_id": paper.id,
            "extra_id": extra.id,
            "price_id": price_id,
            "feed_id": feed.id,
            "promotion_id": promotion.id,
            "wait_id": waiting.id,
            "wait_link": wait_link,
            "taken_class_id": taken_class.id,
            "inspection_id": looked_at.id,
            "damage_id": damage.id,
            "transfer_id": transfer.id,
            "later_id": later.id,
            "company_id": company.id,
            "free_car_id": next(car.id for car in shop.cars if car.id not in taken),
            "person_id": user_id,
            "session_id": session_id,
            "mail_id": mail_id,
            "notification_id": notification_id,
            "file_id": file.id,
            "endpoint_id": endpoint.id,
            "delivery_id": delivery.id,
            "secret": review,
            "business_id": tenant.id,
            # The console's: nobody's here; operators.py has rows of theirs.
            "tenant_id": tenant.id,
            "run_id": new_id(),
            "token_id": new_id(),
            "message_id": new_id(),
        }
        words = (shop.vehicle_class.name, shop.customer.email, shop.cars[0].plate, secret)
        return cls(
            ids=ids,
            marks=(*words, user_id.hex, str(hire_id), str(held.id)),
            shop=shop,
            plate=gone_car.plate,
            number=other.number,
            versions=versions,
        )

    def bodies(self) -> list[Body]:
        """A body for each thing that can be sent, all of which would do if they were ours."""
        readings = {"odometer_km": 10_100, "fuel_eighths": 8}
        starts_at = self.shop.now + timedelta(hours=1)
        when = {
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(days=1)).isoformat(),
        }
        customer: Body = msgspec.to_builtins(customer_input())
        person = {"name": "Eve", "role": "owner"}
        return [
            {},
            *self.naming(),
            _typed(class_input()),
            {"name": f"Eve's {new_id().hex}", "code": _code()},
            {"name": "Eve's day", "day": "2199-02-01"},
            customer,
            {"until": (self.shop.now + timedelta(days=200)).date().isoformat()},
            {
                key: value
                for key, value in customer.items()
                if key in LicenceInput.__struct_fields__
            },
            {"payment_method": "pm_card_visa"},
            {"rate": {"day": 40}},
            {"sheet": "class,season,day\n"},
            {"reason": "Goodwill", "back": "none", "lines.0": "1.00"},
            {"reason": "Goodwill", "lines": {"0": "1.00"}},
            {"tax_number": "219 876 543"},
            {"code": f"eve-{new_id().hex[-8:]}", "name_en": "Seat", "price": 6},
            {"name_en": "Seat", "price": 6},
            {"code": f"EVE-{new_id().hex[-8:]}", "name_en": "Eve's", "amount": 5},
            {"name_en": "Eve's", "amount": 5},
            {"method": "cash"},
            {"method": "cash", "reason": "Deposit", "amount": "1.00"},
            {"title": "Eve's pick-ups", "plate": ""},
            {"why": "Not theirs"},
            {"until": (self.shop.now + timedelta(days=300)).date().isoformat()},
            {"reason": "Lost key"},
            {"reason": "Lost key", "amount": "10.00"},
            {"amount": "10.00", "version": "1"},
            {"amount": "10.00", "version": 1},
            {"email": "eve@example.com"},
            _typed(company_input(name="Eve's")),
            {"due_on": "2199-12-31"},
            {"opening": "0"},
            {"amount": "10.00", "note": "Change"},
            {"counted": "5.00", "note": "Counted twice"},
            readings | {"licence_seen": "true"},
            readings,
            when,
            person,
            person | {"email": f"eve.{new_id().hex}@example.com"},
            {"grace_minutes": 60},
            {"stars": "4", "remarks": "clean"},
            {"zone": "roof", "kind": "dent", "charged": "on"},
            {"zone": "roof", "kind": "dent"},
            {"door-dent": "120"},
            {"return_branch_id": str(self.ids["branch_id"])},
            {"kind": "insurance", "number": "AP 1"},
            {"name": "Oil", "every_km": 5000},
            {"done_on": "2020-01-01", "odometer_km": 1},
            {"text": "Asks for a child seat."},
            {"reason": "Never pays."},
            {"name": "Eve's", "zone": "Europe/Lisbon", "locale": "en"},
            {"color": "#123456"},
            {"host": f"www.eve-{new_id().hex}.example"},
            {"primary": True},
            {"prices": {"every": {"door": {"dent": 120}}}},
            {"url": "https://eve.example/hook", "events": ["payments.captured"]},
            {"address": f"eve@{new_id().hex}.example"},
            {"kind": "privacy", "change": "inform", "text_en": "We keep what the law asks us to."},
        ]

    def naming(self) -> list[Body]:
        """The bodies that name rows of this tenant."""
        starts_at = self.shop.now + timedelta(hours=1)
        wanted = {
            "class_id": str(self.ids["class_id"]),
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(days=1)).isoformat(),
        }
        readings = {"odometer_km": 10_000, "fuel_eighths": 8, "licence_seen": True}
        booking = {"quote_id": str(self.ids["quote_id"])}
        return [
            _typed(vehicle_input(self.ids["class_id"])),
            wanted,
            wanted | {"customer_id": str(self.ids["customer_id"])},
            booking,
            booking | {"customer_id": str(self.ids["customer_id"])},
            wanted
            | {
                "class_id": str(self.ids["taken_class_id"]),
                "name": "Eve",
                "email": f"eve.{new_id().hex}@example.com",
            },
            {"booking_id": str(self.ids["booking_id"]), **readings},
            {"vehicle_id": str(self.ids["free_car_id"])},
            {"number": self.number},
            {"email": self.shop.customer.email},
            {"content": f"plate,colour\n{self.shop.cars[0].plate},blue"},
            {
                "kind": "fine",
                "plate": self.plate,
                "happened_at": now().isoformat(),
                "authority": "PSP",
                "reference": new_id().hex,
                "amount": "60.00",
            },
            {"branch_id": str(self.ids["branch_id"])},
            {
                "to_branch_id": str(self.ids["branch_id"]),
                "starts_at": (starts_at + timedelta(days=200)).isoformat(),
                "ends_at": (starts_at + timedelta(days=201)).isoformat(),
            },
        ]


def _typed(given: msgspec.Struct) -> Body:
    """Without what was left empty."""
    return {name: value for name, value in msgspec.to_builtins(given).items() if value is not None}


async def _hook(session: AsyncSession, secret: str) -> tuple[WebhookEndpoint, WebhookDelivery]:
    """An endpoint, with a message that was sent to it; not by the service, which counts them."""
    made = WebhookEndpoint(
        url=f"https://hooks.example/{secret}",
        description=secret,
        events=["payments.captured"],
        secret=new_secret(),
    )
    session.add(made)
    await session.flush()
    return made, await spreading.test(session, made.id)


def _code() -> str:
    return new_id().hex[-6:]
