"""The wizard: what was typed is kept, what is wrong is named, one draft makes one business."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select

from atrium.testing.site import Site
from core.mail.models import Mail
from tests.tenants.portal.applicant import PASSWORD, Applicant, stranger
from tests.tenants.portal.conftest import make, rows


async def test_a_business_is_signed_up(site: Site, applicant: Applicant) -> None:
    """Everything right: an account, a membership, a tenant that is being made, and a session."""
    await applicant.fill()
    review = await applicant.client.get("/sign-up/review")
    assert "Lia&#39;s Wheels" in review.text
    assert f"{applicant.slug}.localhost" in review.text
    answer = await applicant.submit()
    assert answer.status_code == 303
    progress = await applicant.client.get(answer.headers["location"])
    assert progress.status_code == 200
    assert "Building Lia&#39;s Wheels" in progress.text
    (made,) = await rows(
        site.world,
        "SELECT t.status, t.zone, t.currency, t.hosting, m.role, u.email, p.plugin"
        " FROM tenants t JOIN memberships m ON m.tenant_id = t.id JOIN users u ON"
        " u.id = m.account_id JOIN tenant_plugins p ON p.tenant_id = t.id WHERE slug = :slug",
        slug=applicant.slug,
    )
    assert tuple(made) == (
        "provisioning",
        "Europe/Lisbon",
        "EUR",
        "pooled",
        "owner",
        applicant.email,
        "car_hire",
    )


async def test_a_new_account_is_asked_to_confirm_its_address(
    site: Site, applicant: Applicant
) -> None:
    """One letter, written in the portal; the account works meanwhile."""
    await applicant.fill()
    await applicant.submit()
    async with site.world.databases.transaction(site.world.platform) as session:
        written = list(await session.scalars(select(Mail)))
    (letter,) = [each for each in written if each.recipient == applicant.email]
    assert "http://localhost:8000/account/email?token=" in letter.text
    assert "Not confirmed yet" in (await applicant.client.get("/account")).text


async def test_the_owner_walks_in(site: Site, applicant: Applicant) -> None:
    """Once made, "Open" leads to the tenant's own host and lets the owner in there, once."""
    await applicant.fill()
    await applicant.submit()
    business = await make(site.world, applicant.slug)
    page = await applicant.client.get(f"/businesses/{business}/progress")
    assert "is open" in page.text
    opened = await applicant.client.post(f"/businesses/{business}/open")
    door = f"http://{applicant.slug}.localhost:8000/enter"
    assert f'action="{door}"' in opened.text
    token = opened.text.partition('name="token" value="')[2].partition('"')[0]
    portal = {"origin": "http://localhost:8000", "sec-fetch-site": "cross-site"}
    tenant = await site.world.directory.by_id(business)
    assert tenant is not None
    async with site.visitor(tenant) as there:
        entered = await there.post(door, data={"token": token}, headers=portal)
        assert entered.status_code == 303
        account = await there.get("/account")
        assert applicant.email in account.text
    async with site.visitor(tenant) as thief:
        again = await thief.post(door, data={"token": token}, headers=portal)
        assert again.status_code == 410


async def test_a_dedicated_wish_is_noted_and_the_business_starts_pooled(
    site: Site, applicant: Applicant
) -> None:
    """What cannot be ordered yet is a request, said so on the review page."""
    applicant.answers["hosting"]["hosting"] = "dedicated"
    await applicant.fill()
    assert "cannot be ordered yet" in (await applicant.client.get("/sign-up/review")).text
    await applicant.submit()
    (found,) = await rows(
        site.world,
        "SELECT hosting, state FROM tenants t JOIN dedicated_requests r ON r.tenant_id = t.id"
        " WHERE slug = :slug",
        slug=applicant.slug,
    )
    assert tuple(found) == ("pooled", "open")


async def test_a_double_click_makes_one_business(site: Site, applicant: Applicant) -> None:
    """Ten sends at once: one tenant, one account, ten times the way to the same page, and
    whichever answer the browser keeps signs the owner in."""
    await applicant.fill()
    answers = await asyncio.gather(*(applicant.submit() for _ in range(10)))
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert all("atrium=" in answer.headers.get("set-cookie", "") for answer in answers)
    (count,) = await rows(
        site.world,
        "SELECT (SELECT count(*) FROM tenants WHERE slug = :slug) AS tenants,"
        " (SELECT count(*) FROM users WHERE email = :email) AS users,"
        " (SELECT count(*) FROM provisioning_runs r JOIN tenants t ON t.id = r.tenant_id"
        " WHERE slug = :slug) AS runs",
        slug=applicant.slug,
        email=applicant.email,
    )
    assert tuple(count) == (1, 1, 1)


