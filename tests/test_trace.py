"""One trace follows the work: from the request through the outbox to the job."""

from __future__ import annotations

import secrets
from uuid import UUID

import asyncpg
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from atrium.testing.site import Site
from core.permissions import Role
from core.scope import TENANT_ZERO
from tenants.part import tenancy
from workers.registry import Registry
from workers.runtime import Runtime


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """What this process traces from now on."""
    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        provider = TracerProvider()
        trace.set_tracer_provider(provider)
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return exporter


async def test_a_request_and_its_job_share_the_callers_trace(
    site: Site, spans: InMemorySpanExporter
) -> None:
    """The trace that came with the request is on its span, in the outbox and on the job's span."""
    trace_id, slug = secrets.token_hex(16), f"traced-{secrets.token_hex(4)}"
    async with await site.person(site.world.platform, Role.MEMBER) as person:
        answer = await person.post(
            "/api/v1/businesses",
            headers={"traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01"},
            json={
                "name": "Traced Cars",
                "slug": slug,
                "zone": "Europe/Lisbon",
                "currency": "EUR",
                "products": ["car_hire"],
            },
        )
    assert answer.status_code == 201, answer.text
    message, carried = await _message_of(site, trace_id)
    runtime = Runtime(
        databases=site.world.databases,
        directory=site.world.directory,
        registry=Registry.of(site.world.plugins, platform=(tenancy(site.world.provisioner),)),
    )
    await runtime.deliver(message, TENANT_ZERO, "tenants.provision", carried)
    made = await site.world.directory.by_host(f"{slug}.localhost")
    assert made is not None
    assert made.status == "active"
    request = _one(spans, "POST", trace_id)
    job = _one(spans, "job tenants.provision", trace_id)
    assert request.attributes is not None
    assert request.attributes["http.response.status_code"] == 201
    assert request.attributes["atrium.tenant"] == str(TENANT_ZERO)
    assert job.start_time is not None
    assert request.start_time is not None
    assert job.start_time > request.start_time


async def _message_of(site: Site, trace_id: str) -> tuple[UUID, str]:
    connection = await asyncpg.connect(site.world.superuser_dsn(site.world.platform))
    try:
        row = await connection.fetchrow(
            "SELECT id, trace FROM outbox.messages WHERE trace LIKE '%' || $1 || '%'", trace_id
        )
    finally:
        await connection.close()
    assert row is not None
    return row["id"], row["trace"]


def _one(spans: InMemorySpanExporter, name: str, trace_id: str) -> ReadableSpan:
    found = [
        each
        for each in spans.get_finished_spans()
        if each.name == name and each.context and f"{each.context.trace_id:032x}" == trace_id
    ]
    assert len(found) == 1, [each.name for each in spans.get_finished_spans()]
    return found[0]
