"""The operator's terms: accepted with the sign-up, asked for again, and binding when time is up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import httpx
import pytest
from click.testing import CliRunner
from sqlalchemy import delete, select

from atrium.testing.forms import fields_of
from atrium.testing.site import Site
from core.auth.models import User
from core.clock import now
from core.terms import services
from core.terms.models import TermsAcceptance, TermsVersion
from tenants.operator.terms_commands import terms_command
from tests.tenants.operator.conftest import program
from tests.tenants.portal.applicant import PASSWORD, Applicant, stranger
from tests.tenants.portal.conftest import make

API = "/api/v1/operator/terms"


@pytest.fixture
async def operator(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """A program that may publish; what it published is taken away afterwards, others sign up."""
    async with await program(site, "write") as client:
        yield client
    async with site.world.databases.transaction(site.world.platform) as session:
        await session.execute(delete(TermsAcceptance))
        await session.execute(delete(TermsVersion))


async def publish(operator: httpx.AsyncClient, **chosen: object) -> dict[str, object]:
    body = {"kind": "terms", "text_en": "# Terms\n\nBe kind.", "text_pt": "Seja gentil."} | chosen
    answer = await operator.post(API, json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def accepted(site: Site, email: str) -> Sequence[TermsAcceptance]:
    async with site.world.databases.transaction(site.world.platform) as session:
        person = await session.scalar(select(User.id).where(User.email == email))
        query = select(TermsAcceptance).where(TermsAcceptance.user_id == person)
        return (await session.scalars(query.order_by(TermsAcceptance.kind))).all()


async def sign_up(applicant: Applicant) -> httpx.Response:
    review = await applicant.client.get("/sign-up/review")
    key = review.text.partition('name="terms" value="')[2].partition('"')[0]
    return await applicant.client.post("/sign-up/review", data={"terms": key})


async def test_nobody_signs_up_without_accepting(
    site: Site, applicant: Applicant, operator: httpx.AsyncClient
) -> None:
    """The server insists, whatever the browser let through; then it is noted what was accepted."""
    await publish(operator)
    await publish(operator, kind="privacy", text_en="We keep little.")
    await applicant.fill()
    refused = await applicant.submit()
    assert refused.status_code == 422
    assert "Tick this to go on" in refused.text
    stale = await applicant.client.post("/sign-up/review", data={"terms": "terms-1"})
    assert "have changed meanwhile" in stale.text
    assert not await accepted(site, applicant.email)
    assert (await sign_up(applicant)).status_code == 303
    privacy, terms = await accepted(site, applicant.email)
    shown = (await operator.get(f"{API}/terms/1")).json()
    assert (terms.number, terms.digest) == (1, shown["digests"]["en"])
    assert (privacy.kind, privacy.locale) == ("privacy", "en")
    assert terms.address is not None
    assert terms.address.endswith("/24")


async def test_an_owner_is_asked_at_the_next_sign_in(
    site: Site, applicant: Applicant, operator: httpx.AsyncClient
) -> None:
    """Before the grace is over they may go on; they accept on a page that leads them on."""
    await applicant.fill()
    await sign_up(applicant)
    await publish(operator, accept_by=(now() + timedelta(days=9)).isoformat())
    async with stranger(site) as browser:
        known = {"email": applicant.email, "password": PASSWORD, "next": "/businesses"}
        way = (await browser.post("/sign-in", data=known)).headers["location"]
        assert way == "/terms/acceptance?next=/businesses"
        page = await browser.get(way)
        assert "You have until" in page.text
        empty = await browser.post("/terms/acceptance", data={"next": "/businesses"})
        assert empty.status_code == 422
        form = {"next": "/businesses", "terms": "terms-1"}
        answer = await browser.post("/terms/acceptance", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, "/businesses")
        assert (await browser.get(way)).headers["location"] == "/businesses"
    assert [each.number for each in await accepted(site, applicant.email)] == [1]


async def test_after_the_grace_an_owner_reads_exports_and_closes(
    site: Site, applicant: Applicant, operator: httpx.AsyncClient
) -> None:
    """Nothing else, by page or by API, until they accept."""
    await applicant.fill()
    await sign_up(applicant)
    business = await make(site.world, applicant.slug)
    here, browser = f"/businesses/{business}", applicant.client
    await publish(operator)
    assert (await browser.get(here)).status_code == 200
    assert (await browser.get(f"{here}/upkeep")).status_code == 200
    changed = {"name": "Other", "zone": "Europe/Lisbon", "locale": "en"}
    refused = await browser.post(f"{here}/settings", data=changed)
    assert refused.status_code == 403
    assert "/terms/acceptance" in refused.text
    by_program = await browser.post("/api/v1/businesses", json={"name": "Another"})
    assert by_program.json()["code"] == "terms_due"
    assert (await browser.post(f"{here}/upkeep/export", data={})).status_code != 403
    assert (await browser.post(f"{here}/upkeep/closing", data={"confirm": "no"})).status_code == 422
    await browser.post("/terms/acceptance", data={"terms": "terms-1"})
    assert (await browser.post(f"{here}/settings", data=changed)).status_code == 303


async def test_everybody_reads_the_terms_with_their_history(
    applicant: Applicant, operator: httpx.AsyncClient
) -> None:
    """In both languages; what is to come and what was is named as such."""
    await publish(operator)
    await publish(operator, text_en="# Terms\n\nBe kinder.", change="inform")
    later = (now() + timedelta(days=30)).isoformat()
    await publish(operator, text_en="Be kindest.", valid_from=later)
    browser = applicant.client
    page = (await browser.get("/terms")).text
    assert "Be kinder." in page
    assert "Be kindest." not in page
    assert "/terms/terms/1" in page
    assert "To come" in page
    assert "an earlier version" in (await browser.get("/terms/terms/1")).text
    assert "not in force yet" in (await browser.get("/terms/terms/3")).text
    assert "Seja gentil." in (await browser.get("/terms/terms/1?language=pt")).text
    for wrong in ("/terms/terms/9", "/terms/cookies/1", "/terms/terms/99999999999"):
        assert (await browser.get(wrong)).status_code == 404


async def test_the_console_publishes_by_hand(
    site: Site, operator: httpx.AsyncClient, applicant: Applicant
) -> None:
    """What cannot be published is said beside its field, and what was typed is kept."""
    async with await site.person(site.world.platform) as staff:
        page = await staff.get("/operator/terms")
        form = fields_of(page.text, "/operator/terms").values
        typed = form | {"text_en": "Mine.", "change": "inform", "accept_by": "2030-01-01T00:00"}
        refused = await staff.post("/operator/terms", data=typed)
        assert refused.status_code == 422
        assert "Mine." in refused.text
        form = fields_of(refused.text, "/operator/terms").values
        made = await staff.post(
            "/operator/terms", data=form | {"change": "accept", "accept_by": ""}
        )
        assert made.status_code == 303, made.text
        assert "Mine." in (await applicant.client.get("/terms")).text


async def test_the_command_publishes_a_file(
    site: Site, operator: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And says in words what is wrong; here only how it reads its options."""
    runner = CliRunner()
    assert runner.invoke(terms_command, ["publish", "cookies"]).exit_code == 2
    assert set(services.KINDS) == {"terms", "privacy"}