async def test_a_race_for_an_address_has_one_winner(site: Site) -> None:
    """Two want one address at once: one gets it, the other is led back and loses nothing."""
    one, other = Applicant.at(site), Applicant.at(site)
    other.answers["address"]["slug"] = one.slug
    async with one.client, other.client:
        await one.fill()
        await other.fill()
        answers = await asyncio.gather(one.submit(), other.submit())
        places = sorted(answer.headers["location"] for answer in answers)
        assert places[0].startswith("/businesses/")
        assert places[1] == "/sign-up/address"
        loser = one if answers[0].headers["location"] == places[1] else other
        page = await loser.client.get("/sign-up/address")
        assert "This address is taken" in page.text
        assert f'data-suggest="{one.slug}-hq"' in page.text
        assert "Lia&#39;s Wheels" in (await loser.client.get("/sign-up/business")).text
        await loser.answer("address", slug=f"{one.slug}-hq")
        assert (await loser.submit()).headers["location"].startswith("/businesses/")


async def test_the_address_is_asked_again_when_it_was_taken_meanwhile(
    site: Site, applicant: Applicant
) -> None:
    """No account is left behind by a refused order."""
    await applicant.fill()
    await site.world.provision(applicant.slug)
    answer = await applicant.submit()
    assert answer.headers["location"] == "/sign-up/address"
    assert not await rows(
        site.world, "SELECT 1 FROM users WHERE email = :email", email=applicant.email
    )


async def test_nothing_typed_is_lost(applicant: Applicant) -> None:
    """What is being typed, however unfinished, is there after a reload, going back, or both."""
    await applicant.client.get("/sign-up/business")
    kept = await applicant.client.post(
        "/sign-up/business/draft", data={"name": "Half a na", "zone": "Eur", "currency": ""}
    )
    assert kept.status_code == 204
    page = await applicant.client.get("/sign-up/business")
    assert 'value="Half a na"' in page.text
    assert 'value="Eur"' in page.text
    await applicant.answer("business", name="Whole name")
    back = await applicant.answer("products", go="back")
    assert back.headers["location"] == "/sign-up/business"
    assert 'value="Whole name"' in (await applicant.client.get("/sign-up/business")).text
    assert "checked" in (await applicant.client.get("/sign-up/products")).text


async def test_a_password_is_kept_as_its_hash_alone(site: Site, applicant: Applicant) -> None:
    """Going back need not type it again, and neither page nor draft ever shows it."""
    await applicant.fill()
    page = await applicant.client.get("/sign-up/owner")
    assert PASSWORD not in page.text
    assert "keep the one you chose" in page.text
    again = await applicant.answer("owner", name="Lia Rocha Dias", password="")
    assert again.headers["location"] == "/sign-up/review"
    held = await rows(
        site.world,
        "SELECT data::text || password_hash AS held FROM sign_up_drafts"
        " WHERE data::text LIKE '%' || :email || '%'",
        email=applicant.email,
    )
    assert len(held) == 1
    assert PASSWORD not in held[0].held
    assert "argon2id" in held[0].held


async def test_a_finished_draft_holds_nothing_personal(site: Site, applicant: Applicant) -> None:
    """Once it has become a business, what was typed is forgotten."""
    await applicant.fill()
    await applicant.submit()
    assert not await rows(
        site.world,
        "SELECT 1 FROM sign_up_drafts WHERE data::text LIKE '%' || :email || '%'",
        email=applicant.email,
    )


async def test_steps_cannot_be_skipped(applicant: Applicant) -> None:
    """A later page leads back to the first that is open."""
    await applicant.client.get("/sign-up")
    await applicant.answer("business")
    for ahead in ("address", "owner", "review"):
        answer = await applicant.client.get(f"/sign-up/{ahead}")
        assert answer.headers["location"] == "/sign-up/products"


async def test_an_unknown_step_does_not_exist(applicant: Applicant) -> None:
    """Made-up addresses are 404."""
    assert (await applicant.client.get("/sign-up/nonsense")).status_code == 404
    assert (await applicant.client.post("/sign-up/nonsense")).status_code == 404


