"""Traces that follow the work, and the log lines that carry their ids.

A request, the message it leaves in the outbox and the job that answers it share one trace: its
W3C ``traceparent`` travels with the message. A process starts it all by ``set_up``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from core.telemetry.setup import set_up, shut_down

__all__ = ["failed", "set_up", "shut_down", "span", "trace_id", "traceparent"]

_tracer = trace.get_tracer("atrium")
_propagator = TraceContextTextMapPropagator()


def traceparent() -> str:
    """The W3C ``traceparent`` of the present span; empty outside one."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get("traceparent", "")


def trace_id() -> str:
    """The present trace's id in hexadecimal, for people to quote; empty outside a span."""
    context = trace.get_current_span().get_span_context()
    return format(context.trace_id, "032x") if context.is_valid else ""


@contextmanager
def span(
    name: str,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    parent: str | None = None,
    **attributes: str | int | float | bool,
) -> Iterator[Span]:
    """A span named ``name`` round what happens within; an exception marks it as failed.

    ``parent`` is the ``traceparent`` of whoever caused it; without one it belongs to the
    present span. The exception's type is recorded, not its message: that may name a person.
    """
    context = _propagator.extract({"traceparent": parent}) if parent else None
    with _tracer.start_as_current_span(
        name,
        context=context,
        kind=kind,
        attributes={f"atrium.{key}": value for key, value in attributes.items()},
        record_exception=False,
        set_status_on_exception=False,
    ) as opened:
        try:
            yield opened
        except BaseException as problem:
            failed(opened, problem)
            raise


def failed(opened: Span, problem: BaseException) -> None:
    """Mark a span as failed by ``problem``."""
    opened.set_attribute("error.type", type(problem).__qualname__)
    opened.set_status(Status(StatusCode.ERROR))
