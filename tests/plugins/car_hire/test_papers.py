"""Numbered papers: no gap, no change, once; drawn, sent, and credited."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from atrium.testing.site import Site
from core import plugin_settings
from core.auth.authority import LOCAL_COOKIE
from core.errors import Invalid
from core.ids import new_id
from core.mail.models import Mail
from core.money import Money
from core.payments.services import Payments
from core.permissions import Role
from core.storage import services as storage
from core.storage.models import StoredFile
from plugins.car_hire import policy
from plugins.car_hire.models import Customer, Paper, PaperFile
from plugins.car_hire.policy import Policy
from plugins.car_hire.schemas import ReturnInput
from plugins.car_hire.services import hires, paying
from plugins.car_hire.services.papers import (
    crediting,
    drawing,
    invoices,
    issuing,
    listing,
    refunding,
)
from plugins.car_hire.services.papers.content import Content, Paid, Party
from tests.plugins.car_hire.shop import Shop
from tests.plugins.car_hire.test_paying import Till, _running, standin, till

__all__ = ["_running", "standin", "till"]

NOTHING = Money.zero("EUR")
BUYER = Party(name="Ana", tax_number="219876543")


@pytest.fixture
async def prefix(shop: Shop) -> AsyncIterator[str]:
    """Acme says who it is, with series of this test's own; and takes it back."""
    made = "".join(random.choices("ABCDEFGHJKLMNPQRSTUVWXYZ", k=6))
    async with shop.transaction() as session:
        before = await policy.read(session)
        await plugin_settings.save(
            session,
            policy.PLUGIN,
            Policy(
                legal_name="ACME, Lda.",
                seller_tax_number="PT 509999990",
                invoice_prefix=made,
                credit_note_prefix=f"{made}N",
                receipt_prefix=f"{made}R",
            ),
        )
    yield made
    async with shop.transaction() as session:
        await plugin_settings.save(session, policy.PLUGIN, before)


async def issue(shop: Shop, key: str, *, fails: bool = False) -> Paper | None:
    content = Content(
        currency="EUR",
        seller=Party(name="ACME, Lda.", tax_number="PT 509999990"),
        buyer=BUYER,
        lines=(),
        payments=(Paid(text="Cash", amount=Decimal(10)),),
    )
    with suppress(ConnectionError):
        async with shop.transaction() as session:
            made = await issuing.issue(session, "invoice", content, key=key)
            if fails:
                raise ConnectionError
            return made
    return None


async def test_numbers_have_no_gap_whoever_issues_and_whatever_fails(
    shop: Shop, prefix: str
) -> None:
    """Sixty at once, a third of which are undone at the last moment, and some sent twice."""
    keys = [str(new_id()) for _ in range(40)]
    asked = [issue(shop, key) for key in keys + keys[:10]]
    asked += [issue(shop, str(new_id()), fails=True) for _ in range(20)]
    random.shuffle(asked)
    made = {each.id: each for each in await asyncio.gather(*asked) if each is not None}
    in_order = sorted(made.values(), key=lambda each: each.sequence)
    assert [each.sequence for each in in_order] == list(range(1, 41))
    assert len({each.key for each in in_order}) == 40
    assert [each.issued_at for each in in_order] == sorted(each.issued_at for each in in_order)
    assert in_order[0].number == f"{prefix} {in_order[0].issued_on.year}/1"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE car_hire_papers SET gross = gross WHERE id = :id",
        "DELETE FROM car_hire_papers WHERE id = :id",
        "DELETE FROM car_hire_paper_files WHERE paper_id = :id",
        "TRUNCATE car_hire_papers CASCADE",
    ],
)
async def test_the_database_refuses_to_change_a_paper(
    shop: Shop, prefix: str, statement: str
) -> None:
    """Whatever the code does."""
    made = await issue(shop, str(new_id()))
    assert made is not None
    given = {"id": made.id} if ":id" in statement else {}
    async with shop.transaction() as session:
        with pytest.raises(DBAPIError, match="permission denied"):
            await session.execute(text(statement), given)


async def test_nothing_is_issued_while_the_seller_is_unknown(shop: Shop) -> None:
    async with shop.transaction() as session:
        with pytest.raises(issuing.SellerUnknown):
            await issuing.seller(session)