WRONG = [
    ("business", {"name": ""}, "name"),
    ("business", {"name": "x" * 121}, "name"),
    ("business", {"name": "NUL\0"}, "name"),
    ("business", {"zone": "Mars/Olympus"}, "zone"),
    ("business", {"zone": "../../etc/passwd"}, "zone"),
    ("business", {"currency": "XXX"}, "currency"),
    ("business", {"currency": ["EUR", "USD"]}, "currency"),
    ("business", {"country": "QQ"}, "country"),
    ("products", {"products": []}, "products"),
    ("products", {"products": ["core"]}, "products"),
    ("hosting", {"hosting": "cloud"}, "hosting"),
    ("address", {"slug": "ab"}, "slug"),
    ("address", {"slug": "www"}, "slug"),
    ("address", {"slug": "Acme"}, "slug"),
    ("address", {"slug": "acme"}, "slug"),
    ("address", {"slug": "acrne"}, "slug"),
    ("address", {"slug": "xn--80ak6aa92e"}, "slug"),
    ("address", {"slug": "a" * 41}, "slug"),
    ("address", {"slug": "café"}, "slug"),
    ("owner", {"email": "nobody"}, "email"),
    ("owner", {"email": "a@b\0.example"}, "email"),
    ("owner", {"name": " "}, "name"),
    ("owner", {"password": "short"}, "password"),
    ("owner", {"password": "Lia Rocha 2026!"}, "password"),
    ("owner", {"password": "password1234"}, "password"),
    ("owner", {"password": "x" * 500}, "password"),
]


@pytest.mark.parametrize(("step", "changed", "field"), WRONG)
async def test_a_wrong_answer_names_its_field(
    applicant: Applicant, step: str, changed: dict[str, object], field: str
) -> None:
    """422, the error beside the field, and everything else as typed."""
    await applicant.client.get("/sign-up")
    answer = await applicant.answer(step, **changed)
    assert answer.status_code == 422, (answer.status_code, answer.headers)
    assert f'id="{field}-error"' in answer.text


async def test_an_unknown_field_is_refused(applicant: Applicant) -> None:
    """A stranger among the fields is named."""
    answer = await applicant.answer("hosting", price="0")
    assert answer.status_code == 422
    assert "price" in answer.text


async def test_an_account_that_exists_is_asked_to_sign_in(site: Site, applicant: Applicant) -> None:
    """Its e-mail is refused with the way to sign in, and nothing typed is lost by it."""
    await applicant.fill()
    await applicant.submit()
    second = Applicant.at(site)
    async with second.client:
        await second.client.get("/sign-up")
        for step in ("business", "products", "hosting", "address"):
            await second.answer(step)
        answer = await second.answer("owner", email=applicant.email.upper())
    assert answer.status_code == 422
    assert 'id="email-error"' in answer.text
    assert "/sign-in?next=/sign-up/owner" in answer.text


async def test_somebody_signed_in_is_not_asked_who_they_are(
    site: Site, applicant: Applicant
) -> None:
    """Their second business goes to the same account, without a password."""
    await applicant.fill()
    await applicant.submit()
    second = Applicant.at(site, applicant.client)
    await second.client.get("/sign-up")
    for step in ("business", "products", "hosting", "address"):
        await second.answer(step)
    page = await second.client.get("/sign-up/owner")
    assert "Lia Rocha" in page.text
    assert 'name="password"' not in page.text
    await second.client.post("/sign-up/owner", data={"go": "next"})
    assert (await second.submit()).headers["location"].startswith("/businesses/")
    (owned,) = await rows(
        site.world,
        "SELECT count(*) FROM memberships m JOIN users u ON u.id = m.account_id"
        " WHERE email = :email",
        email=applicant.email,
    )
    assert owned.count == 2


@pytest.mark.parametrize(
    ("slug", "state", "word"),
    [
        ("free-as-a-bird", "free", "is free"),
        ("acme", "taken", "taken"),
        ("www", "invalid", "reserved"),
        ("A b", "invalid", "small letters"),
        ("x" * 5000, "invalid", "3 to 40"),
    ],
)
async def test_availability_is_told_while_typing(
    applicant: Applicant, slug: str, state: str, word: str
) -> None:
    """Free, taken or not allowed, with what would be free instead."""
    answer = await applicant.client.get("/sign-up/availability", params={"slug": slug})
    assert answer.status_code == 200
    assert f'data-state="{state}"' in answer.text
    assert word in answer.text
    assert ("data-suggest=" in answer.text) is (state != "free")


async def test_another_sites_form_is_refused(site: Site) -> None:
    """A page of somebody else's cannot send the wizard's forms."""
    async with stranger(site) as visitor:
        answer = await visitor.post(
            "/sign-up/business", data={"name": "x"}, headers={"sec-fetch-site": "cross-site"}
        )
    assert answer.status_code == 403


async def test_the_source_of_many_sign_ups_is_slowed_down(applicant: Applicant) -> None:
    """Passwords cost work, and e-mails could be fished for: 20 tries an hour."""
    await applicant.client.get("/sign-up")
    codes = [(await applicant.answer("owner")).status_code for _ in range(21)]
    assert codes[0] == 303
    assert codes[-1] == 429
