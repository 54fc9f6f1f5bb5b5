"""What log lines hold, and above all what they never hold."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from uuid import UUID

import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider

from core import telemetry
from core.scope import Database, Scope, Tenant, acting_for
from core.settings import Settings
from core.telemetry import redaction
from core.telemetry.setup import set_up

TENANT = Tenant(
    id=UUID("0198c7a0-0000-7000-8000-000000000001"),
    slug="acme",
    name="ACME",
    scope=Scope(Database("main", "postgresql://localhost/x"), "t_" + "0" * 32),
)


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """The log of a process that was just set up, undone afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    set_up(Settings(database_url="postgresql://localhost/x"), "test", stream)
    structlog.configure(cache_logger_on_first_use=False)
    yield stream
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_every_line_names_its_tenant_and_trace(lines: io.StringIO) -> None:
    """Lines of ours and of libraries alike can be found by tenant and by trace."""
    with acting_for(TENANT), telemetry.span("a test"):
        expected = telemetry.trace_id()
        structlog.get_logger().info("said.by_us")
        logging.getLogger("some.library").warning("said by another")
    ours, theirs = map(json.loads, lines.getvalue().splitlines())
    for line in (ours, theirs):
        assert line["tenant"] == str(TENANT.id)
        assert line["trace"] == expected
        assert line["process"] == "test"
    assert (ours["event"], theirs["event"]) == ("said.by_us", "said by another")


def test_a_traceback_is_logged_without_the_values_it_quotes(lines: io.StringIO) -> None:
    """PostgreSQL's DETAIL and stray addresses do not reach the log."""
    problem = RuntimeError("duplicate key\nDETAIL:  Key (email)=(eva@example.org) exists")
    structlog.get_logger().error("failed", exc_info=problem)
    line = json.loads(lines.getvalue())
    assert "RuntimeError" in line["exception"]
    assert "eva" not in lines.getvalue()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("password", "hunter2"),
        ("stripe_secret", "anything"),
        ("email", "eva"),
        ("licence_number", "X123"),
        ("note", "write to eva.lopez@example.org today"),
        ("note", "Authorization: Bearer abcdefghij"),
        ("note", "sk_test_4eC39HqLyjWDarjtT1zdp7dc"),
        ("note", "paid with 4242 4242 4242 4242"),
        ("url", "postgresql://atrium:letmein@127.0.0.1/atrium"),
        ("detail", {"inner": {"token": "abc"}}),
    ],
)
def test_secrets_and_persons_are_replaced(field: str, value: object) -> None:
    """By the name of the field or the shape of the text."""
    told = json.dumps(redaction.fields(None, "", {field: value}))
    for leak in ("hunter2", "anything", "eva", "X123", "abcdefghij", "4eC39", "4242", "letmein"):
        assert leak not in told
    assert '"abc"' not in told


@pytest.mark.parametrize(
    "value",
    [
        "0198c7a0-0000-7000-8000-000000000001",
        "2026-11-20T13:50:15.123456+00:00",
        "car_hire.take_payment",
        "https://acme.localhost:8000/desk",
    ],
)
def test_what_operators_need_stays(value: str) -> None:
    """Ids, moments, names and addresses of pages are not mistaken for secrets."""
    assert redaction.text(value) == value


def test_a_span_continues_the_trace_it_is_given() -> None:
    """What travels in the outbox is enough to join the job to the request."""
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
    with tracer.start_as_current_span("request") as request:
        parent = telemetry.traceparent()
    with telemetry.span("job", parent=parent):
        assert telemetry.trace_id() == format(request.get_span_context().trace_id, "032x")
    assert telemetry.traceparent() == ""
