"""Owners hear of their domains: that one works, is in danger, is lost."""

from __future__ import annotations

from datetime import timedelta

from tenants import notices
from tenants.domains import checking
from tests.tenants.domains.conftest import Registry
from tests.tenants.looked_after import LookedAfter


async def test_each_turn_of_a_domain_is_told_once(registry: Registry) -> None:
    """However often it is looked at; a record that is gone for a moment is nobody's worry."""
    site = registry.site
    business = await LookedAfter.of(site, await site.world.provision(plugins=()))
    domain = await registry.proved(business.tenant)
    await registry.look(domain.id)
    assert await business.news() == business.both(notices.DOMAIN_PROVED)
    registry.drop_records(domain.host)
    await registry.look(domain.id)
    assert await business.news() == []
    await registry.pass_time(domain.id, checking.WARNED_AFTER)
    for _ in range(2):
        await registry.look(domain.id)
    assert await business.news() == business.both(notices.DOMAIN_WRONG)
    await registry.pass_time(domain.id, checking.GRACE + timedelta(hours=1))
    for _ in range(2):
        await registry.look(domain.id)
    assert await business.news() == business.both(notices.DOMAIN_LOST)
