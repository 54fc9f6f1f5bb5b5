"""The table of states, against itself and against what the database allows."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession

from core.payments.states import (
    ENDED,
    FAILED,
    HOLDING,
    RETREATS,
    TITLES,
    TRANSITIONS,
    State,
    may,
    shown_may,
)
from tests.core.conftest import CoreScopes

_ORDER = [
    {State.CREATED},
    {State.AUTHORISING, State.UNKNOWN},
    {State.REQUIRES_ACTION},
    {State.AUTHORISED},
    {State.CAPTURING, State.VOIDING},
    {State.DECLINED, State.VOIDED, State.CAPTURED},
    {State.PARTIALLY_REFUNDED},
    {State.REFUNDED},
]
RANK = {state: rank for rank, states in enumerate(_ORDER) for state in states}


def test_every_state_has_its_row_and_its_title() -> None:
    """The table, the titles and the enumeration name the same states."""
    assert set(TRANSITIONS) == set(TITLES) == set(State)
    assert {state for state, after in TRANSITIONS.items() if not after} == ENDED


def test_every_state_can_be_reached_and_every_payment_can_end() -> None:
    """No state is an island, and none but the ended ones is a dead end."""
    reached = {State.CREATED}
    for _ in State:
        reached |= {after for state in reached for after in TRANSITIONS[state]}
    assert reached == set(State)
    for state in HOLDING:
        assert TRANSITIONS[state] - {state}


@given(st.lists(st.sampled_from(State), max_size=40))
def test_what_is_shown_in_any_order_only_leads_forward(shown: list[State]) -> None:
    """Whatever the provider shows, in any order and number, a payment never goes back."""
    standing = State.AUTHORISING
    for after in shown:
        if shown_may(standing, after):
            assert RANK[after] >= RANK[standing]
            standing = after


def test_a_retreat_is_a_step_of_the_table() -> None:
    """What is taken back after a refusal is allowed by the table, and only to what was held."""
    for before, after in RETREATS:
        assert may(before, after)
        assert after not in FAILED


async def test_the_database_allows_the_same_states(scopes: CoreScopes) -> None:
    """The CHECK of every tenant's table names exactly the states of the enumeration."""
    query = (
        "SELECT pg_get_constraintdef(oid) FROM pg_catalog.pg_constraint"
        " WHERE conname = 'ck_payments_state' AND conrelid = 'payments'::regclass"
    )
    for tenant in scopes.tenants:
        async with scopes.databases.transaction(tenant) as session:
            assert set(re.findall(r"'(\w+)'::text", await _one(session, query))) == set(State)


async def _one(session: AsyncSession, query: str) -> str:
    connection = await session.connection()
    found = (await connection.exec_driver_sql(query)).scalar_one()
    return str(found)
