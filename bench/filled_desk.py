"""A desk with a year behind it, written by set: copies of the few rows that the services made.

Of each car's hires all but two are over; the last but one is out for two cars in three, the last
is booked, awaits its payment or was cancelled. Each has a quote with its lines, a bill, a payment
and entries in the audit log.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final
from uuid import UUID

import asyncpg

from core.db import Base, Databases
from core.ids import new_id
from core.payments.models import Payment, PaymentAccount
from core.scope import Tenant
from plugins.car_hire.models import Booking
from plugins.car_hire.services import hires
from tests.plugins.car_hire.shop import Shop

CLASSES: Final = 12
CUSTOMERS: Final = 20_000
_NAMES: Final = (
    "'{Ana,Rui,Inês,Tiago,Marta,Paulo,Sofia,Nuno,Rita,Hugo}'::text[]",
    "'{Pereira,Silva,Santos,Costa,Oliveira,Rodrigues,Martins,Sousa,Fernandes,Lopes}'::text[]",
)

# Ids grow with time, as those that the application makes do.
_MADE: Final = """
CREATE TEMP TABLE made AS
SELECT s.*, v.id AS vehicle_id, v.class_id, c.id AS customer_id,
  uuidv7(s.made_at - now()) AS booking_id, uuidv7(s.made_at - now()) AS quote_id,
  uuidv7(s.starts_at - now()) AS hire_id, s.starts_at + interval '4 days' AS ends_at,
  s.state IN ('closed', 'out') AS is_hire, s.state = 'closed' AS is_over
FROM (SELECT id, class_id, row_number() OVER (ORDER BY id) AS row FROM new_vehicles) v,
generate_series(0, {each} - 1) n,
LATERAL (SELECT v.row * {each} + n AS serial, b.starts_at,
  b.starts_at - interval '5 days' AS made_at,
  CASE WHEN n < {each} - 2 THEN 'closed'
    WHEN n = {each} - 2 THEN CASE WHEN v.row % 3 < 2 THEN 'out' ELSE 'closed' END
    ELSE CASE v.row % 4 WHEN 0 THEN 'pending_payment' WHEN 1 THEN 'cancelled' ELSE 'confirmed' END
  END AS state
  FROM (SELECT now() - interval '2 days' - interval '1 hour' * (
    ({each} - 2 - n) * 9 * 24 + (v.row * 7) % 50) AS starts_at) b) s,
