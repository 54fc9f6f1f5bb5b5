"""Signing a business up: account, membership, tenant and its making, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import exists, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from core.audit import services as audit
from core.auth import identity as identities
from core.auth.authority import Authority
from core.auth.models import User
from core.auth.services import create_person, enter
from core.errors import DomainError
from core.permissions import Role
from tenants import lifecycle
from tenants.lifecycle import Order, Ordered, Owner, SlugTaken
from tenants.models import Membership, TenantRecord

DEDICATED: Final = "dedicated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A business as it was asked for."""

    name: str
    slug: str
    zone: str
    currency: str
    products: tuple[str, ...]
    locale: str
    country: str | None = None
    hosting: str = "pooled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who asks. ``id`` is None for somebody without an account, who then gets one."""

    name: str
    email: str
    id: UUID | None = None
    password_hash: str | None = None


@dataclass(frozen=True, slots=True)
class SignedUp:
    """What came of it; ``account_id`` owns the new business.

    ``token`` is the browser's new session, if the account was made along with the business.
    """

    ordered: Ordered
    account_id: UUID
    token: str | None = None


async def submit(
    session: AsyncSession, authority: Authority, wanted: Wanted, account: Account
) -> SignedUp:
    """Order a business for ``account``. All of it happens, or, on an error, nothing.

    Raises:
        EmailTaken: the new account's e-mail belongs to another one.
        SlugTaken: the address went to somebody else, perhaps a moment ago.
        Invalid: naming the field.
    """
    asking = identities.current()
    try:
        async with session.begin_nested():
            account_id, token = account.id, None
            if account_id is None:
                account_id, token = await _welcome(session, authority, wanted, account)
            ordered = await _order(session, wanted, account, account_id)
            return SignedUp(ordered, account_id, token)
    except IntegrityError as problem:
        identities.become(asking)
        if "uq_tenants_" not in str(problem.orig):
            raise
        raise SlugTaken(field="slug") from None
    except DomainError:
        identities.become(asking)
        raise


async def _welcome(
    session: AsyncSession, authority: Authority, wanted: Wanted, account: Account
) -> tuple[UUID, str]:
    account_id = await create_person(
        session,
        email=account.email,
        name=account.name,
        role=Role.MEMBER,
        password_hash=account.password_hash,
        locale=wanted.locale,
    )
    return account_id, (await enter(session, authority, account_id, "portal.signed_up")).token


async def _order(
    session: AsyncSession, wanted: Wanted, account: Account, account_id: UUID
) -> Ordered:
    owner = Owner(email=account.email, name=account.name, account_id=account_id)
    # Every business begins pooled: a database of its own is a wish until it can be ordered.
    order = Order(
        slug=wanted.slug,
        name=wanted.name,
        zone=wanted.zone,
        currency=wanted.currency,
        plugins=wanted.products,
        locale=wanted.locale,
        owner=owner,
    )
    ordered = await lifecycle.order(session, order)
    await _note_country(session, ordered.tenant_id, wanted.country)
    await session.execute(
        insert(Membership).values(
            tenant_id=ordered.tenant_id,
            account_id=account_id,
            user_id=owner.user_id,
            role=Role.OWNER.value,
        )
    )
    if wanted.hosting == DEDICATED:
        await lifecycle.request_dedicated(session, ordered.tenant_id, account_id)
    detail = {
        "slug": wanted.slug,
        "products": sorted(wanted.products),
        "hosting": wanted.hosting,
    }
    await audit.record(session, "portal.business_ordered", "tenant", ordered.tenant_id, detail)
    return ordered


async def has_account(session: AsyncSession, email: str) -> bool:
    """Whether somebody signed up with this (cleaned) e-mail."""
    return bool(await session.scalar(select(exists().where(User.email == email))))


async def _note_country(session: AsyncSession, tenant_id: UUID, country: str | None) -> None:
    if country is not None:
        await session.execute(
            update(TenantRecord).where(TenantRecord.id == tenant_id).values(country=country)
        )
