"""What everybody's tests stand on."""

from __future__ import annotations

from sqlalchemy import text

from atrium.testing.world import World


async def test_every_tenant_of_the_world_is_served_in_its_own_scope(world: World) -> None:
    """Each has its tables in its own schema, and its row in the catalogue says active."""
    for tenant in world.tenants:
        async with world.databases.transaction(tenant) as session:
            schema = await session.scalar(text("SELECT current_schema()"))
            owners = await session.scalar(
                text("SELECT count(*) FROM users WHERE role = 'owner' AND email = :email"),
                {"email": f"owner@{tenant.slug}.example"},
            )
        assert schema == tenant.scope.name
        assert owners == 1
        found = await world.directory.by_id(tenant.id)
        assert found is not None
        assert (found.scope, found.plugins) == (tenant.scope, tenant.plugins)
        assert await world.directory.by_host(f"{tenant.slug}.localhost") == found
