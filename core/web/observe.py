"""What a request leaves behind: one span, and one log line with its outcome."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from litestar.types import HTTPScope, Message, Send
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from core.scope import Tenant

log = structlog.get_logger(__name__)
_tracer = trace.get_tracer(__name__)
_propagator = TraceContextTextMapPropagator()


@contextmanager
def request(scope: HTTPScope, *, access_log: bool) -> Iterator[Callable[[Send], Send]]:
    """Observe one request; the function it gives wraps ``send`` to see the status.

    Without ``access_log`` only a request that failed leaves a line.
    """
    method, path = scope["method"], _without_token(scope["path"])
    started = time.perf_counter()
    status = 0

    def seen(send: Send) -> Send:
        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        return watch

    carrier = {
        name.decode("latin-1"): value.decode("latin-1")
        for name, value in scope["headers"]
        if name in (b"traceparent", b"tracestate")
    }
    context = _propagator.extract(carrier) if carrier else None
    with _tracer.start_as_current_span(method, context=context, kind=SpanKind.SERVER) as span:
        try:
            yield seen
        finally:
            milliseconds = round((time.perf_counter() - started) * 1000, 1)
            if span.is_recording():
                span.set_attribute("http.request.method", method)
                span.set_attribute("url.path", path)
                span.set_attribute("http.response.status_code", status)
                if status >= 500:
                    span.set_status(Status(StatusCode.ERROR))
            if access_log or status >= 500:
                log.info("request", method=method, path=path, status=status, ms=milliseconds)


def serve_tenant(tenant: Tenant) -> None:
    """Put the tenant on every log line and on the span of this request."""
    structlog.contextvars.bind_contextvars(tenant=str(tenant.id))
    trace.get_current_span().set_attribute("atrium.tenant", str(tenant.id))


def _without_token(path: str) -> str:
    """The path, less the secret part of a webhook's address."""
    return path.partition(".")[0] if path.startswith("/webhooks/") else path