async def closed(shop: Shop, **readings: Any) -> tuple[UUID, Paper]:
    """A hire that came back with something to pay, and its invoice."""
    booking, hire_id = await shop.out()
    await shop.back(hire_id, **readings)
    async with shop.transaction() as session:
        await hires.close(session, hire_id)
        return hire_id, await invoices.of_booking(session, booking.id, NOTHING)


async def test_an_invoice_holds_every_line_and_comes_out(shop: Shop, prefix: str) -> None:
    """Lines of hire and return, tax by rate, and payments add up; asked twice it is one."""
    async with shop.transaction() as session:
        customer = await session.get_one(Customer, shop.customer.id)
        customer.billing_name, customer.tax_number = "Martins, Lda.", "501234560"
    hire_id, paper = await closed(shop, odometer_km=10_900, fuel_eighths=6)
    content = issuing.content_of(paper)
    async with shop.transaction() as session:
        hire = await hires.one(session, hire_id)
        again = await invoices.of_booking(session, hire.booking_id, NOTHING)
    assert again.id == paper.id
    assert [each.rule for each in content.lines] == ["rate.daily", "fuel.missing", "mileage.excess"]
    assert (content.buyer.name, content.buyer.tax_number) == ("Martins, Lda.", "501234560")
    assert paper.gross == sum(each.gross for each in content.taxes())
    assert paper.gross == sum(each.amount for each in content.payments)
    assert paper.number.startswith(f"{prefix} ")


