"""What admins may do about people, and what not."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from core.auth import entry, people, services
from core.auth.authority import Authority
from core.auth.models import OneTimeToken, User
from core.auth.people import InvitationOver, PeopleFilter
from core.auth.tokens import digest
from core.errors import Forbidden
from core.permissions import Role
from tests.core.auth.conftest import PASSWORD, MakePerson
from tests.core.conftest import CoreScopes


async def test_an_invitation_lets_choose_a_password_once(
    scopes: CoreScopes, authority: Authority, make_person: MakePerson
) -> None:
    """Looking at it uses nothing up; accepting it does."""
    admin = await make_person(Role.ADMIN)
    async with scopes.databases.transaction(scopes.acme) as session:
        invited = await people.invite(
            session, admin.identity, email="invited@example.com", name="Ines", role=Role.STAFF
        )
    for _ in range(2):
        async with scopes.databases.transaction(scopes.acme) as session:
            assert await entry.holder(session, invited.token, "invite") is not None
    async with scopes.databases.transaction(scopes.acme) as session:
        made = await people.accept_invitation(
            session, authority, token=invited.token, password=PASSWORD
        )
        assert made.identity.role is Role.STAFF
    async with scopes.databases.transaction(scopes.acme) as session:
        with pytest.raises(InvitationOver):
            await people.accept_invitation(
                session, authority, token=invited.token, password="battery staple 43"
            )
        await services.sign_in(session, authority, email="invited@example.com", password=PASSWORD)


async def test_a_second_invitation_ends_the_first(
    scopes: CoreScopes, authority: Authority, make_person: MakePerson
) -> None:
    """A link that went to the wrong place can be made worthless."""
    admin = await make_person(Role.ADMIN)
    async with scopes.databases.transaction(scopes.acme) as session:
        first = await people.invite(
            session, admin.identity, email="again@example.com", name="Ines", role=Role.STAFF
        )
        second = await people.invite_again(session, admin.identity, first.user_id)
        assert await entry.holder(session, first.token, "invite") is None
        assert await entry.holder(session, second.token, "invite") is not None


async def test_only_owners_make_and_change_owners(
    scopes: CoreScopes, authority: Authority, make_person: MakePerson
) -> None:
    """An admin can neither become an owner by a friend nor push one out."""
    admin, owner = await make_person(Role.ADMIN), await make_person(Role.OWNER)
    staff = await make_person(Role.STAFF)
    async with scopes.databases.transaction(scopes.acme) as session:
        with pytest.raises(Forbidden):
            await people.change_role(session, authority, admin.identity, staff.id, Role.OWNER)
        with pytest.raises(Forbidden):
            await people.change_role(session, authority, admin.identity, owner.id, Role.MEMBER)
        with pytest.raises(Forbidden):
            await people.disable(session, authority, admin.identity, owner.id)
        with pytest.raises(Forbidden):
            await people.invite(
                session, admin.identity, email="o@example.com", name="O", role=Role.OWNER
            )
        await people.change_role(session, authority, owner.identity, staff.id, Role.OWNER)


async def test_nobody_changes_themselves(
    scopes: CoreScopes, authority: Authority, make_person: MakePerson
) -> None:
    """So the last owner cannot lock the business out."""
    owner = await make_person(Role.OWNER)
    async with scopes.databases.transaction(scopes.acme) as session:
        with pytest.raises(Forbidden):
            await people.change_role(session, authority, owner.identity, owner.id, Role.MEMBER)
        with pytest.raises(Forbidden):
            await people.disable(session, authority, owner.identity, owner.id)


async def test_two_owners_who_demote_each_other_leave_one(
    scopes: CoreScopes, authority: Authority, make_person: MakePerson
) -> None:
    """However the two transactions interleave, an owner remains."""
    one = await make_person(Role.OWNER, scopes.bravo)
    other = await make_person(Role.OWNER, scopes.bravo)
    both = (one.id, other.id)
    async with scopes.databases.transaction(scopes.bravo) as session:
        others = (User.role == "owner", User.id.not_in(both))
        await session.execute(update(User).where(*others).values(role="staff"))

    async def demote(actor: object, target: object) -> None:
        async with scopes.databases.transaction(scopes.bravo) as session:
            await people.change_role(session, authority, actor.identity, target.id, Role.STAFF)  # type: ignore[attr-defined]  # Persons

    await asyncio.gather(demote(one, other), demote(other, one), return_exceptions=True)
    async with scopes.databases.transaction(scopes.bravo) as session:
        owners = select(func.count()).select_from(User).where(User.role == "owner")
        assert await session.scalar(owners) == 1


async def test_people_are_found_by_parts_of_name_and_email_and_by_page(
    scopes: CoreScopes, make_person: MakePerson
) -> None:
    """A percent sign is a percent sign; pages follow each other without gap or repetition."""
    async with scopes.databases.transaction(scopes.delta) as session:
        for number in range(people.PAGE_SIZE + 5):
            await services.create_person(
                session, email=f"pg{number}@x.example", name=f"Paged {number}", role=Role.MEMBER
            )
        wanted = PeopleFilter(text="pAGed", role=Role.MEMBER)
        first, following = await people.find(session, wanted)
        second, end = await people.find(session, wanted, following)
        assert (len(first), len(second), end) == (people.PAGE_SIZE, 5, None)
        assert len({each.id for each in [*first, *second]}) == people.PAGE_SIZE + 5
        assert (await people.find(session, PeopleFilter(text="%")))[0] == []


async def test_a_token_is_used_once_by_twenty_at_once(
    scopes: CoreScopes, make_person: MakePerson
) -> None:
    """Of twenty concurrent uses exactly one gets in, on a shared and on a dedicated database."""
    for tenant in scopes.tenants:
        person = await make_person(tenant=tenant)
        async with scopes.databases.transaction(tenant) as session:
            token = await entry.issue(session, person.id)

        async def use(token: str = token, tenant: object = tenant) -> object:
            async with scopes.databases.transaction(tenant) as session:  # type: ignore[arg-type]  # a Tenant
                return await entry.consume(session, token, "enter")

        answers = await asyncio.gather(*(use() for _ in range(20)))
        assert [each for each in answers if each is not None] == [person.id]


async def test_a_token_ends_after_its_minute_and_with_its_person(
    scopes: CoreScopes, make_person: MakePerson
) -> None:
    """Late, for another purpose, at another tenant, or of somebody disabled: nobody."""
    person = await make_person()
    async with scopes.databases.transaction(scopes.acme) as session:
        late = await entry.issue(session, person.id)
        left = select(OneTimeToken.expires_at - func.now())
        left = left.where(OneTimeToken.token_hash == digest(late))
        minute: timedelta | None = await session.scalar(left)
        assert minute is not None
        assert minute.total_seconds() == 60
        ended = update(OneTimeToken).where(OneTimeToken.token_hash == digest(late))
        await session.execute(ended.values(expires_at=func.now()))
        good = await entry.issue(session, person.id)
    async with scopes.databases.transaction(scopes.bravo) as session:
        assert await entry.consume(session, good, "enter") is None
    async with scopes.databases.transaction(scopes.acme) as session:
        assert await entry.consume(session, late, "enter") is None
        assert await entry.consume(session, good, "invite") is None
        disabled = update(User).where(User.id == person.id)
        await session.execute(disabled.values(disabled_at=func.now()))
        assert await entry.consume(session, good, "enter") is None
        await session.execute(disabled.values(disabled_at=None))
        assert await entry.consume(session, good, "enter") == person.id
