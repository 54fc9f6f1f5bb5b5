"""Start logging and tracing in a process: once, from its entry point."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Final, TextIO

import structlog
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import DEFAULT_OFF, DEFAULT_ON

from core.scope import current_or_none
from core.settings import Settings
from core.telemetry import redaction

_QUIET: Final = {
    "alembic": logging.WARNING,
    "asyncio": logging.WARNING,
    "dramatiq": logging.WARNING,
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "sqlalchemy": logging.WARNING,
    "stripe": logging.WARNING,
    "urllib3": logging.WARNING,
}


def set_up(settings: Settings, process: str, stream: TextIO | None = None) -> None:
    """Log (to standard output) and trace as the settings say; ``process`` is web, worker, …"""
    _log(settings, stream or sys.stdout)
    _trace(settings, process)
    structlog.contextvars.bind_contextvars(process=process)


def shut_down() -> None:
    """Send what spans are left; call it at the end of a process."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.shutdown()


def _log(settings: Settings, stream: TextIO) -> None:
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        whose,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    console = settings.log_format == "console"
    last: list[structlog.typing.Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        redaction.fields,
        structlog.dev.ConsoleRenderer(
            colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
        if console
        else structlog.processors.JSONRenderer(ensure_ascii=False),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last)
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    for name, level in _QUIET.items():
        logging.getLogger(name).setLevel(level)


def whose(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: the tenant and the trace, on every line that has one."""
    if (tenant := current_or_none()) is not None:
        event.setdefault("tenant", str(tenant.id))
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event.setdefault("trace", format(context.trace_id, "032x"))
        event.setdefault("span", format(context.span_id, "016x"))
    return event


def _trace(settings: Settings, process: str) -> None:
    if isinstance(trace.get_tracer_provider(), TracerProvider):
        return  # a process has one, for life
    resource = Resource.create({"service.name": "atrium", "service.instance.role": process})
    # Without anybody to tell, spans only carry their ids along: to the log, and to error pages.
    sampler = DEFAULT_ON if settings.otlp_endpoint else DEFAULT_OFF
    provider = TracerProvider(resource=resource, sampler=sampler, shutdown_on_exit=False)
    if settings.otlp_endpoint:
        exporter = OTLPSpanExporter(f"{settings.otlp_endpoint.rstrip('/')}/v1/traces", timeout=5)
        provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