@pytest.mark.usefixtures("site")  # for its store
async def test_a_paper_is_drawn_once_and_sent_however_often_its_job_dies(
    shop: Shop, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker dies between the number and the file; later the job comes twice at once."""
    _hire, paper = await closed(shop)

    async def killed(*_given: object) -> bytes:
        raise ConnectionResetError

    async def deliver() -> None:
        async with shop.transaction() as session:
            await drawing.draw(session, paper.id)

    with monkeypatch.context() as patched:
        patched.setattr("core.documents.drawing.pdf", killed)
        with pytest.raises(ConnectionResetError):
            await deliver()
    await asyncio.gather(deliver(), deliver())
    await deliver()
    async with shop.transaction() as session:
        kept = await session.get_one(PaperFile, paper.id)
        file = await storage.one(session, kept.file_id)
        same = select(StoredFile.id).where(StoredFile.name == file.name)
        assert (await session.scalars(same)).all() == [file.id]
        key = Mail.key == f"car_hire/mail/paper:{paper.id}"
        letter = (await session.scalars(select(Mail).where(key))).one()
        body = await storage.content(session, file)
    assert body.startswith(b"%PDF-")
    assert (kept.sha256, letter.attached) == (file.sha256, [str(file.id)])


async def test_a_credit_note_takes_off_no_more_than_there_is(shop: Shop, prefix: str) -> None:
    """Part of a line, then the rest; together the tax that was invoiced; then nothing is left."""
    _hire, paper = await closed(shop, odometer_km=10_900)
    lines = issuing.content_of(paper).lines
    async with shop.transaction() as session:
        first = await refunding.credit_alone(session, paper.id, {1: Decimal("7.77")}, "Km", "a1")
        rest = await crediting.left(session, paper)
    assert first.refers_to == paper.id
    assert first.number.startswith(f"{prefix}N ")
    assert rest[1].net == lines[1].net - Decimal("7.77")
    with pytest.raises(Invalid, match=r"."):
        async with shop.transaction() as session:
            await refunding.credit_alone(session, paper.id, {1: lines[1].net}, "Too much", "a2")
    async with shop.transaction() as session:
        wanted = {each.position: each.net for each in rest}
        second = await refunding.credit_alone(session, paper.id, wanted, "All", "a3")
        assert not any(each.net for each in await crediting.left(session, paper))
    assert first.gross + second.gross == paper.gross


async def test_settling_issues_the_invoice_and_a_refund_goes_to_the_card_once(
    till: Till, prefix: str
) -> None:
    """The deposit pays the bill, the invoice says so; half of it is given back by a credit note
    whose job comes ten times."""
    booking, hire_id = await till.out()
    async with till.shop.transaction() as session:
        given = ReturnInput(odometer_km=10_500, fuel_eighths=8)
        await hires.take_back(session, hire_id, given)
        await paying.settle_soon(session, hire_id)
    await till.work(times=3)
    async with till.shop.transaction() as session:
        ((paper, file_id),) = await listing.of_booking(session, booking.id)
        content = issuing.content_of(paper)
        assert file_id is not None
        assert content.owed == 0
        assert any(each.payment_id for each in content.payments)
        net = Decimal("10.00")
        note = await refunding.credit_and_refund(session, paper.id, {1: net}, "Goodwill", "g1")
    await till.work(times=10)
    async with till.shop.transaction() as session:
        (deposit,) = await Payments(session).of(paying.HIRE, hire_id)
    assert deposit.refunded == note.gross
    with pytest.raises(Invalid):
        async with till.shop.transaction() as session:
            await refunding.credit_and_refund(session, paper.id, {0: net * 7}, "Too much", "g2")


async def test_two_credit_notes_at_once_promise_no_more_than_the_cards_paid(
    till: Till, prefix: str
) -> None:
    """The second is written before the first has gone back: it is refused while somebody looks,
    instead of by the bank when nobody does."""
    booking, hire_id = await till.out()
    async with till.shop.transaction() as session:
        await hires.take_back(session, hire_id, ReturnInput(odometer_km=10_500, fuel_eighths=8))
        await paying.settle_soon(session, hire_id)
    await till.work(times=3)
    async with till.shop.transaction() as session:
        ((paper, _file),) = await listing.of_booking(session, booking.id)
        (deposit,) = await Payments(session).of(paying.HIRE, hire_id)
        rest = {each.position: each.net for each in await crediting.left(session, paper)}
    largest = max(rest, key=lambda each: rest[each])
    net = min(deposit.captured * 2 / 3 / Decimal("1.23"), rest[largest] / 2)
    part = {largest: net.quantize(Decimal("0.01"))}
    async with till.shop.transaction() as session:
        first = await refunding.credit_and_refund(session, paper.id, part, "One", f"{prefix}1")
        with pytest.raises(Invalid):
            await refunding.credit_and_refund(session, paper.id, part, "Two", f"{prefix}2")
    await till.work(times=3)
    async with till.shop.transaction() as session:
        (deposit,) = await Payments(session).of(paying.HIRE, hire_id)
    assert deposit.refunded == first.gross


async def test_the_pages_show_papers_to_the_desk_and_to_whom_they_belong(
    site: Site, shop: Shop, prefix: str
) -> None:
    """The list by number, the paper, the sheet for the accountant, one's own; nobody else's."""
    user_id = await site.enrol(shop.tenant, Role.MEMBER)
    async with shop.transaction() as session:
        customer = await session.get_one(Customer, shop.customer.id)
        customer.user_id = user_id
        token = await site.sessions.begin(session, user_id)
    _hire, paper = await closed(shop, odometer_km=10_900)
    async with shop.transaction() as session:
        await drawing.draw(session, paper.id)
        file = await session.get_one(PaperFile, paper.id)
    path = f"/car-hire/desk/papers/{paper.id}"
    wanted = {"text": prefix}
    async with await site.person(shop.tenant) as desk:
        listed = await desk.get("/car-hire/desk/papers", params=wanted)
        shown = await desk.get(path)
        sheet = await desk.get("/car-hire/desk/papers/sheet", params=wanted)
        given = {"reason": "Goodwill", "back": "none"}
        refused = await desk.post(f"{path}/credit-note", data=given | {"lines.0": "1e9"})
        credited = await desk.post(f"{path}/credit-note", data=given | {"lines.0": "10,00"})
    assert paper.number in listed.text
    assert paper.number in shown.text
    assert sheet.headers["content-type"].startswith("text/csv")
    assert paper.number in sheet.text
    assert (refused.status_code, "1e9" in refused.text) == (422, True)
    assert credited.status_code == 303, credited.text[:3000]
    async with site.visitor(shop.tenant) as owner:
        owner.cookies.set(LOCAL_COOKIE, token)
        assert paper.number in (await owner.get("/car-hire/papers")).text
        assert (await owner.get(f"/files/{file.file_id}")).content.startswith(b"%PDF-")
        saved = await owner.post("/car-hire/papers/billing", data={"tax_number": "501234560"})
        assert saved.status_code == 303
    async with await site.person(shop.tenant, Role.MEMBER) as stranger:
        assert paper.number not in (await stranger.get("/car-hire/papers")).text
        assert (await stranger.get(f"/files/{file.file_id}")).status_code == 404
