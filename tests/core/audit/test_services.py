"""The audit log: written with the act, read by page, changed by nobody."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import Executable, delete, func, select, text, update
from sqlalchemy.exc import DBAPIError

from core import clock, origin
from core.audit import services as audit
from core.audit.models import AuditEntry
from core.audit.services import AuditFilter
from core.auth.identity import Identity, acting_as
from core.jobs import RunningJob, current_job
from core.origin import Origin
from core.permissions import Role
from core.scope import Tenant
from tests.core.conftest import CoreScopes

ANA = Identity(
    user_id=uuid4(),
    name="Ana Reis",
    email="ana@example.com",
    role=Role.STAFF,
    permissions=frozenset(),
    session_id=uuid4(),
)


async def test_an_entry_says_who_what_on_which_and_from_where(scopes: CoreScopes) -> None:
    """A person's act bears their name as it was, their address and the object."""
    car = uuid4()
    origin.came_from(Origin("203.0.113.9", "Firefox"))
    try:
        async with scopes.databases.transaction(scopes.acme) as session:
            with acting_as(ANA):
                await audit.record(
                    session,
                    "car_hire.hire_started",
                    "vehicle",
                    car,
                    {"when": clock.now(), "id": car},
                )
    finally:
        origin.came_from(None)
    async with scopes.databases.transaction(scopes.acme) as session:
        found = select(AuditEntry).where(AuditEntry.subject_id == str(car))
        entry = (await session.scalars(found)).one()
    assert (entry.actor_kind, entry.actor_id, entry.actor_name) == (
        "person",
        ANA.user_id,
        "Ana Reis",
    )
    assert (entry.action, entry.subject_type) == ("car_hire.hire_started", "vehicle")
    assert entry.address == "203.0.113.9"
    assert entry.detail["id"] == str(car)
    assert clock.now() - entry.at < timedelta(minutes=1)


async def test_a_job_is_the_system(scopes: CoreScopes) -> None:
    """Without a person the entry names the job, never somebody who was there before."""
    subject = uuid4()
    token = current_job.set(RunningJob(uuid4(), "car_hire.release_deposit", 1))
    async with scopes.databases.transaction(scopes.acme) as session:
        await audit.record(session, "test.job", "thing", subject)
        current_job.reset(token)
        found = select(AuditEntry).where(AuditEntry.subject_id == str(subject))
        entry = (await session.scalars(found)).one()
    assert (entry.actor_kind, entry.actor_id, entry.address) == ("system", None, None)
    assert entry.actor_name == "car_hire.release_deposit"


async def test_an_undone_act_leaves_no_entry(scopes: CoreScopes) -> None:
    """The entry belongs to the transaction of the act."""
    subject = uuid4()
    session = scopes.databases.session(scopes.acme)
    await audit.record(session, "test.undone", "thing", subject)
    await session.rollback()
    count = select(func.count()).where(AuditEntry.subject_id == str(subject))
    assert await session.scalar(count) == 0
    await session.close()


async def refusal(scopes: CoreScopes, tenant: Tenant, statement: Executable) -> str | None:
    """The SQLSTATE with which PostgreSQL refuses, or None when it does not."""
    session = scopes.databases.session(tenant)
    try:
        await session.execute(statement)
    except DBAPIError as refused:
        return getattr(refused.orig, "sqlstate", None)
    finally:
        await session.rollback()
        await session.close()
    return None


@pytest.mark.parametrize("slug", ["acme", "bravo", "delta"])
@pytest.mark.parametrize(
    "statement",
    [
        update(AuditEntry).values(actor_name="Nobody"),
        delete(AuditEntry),
        text("TRUNCATE audit_entries"),
        text("ALTER TABLE audit_entries ADD COLUMN x text"),
        text("DROP TABLE audit_entries"),
    ],
    ids=["update", "delete", "truncate", "alter", "drop"],
)
async def test_postgresql_refuses_to_change_an_entry(
    slug: str, statement: Executable, scopes: CoreScopes
) -> None:
    """The tenant's role may add and read, whatever the application tries."""
    tenant: Tenant = getattr(scopes, slug)
    subject = uuid4()
    async with scopes.databases.transaction(tenant) as session:
        await audit.record(session, "test.kept", "thing", subject)
    assert await refusal(scopes, tenant, statement) == "42501"
    async with scopes.databases.transaction(tenant) as session:
        kept = select(AuditEntry.actor_name).where(AuditEntry.subject_id == str(subject))
        assert await session.scalar(kept) == audit.SYSTEM


async def test_a_tenant_cannot_give_itself_more(scopes: CoreScopes) -> None:
    """A GRANT by who holds no grant option grants nothing, with a warning at most."""
    grant = text("GRANT DELETE ON audit_entries TO CURRENT_USER")
    for tenant in scopes.tenants:
        await refusal(scopes, tenant, grant)
        assert await refusal(scopes, tenant, delete(AuditEntry)) == "42501"


async def test_entries_are_filtered_and_paged_newest_first(scopes: CoreScopes) -> None:
    """Pages follow each other without a gap, and each filter narrows them."""
    async with scopes.databases.transaction(scopes.bravo) as session:
        for number in range(audit.PAGE_SIZE + 3):
            await audit.record(session, "test.paged", "thing", f"paged-{number}")
        await audit.record(session, "test.other", "thing", "paged-other")
        wanted = AuditFilter(text="PAGED-", action="test.paged")
        first, following = await audit.entries(session, wanted)
        second, end = await audit.entries(session, wanted, following)
        ids = [each.id for each in [*first, *second]]
        assert ids == sorted(ids, reverse=True)
        assert (len(first), len(second), end) == (audit.PAGE_SIZE, 3, None)
        assert {"test.paged", "test.other"} <= set(await audit.actions(session))
        later = AuditFilter(since=clock.now() + timedelta(days=1))
        assert (await audit.entries(session, later))[0] == []
        assert (await audit.entries(session, AuditFilter(text="%")))[0] == []