(SELECT id, row_number() OVER () - 1 AS place FROM car_hire_customers) c
WHERE c.place = (v.row * {each} + n) * 7919 % {customers};
CREATE TEMP VIEW made_hires AS SELECT * FROM made WHERE is_hire;
CREATE TEMP VIEW made_over AS SELECT * FROM made WHERE is_over;
ANALYZE made;
"""


def _copy(table: str, like: str, source: str, **changes: str) -> str:
    """Rows of ``table`` made after those that ``like`` finds, one for each of ``source``, with
    ``changes``: columns and the expressions that they get."""
    pairs = ", ".join(f"'{name}', {expression}" for name, expression in changes.items())
    known = Base.metadata.tables[table].columns
    columns = [f'"{each.name}"' for each in known if not each.computed]
    return (
        f"INSERT INTO {table} ({', '.join(columns)})"
        f" SELECT {', '.join(f'made_row.{each}' for each in columns)} FROM {table} t, {source},"
        f" LATERAL jsonb_populate_record(t, jsonb_build_object({pairs})) made_row WHERE {like}"
    )


async def fill(
    connection: asyncpg.Connection, databases: Databases, tenant: Tenant, vehicles: int, each: int
) -> int:
    """Give ``tenant`` so many vehicles more, each with so many hires; how many hires there are."""
    shop = await Shop.open(databases, tenant, cars=1)
    booking, hire_id = await shop.out(starts_in=1)
    await shop.back(hire_id)
    async with databases.transaction(tenant) as session:
        await hires.close(session, hire_id)
        payment = _payment(booking.id)
        session.add(payment[0])
        await session.flush()
        session.add(payment[1])
    await connection.execute(
        f"SET search_path TO {tenant.scope.name}, extensions;"
        " SET session_replication_role = replica"  # what is copied refers to what is there
    )
    for statement in (
        *_fleet(shop, vehicles),
        _MADE.format(each=each, customers=CUSTOMERS),
        *_bookings(booking),
        *_journeys(booking, hire_id, payment[1].id),
        "ANALYZE",
    ):
        await connection.execute(statement)
    return int(await connection.fetchval("SELECT count(*) FROM car_hire_hires"))


def _payment(booking_id: UUID) -> tuple[PaymentAccount, Payment]:
    """A price that was taken from a card."""
    account = PaymentAccount(
        id=new_id(), provider="stripe", account_ref="acct_bench", name="Bench", live=False,
        publishable_key="pk_test_bench", secret_key="sk_test_bench", hook_token=new_id().hex,
        active=False,
    )  # fmt: skip
    made = Payment(
        id=new_id(), account_id=account.id, subject_type="car_hire.booking",
        subject_id=str(booking_id), purpose="charge", description="", state="captured",
        unsettled=False, amount=Decimal(100), captured=Decimal(100), currency="EUR",
    )  # fmt: skip
    return account, made


def _fleet(shop: Shop, vehicles: int) -> Iterator[str]:
    """Classes with prices, cars and customers."""
    known = shop.vehicle_class.id
    yield _copy(
        "car_hire_classes", f"t.id = '{known}'", f"generate_series(1, {CLASSES}) n",
        id="uuidv7()", name="'Class ' || n", created_at="now()",
    )  # fmt: skip
    yield (
        "CREATE TEMP TABLE new_classes AS SELECT id, row_number() OVER () - 1 AS place"
        " FROM car_hire_classes WHERE name LIKE 'Class %'"
    )
    yield _copy(
        "car_hire_class_prices", f"t.class_id = '{known}'", "new_classes c",
        id="gen_random_uuid()", class_id="c.id",
    )  # fmt: skip
    yield (
        "CREATE TEMP TABLE new_vehicles AS SELECT uuidv7() AS id, n, c.id AS class_id"
        f" FROM generate_series(1, {vehicles}) n JOIN new_classes c ON c.place = n % {CLASSES}"
    )
    yield _copy(
        "car_hire_vehicles", f"t.id = '{shop.cars[0].id}'", "new_vehicles v",
        id="v.id", class_id="v.class_id", plate="'ZZ' || lpad(v.n::text, 5, '0')",
        status="CASE WHEN v.n % 50 = 0 THEN 'maintenance' ELSE 'available' END",
    )  # fmt: skip
    yield _copy(
        "car_hire_customers", f"t.id = '{shop.customer.id}'", f"generate_series(1, {CUSTOMERS}) n",
        id="uuidv7()", email="'customer' || n || '@example.com'",
        name=f"({_NAMES[0]})[1 + n % 10] || ' ' || ({_NAMES[1]})[1 + n / 10 % 10]",
    )  # fmt: skip


def _bookings(booking: Booking) -> Iterator[str]:
    """What was booked, with its quotes and what it takes from the calendar."""
    yield _copy(
        "car_hire_quotes", f"t.id = '{booking.quote_id}'", "made m",
        id="m.quote_id", class_id="m.class_id", starts_at="m.starts_at", ends_at="m.ends_at",
        created_at="m.made_at", expires_at="m.made_at",
    )  # fmt: skip
    yield _copy(
        "car_hire_quote_lines", f"t.quote_id = '{booking.quote_id}'", "made m",
        id="gen_random_uuid()", quote_id="m.quote_id",
    )  # fmt: skip
    yield _copy(
        "car_hire_bookings", f"t.id = '{booking.id}'", "made m",
        id="m.booking_id", number="'Z' || m.serial", quote_id="m.quote_id",
        customer_id="m.customer_id", class_id="m.class_id", vehicle_id="m.vehicle_id",
        starts_at="m.starts_at", ends_at="m.ends_at", state="m.state", created_at="m.made_at",
    )  # fmt: skip
    yield (
        "INSERT INTO car_hire_occupancies (id, vehicle_id, period, booking_id,"
        " from_branch_id, to_branch_id)"
        " SELECT m.booking_id, m.vehicle_id, tstzrange(m.starts_at, m.ends_at), m.booking_id,"
        " b.pick_up_branch_id, b.return_branch_id"
        " FROM made m JOIN car_hire_bookings b ON b.id = m.booking_id"
        " WHERE m.state IN ('out', 'confirmed', 'pending_payment')"
    )


def _journeys(booking: Booking, hire_id: UUID, payment_id: UUID) -> Iterator[str]:
    """Hires with their bills, payments and what the audit log says of them."""
    yield _copy(
        "car_hire_hires", f"t.id = '{hire_id}'", "made_hires m",
        id="m.hire_id", booking_id="m.booking_id", vehicle_id="m.vehicle_id", state="m.state",
        started_at="m.starts_at",
        returned_at="CASE WHEN m.is_over THEN m.ends_at END",
        settled_at="CASE WHEN m.is_over THEN m.ends_at END",
    )  # fmt: skip
    yield _copy(
        "car_hire_bill_lines", f"t.hire_id = '{hire_id}'", "made_over m",
        id="gen_random_uuid()", hire_id="m.hire_id",
    )  # fmt: skip
    yield _copy(
        "payments", f"t.id = '{payment_id}'", "made_hires m",
        id="uuidv7(m.made_at - now())", subject_id="m.booking_id", created_at="m.made_at",
    )  # fmt: skip
    yield _copy(
        "audit_entries", f"t.subject_id IN ('{booking.id}', '{hire_id}')", "made_hires m",
        id="uuidv7(m.starts_at - now())", at="m.starts_at",
        subject_id=f"CASE t.subject_id WHEN '{hire_id}' THEN m.hire_id ELSE m.booking_id END",
    )  # fmt: skip
