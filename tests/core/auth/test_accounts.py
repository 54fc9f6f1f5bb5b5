"""Registering, signing in, and changing the password."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select, update

from core.auth import services
from core.auth.authority import Authority
from core.auth.models import User
from core.auth.services import EmailTaken, WrongCredentials
from core.errors import Invalid, TooManyRequests
from core.permissions import Role
from tests.core.auth.conftest import PASSWORD, MakePerson
from tests.core.conftest import CoreScopes


async def test_a_customer_registers_and_is_a_member(
    scopes: CoreScopes, authority: Authority
) -> None:
    """The e-mail is kept lower-cased; the password is not kept at all."""
    async with scopes.databases.transaction(scopes.delta) as session:
        made = await services.register(
            session,
            authority,
            email=" Ana.Registers@Example.COM ",
            name="  Ana   Reis ",
            password=PASSWORD,
        )
        row = await session.get_one(User, made.identity.user_id)
        assert (row.email, row.name) == ("ana.registers@example.com", "Ana Reis")
        assert row.role == Role.MEMBER
        assert row.password_hash is not None
        assert PASSWORD not in row.password_hash


async def test_one_email_is_one_account_but_per_tenant(
    scopes: CoreScopes, authority: Authority
) -> None:
    """The same address may be a customer of two businesses, and of each only once."""
    email = "Twice@example.com"
    for tenant in scopes.tenants:
        async with scopes.databases.transaction(tenant) as session:
            await services.register(session, authority, email=email, name="Rui", password=PASSWORD)
    async with scopes.databases.transaction(scopes.acme) as session:
        with pytest.raises(EmailTaken) as taken:
            await services.register(
                session, authority, email=email.upper(), name="Rui", password=PASSWORD
            )
        assert taken.value.errors[0].field == "email"
        count = select(func.count()).select_from(User).where(User.email == email.lower())
        assert await session.scalar(count) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "no-at-sign"),
        ("email", "a@b"),
        ("email", "a b@example.com"),
        ("email", "a\0b@example.com"),
        ("email", "x" * 250 + "@example.com"),
        ("name", "   "),
        ("name", "x" * 101),
        ("name", "A\ud800na"),
        ("name", "A\0na"),
        ("password", "short"),
    ],
)
async def test_bad_input_names_its_field(
    field: str, value: str, scopes: CoreScopes, authority: Authority
) -> None:
    """Each refusal says which field is at fault."""
    form = {"email": "fields@example.com", "name": "Ana", "password": PASSWORD, field: value}
    async with scopes.databases.transaction(scopes.acme) as session:
        with pytest.raises(Invalid) as refused:
            await services.register(session, authority, **form)
    assert [each.field for each in refused.value.errors] == [field]


@pytest.mark.parametrize("email", ["nobody@example.com", "", "nul\0@x.y", "\ud800@x.y"])
async def test_an_unknown_account_sounds_like_a_wrong_password(
    email: str, scopes: CoreScopes, authority: Authority, make_person: MakePerson
) -> None:
    """Who has an account is not told."""
    person = await make_person()
    async with scopes.databases.transaction(scopes.acme) as session:
        with pytest.raises(WrongCredentials) as unknown:
            await services.sign_in(session, authority, email=email, password=PASSWORD)
        with pytest.raises(WrongCredentials) as wrong:
            await services.sign_in(session, authority, email=person.email, password="wrong")
    assert str(unknown.value) == str(wrong.value)


async def test_a_disabled_person_cannot_sign_in(
    scopes: CoreScopes, authority: Authority, make_person: MakePerson
) -> None:
    """And hears no more than anybody else."""
    person = await make_person()
    async with scopes.databases.transaction(scopes.acme) as session:
        disabled = update(User).where(User.id == person.id).values(disabled_at=func.now())
        await session.execute(disabled)
        with pytest.raises(WrongCredentials):
            await services.sign_in(session, authority, email=person.email, password=PASSWORD)


async def test_guessing_is_slowed_and_the_right_password_waits_too(
    scopes: CoreScopes, authority: Authority, make_person: MakePerson
) -> None:
    """After eight misses even the right password must wait, else guessing would go on."""
    person = await make_person()
    async with scopes.databases.transaction(scopes.acme) as session:
        for _ in range(8):
            with pytest.raises(WrongCredentials):
                await services.sign_in(session, authority, email=person.email, password="no")
        with pytest.raises(TooManyRequests) as refused:
            await services.sign_in(session, authority, email=person.email, password=PASSWORD)
    assert 800 < refused.value.retry_after <= 900


async def test_signing_in_well_is_never_throttled(
    scopes: CoreScopes, authority: Authority, make_person: MakePerson
) -> None:
    """A good sign-in gives its attempt back and forgets the slips before it."""
    person = await make_person()
    async with scopes.databases.transaction(scopes.acme) as session:
        for _ in range(3):
            for _ in range(5):
                with pytest.raises(WrongCredentials):
                    await services.sign_in(session, authority, email=person.email, password="no")
            await services.sign_in(session, authority, email=person.email, password=PASSWORD)


async def test_an_old_hash_is_renewed_at_sign_in(
    scopes: CoreScopes, authority: Authority, make_person: MakePerson
) -> None:
    """When the parameters change, people get them as they come."""
    person = await make_person()
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    async with scopes.databases.transaction(scopes.acme) as session:
        await session.execute(update(User).where(User.id == person.id).values(password_hash=old))
    async with scopes.databases.transaction(scopes.acme) as session:
        await services.sign_in(session, authority, email=person.email, password=PASSWORD)
    async with scopes.databases.transaction(scopes.acme) as session:
        kept = await session.scalar(select(User.password_hash).where(User.id == person.id))
        assert kept is not None
        assert "m=19456,t=2,p=1" in kept
        await services.sign_in(session, authority, email=person.email, password=PASSWORD)


async def test_the_password_changes_only_by_who_knows_it(
    scopes: CoreScopes, authority: Authority, make_person: MakePerson
) -> None:
    """A browser left open is not enough to take an account over."""
    person = await make_person()
    async with scopes.databases.transaction(scopes.acme) as session:
        with pytest.raises(Invalid) as refused:
            await services.change_password(
                session, authority, person.identity, current="guess", new="battery staple 43"
            )
    assert refused.value.errors[0].field == "current"


async def test_nobody_hashes_inside_a_transaction(
    scopes: CoreScopes, authority: Authority, make_person: MakePerson
) -> None:
    """While a password is compared, no connection is held."""
    person = await make_person()
    seen: list[bool] = []
    async with scopes.databases.transaction(scopes.acme) as session:
        matches = authority.passwords.matches

        async def watched(password: str, kept: str | None) -> bool:
            seen.append(session.in_transaction())
            return await matches(password, kept)

        authority.passwords.matches = watched  # type: ignore[method-assign]  # to look, not to replace
        await services.sign_in(session, authority, email=person.email, password=PASSWORD)
    assert seen == [False]
