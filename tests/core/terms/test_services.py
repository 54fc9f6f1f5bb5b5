"""Versions of terms: which is in force, who has to accept it, and what is kept of that."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import delete, select

from core import origin
from core.clock import now
from core.errors import Invalid
from core.ids import new_id
from core.origin import Origin
from core.scope import Tenant
from core.terms import services
from core.terms.models import TermsAcceptance, TermsVersion
from core.terms.services import Edition
from tests.core.conftest import CoreScopes


@pytest.fixture
async def scope(scopes: CoreScopes) -> Tenant:
    """A scope in which nothing is published; put back afterwards."""
    yield scopes.bravo
    async with scopes.databases.transaction(scopes.bravo) as session:
        await session.execute(delete(TermsAcceptance))
        await session.execute(delete(TermsVersion))


async def publish(scopes: CoreScopes, tenant: Tenant, **chosen: object) -> Edition:
    kind = str(chosen.pop("kind", "terms"))
    texts = chosen.pop("texts", {"en": "Be kind."})
    async with scopes.databases.transaction(tenant) as session:
        return await services.publish(session, kind, texts, **chosen)


async def due(scopes: CoreScopes, tenant: Tenant, person: UUID) -> services.Due:
    async with scopes.databases.transaction(tenant) as session:
        return await services.due(session, person)


async def accept_all(scopes: CoreScopes, tenant: Tenant, person: UUID) -> None:
    async with scopes.databases.transaction(tenant) as session:
        editions = await services.current(session)
        await services.accept(session, person, editions, services.key_of(editions))


async def test_nobody_is_asked_where_nothing_is_published(
    scopes: CoreScopes, scope: Tenant
) -> None:
    """And no box has to be ticked."""
    assert (await due(scopes, scope, new_id())).editions == ()
    services.insist_accepted((), None)


async def test_an_acceptance_says_which_text_and_roughly_from_where(
    scopes: CoreScopes, scope: Tenant
) -> None:
    """Version, language, digest of that text, and the network instead of the address."""
    person = new_id()
    await publish(scopes, scope, texts={"en": "Be kind.", "pt": "Seja gentil."})
    origin.came_from(Origin("203.0.113.77"))
    await accept_all(scopes, scope, person)
    await accept_all(scopes, scope, person)
    origin.came_from(None)
    async with scopes.databases.transaction(scope) as session:
        query = select(TermsAcceptance).where(TermsAcceptance.user_id == person)
        (kept,) = await session.scalars(query)
    assert (kept.kind, kept.number, kept.locale) == ("terms", 1, "en")
    assert kept.digest == hashlib.sha256(b"Be kind.\n").hexdigest()
    assert kept.address == "203.0.113.0/24"


async def test_a_new_version_is_asked_for_with_a_grace(scopes: CoreScopes, scope: Tenant) -> None:
    """Until its last day it can wait; from then on it is overdue; once accepted it is not."""
    person = new_id()
    await publish(scopes, scope)
    await accept_all(scopes, scope, person)
    assert not (await due(scopes, scope, person)).editions
    soon = now() + timedelta(days=7)
    await publish(scopes, scope, accept_by=soon)
    asked = await due(scopes, scope, person)
    assert [each.number for each in asked.editions] == [2]
    assert (asked.binding, asked.overdue) == (soon, False)
    await publish(scopes, scope)
    assert (await due(scopes, scope, person)).overdue
    await accept_all(scopes, scope, person)
    assert not (await due(scopes, scope, person)).editions


async def test_what_is_for_information_asks_nobody_again(scopes: CoreScopes, scope: Tenant) -> None:
    """But a later one that asks is about the newest text."""
    person = new_id()
    await publish(scopes, scope)
    await accept_all(scopes, scope, person)
    await publish(scopes, scope, must_accept=False)
    assert not (await due(scopes, scope, person)).editions
    newcomer = await due(scopes, scope, new_id())
    assert [each.number for each in newcomer.editions] == [2]


async def test_what_is_to_come_is_not_in_force(scopes: CoreScopes, scope: Tenant) -> None:
    """It can be read; nobody accepts it yet; nothing may begin before it any more."""
    await publish(scopes, scope, kind="privacy")
    later = now() + timedelta(days=30)
    await publish(scopes, scope, kind="privacy", valid_from=later)
    async with scopes.databases.transaction(scope) as session:
        assert [each.number for each in await services.current(session)] == [1]
    with pytest.raises(Invalid) as refused:
        await publish(scopes, scope, kind="privacy")
    assert refused.value.errors[0].field == "valid_from"


async def test_a_page_that_showed_other_versions_accepts_nothing(
    scopes: CoreScopes, scope: Tenant
) -> None:
    """Something came into force between reading and sending."""
    person = new_id()
    await publish(scopes, scope)
    async with scopes.databases.transaction(scope) as session:
        editions = await services.current(session)
        for key in (None, "", "terms-2", "terms-1.privacy-1"):
            with pytest.raises(Invalid):
                await services.accept(session, person, editions, key)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"texts": {}}, "text_en"),
        ({"texts": {"en": "  "}}, "text_en"),
        ({"texts": {"xx": "x"}}, "text_xx"),
        ({"texts": {"pt": "x" * 100_001}}, "text_pt"),
        ({"kind": "cookies"}, "kind"),
        ({"must_accept": False, "accept_by": now()}, "accept_by"),
        ({"accept_by": now() - timedelta(days=1)}, "accept_by"),
    ],
)
async def test_what_cannot_be_published_is_named(
    scopes: CoreScopes, scope: Tenant, wrong: dict[str, object], field: str
) -> None:
    """With the field at fault."""
    with pytest.raises(Invalid) as refused:
        await publish(scopes, scope, **wrong)
    assert refused.value.errors[0].field == field
