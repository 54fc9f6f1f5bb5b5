"""The models and the migrations say the same."""

from __future__ import annotations

import importlib.util
import pkgutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    DateTime,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

import core
import plugins
import tenants
from atrium.testing.world import World
from core.db import Base
from core.scope import Tenant
from tenants.migration.lines import CORE, PLATFORM

WHO = pytest.mark.parametrize("who", ["platform", "acme", "delta"])


def _import_models() -> None:
    """Import every module of ours that maps a table."""
    for package in (core, plugins, tenants):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            found = importlib.util.find_spec(module.name)
            if found and found.origin and "__tablename__" in Path(found.origin).read_text():
                importlib.import_module(module.name)


def _metadata(lines: Iterable[str]) -> MetaData:
    """The tables of ``lines``, as models know them."""
    _import_models()
    wanted = MetaData(naming_convention=Base.metadata.naming_convention)
    for table in Base.metadata.sorted_tables:
        if table.info["line"] in lines:
            table.to_metadata(wanted)
    if CORE in lines:  # read and written by the scheduler in plain SQL: it has no model
        slot = Column("slot", DateTime(timezone=True), nullable=False)
        Table("schedule_runs", wanted, Column("name", Text, primary_key=True), slot)
    return wanted


def _lines_of(world: World, tenant: Tenant) -> set[str]:
    of = world.lines.of_platform() if tenant.is_platform else world.lines.of_tenant(tenant.plugins)
    return {line.name for line in of}


async def _in_scope(world: World, tenant: Tenant, look: Any) -> Any:
    engine = create_async_engine(
        make_url(world.superuser_dsn(tenant)).set(drivername="postgresql+asyncpg"),
        poolclass=NullPool,
        connect_args={"server_settings": {"search_path": f"{tenant.scope.name}, extensions"}},
    )
    async with engine.connect() as connection:
        return await connection.run_sync(look)


def test_every_table_names_its_line() -> None:
    """A table of no known line would be made nowhere."""
    _import_models()
    products = {module.name for module in pkgutil.iter_modules(plugins.__path__)}
    strays = [
        name
        for name, table in Base.metadata.tables.items()
        if table.info.get("line") not in products | {CORE, PLATFORM}
    ]
    assert strays == []


@WHO
async def test_a_provisioned_schema_is_what_the_models_describe(world: World, who: str) -> None:
    """Alembic's own comparison of tables, columns, types, defaults, keys and indexes is empty."""
    tenant: Tenant = getattr(world, who)
    metadata = _metadata(_lines_of(world, tenant))

    def compare(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        found: list[Any] = compare_metadata(context, metadata)
        return found

    assert await _in_scope(world, tenant, compare) == []


@WHO
async def test_checks_and_exclusions_are_those_of_the_models(world: World, who: str) -> None:
    """Alembic does not compare CHECK and EXCLUDE constraints; their names must agree."""
    tenant: Tenant = getattr(world, who)
    metadata = _metadata(_lines_of(world, tenant))
    declared = {
        (table.name, str(constraint.name))
        for table in metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint | ExcludeConstraint)
    }

    def read(connection: Connection) -> set[tuple[str, str]]:
        rows = connection.execute(
            text(
                "SELECT r.relname, c.conname FROM pg_constraint c JOIN pg_class r"
                " ON r.oid = c.conrelid WHERE c.contype IN ('c', 'x')"
                " AND c.connamespace = CAST(:schema AS regnamespace)"
            ),
            {"schema": tenant.scope.name},
        )
        return {(row[0], row[1]) for row in rows}

    assert await _in_scope(world, tenant, read) == declared
    assert declared
