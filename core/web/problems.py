"""Where every error becomes an answer: problem+json (RFC 9457) for programs, a page for people.

An answer never holds a stack trace; it carries the trace id under which the log has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import msgspec
import redis.exceptions
import structlog
from litestar import Request, Response
from litestar.exceptions import (
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    ValidationException,
)
from litestar.types import ExceptionHandlersMap
from opentelemetry import trace

from core.auth.hidden import is_hidden
from core.db import is_away
from core.errors import DomainError, FieldError
from core.i18n import LazyText, _, reading_in
from core.ids import new_id
from core.web import unit
from core.web.locales import negotiate
from core.web.pages import Page, wants_fragment
from core.web.shell import AsgiScope, header

log = structlog.get_logger(__name__)

_TITLES: Final[Mapping[int, tuple[LazyText, LazyText]]] = {
    400: (_("This request was malformed"), _("Please go back and try again.")),
    401: (_("Please sign in"), _("You need to sign in to see this page.")),
    403: (
        _("You may not do this"),
        _("Your account does not have the permission. Ask an owner of this business for it."),
    ),
    404: (
        _("Page not found"),
        _("The address may be mistyped, or the page may have moved."),
    ),
    405: (_("This does not work here"), _("The address does not accept this kind of request.")),
    409: (_("This conflicts with the present state"), _("Please reload the page and try again.")),
    413: (_("That is too large"), _("Please send a smaller file.")),
    415: (
        _("This format is not accepted"),
        _("Send JSON with the content type application/json, or a form."),
    ),
    422: (_("Please check the marked fields"), _("Some of what was entered cannot be used.")),
    429: (_("Too many attempts"), _("Please wait a moment before you try again.")),
    503: (
        _("Briefly unavailable"),
        _("We are back in a few seconds. Nothing that you saved is lost."),
    ),
}
_UNEXPECTED: Final = (
    _("Something went wrong on our side"),
    _("We have been told about it. Please try again; if it persists, quote the reference below."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An error as it is answered."""

    status: int
    code: str
    title: LazyText | str
    detail: LazyText | str
    errors: Sequence[FieldError] = ()
    headers: Mapping[str, str] | None = None
    page: str = DomainError.page
    members: Mapping[str, Any] = field(default_factory=dict)

    def document(self, trace_id: str) -> dict[str, Any]:
        """The problem+json document, in the reader's language."""
        found: dict[str, Any] = {
            "type": f"urn:atrium:problem:{self.code}",
            "title": str(self.title),
            "status": self.status,
            "detail": str(self.detail),
            "code": self.code,
            "trace_id": trace_id,
            **self.members,
        }
        if self.errors:
            found["errors"] = [{"field": e.field, "message": str(e.message)} for e in self.errors]
        return found


def problem_of(error: Exception) -> Problem:
    """What ``error`` means to whoever caused it."""
    if isinstance(error, DomainError):
        return _from_domain(error)
    if isinstance(error, ValidationException):
        return _from_validation(error)
    if isinstance(error, HTTPException):
        return plain(error.status_code, headers=error.headers)
    if is_outage(error):
        return plain(503, headers={"retry-after": "2"})
    return plain(500)


def plain(status: int, *, headers: Mapping[str, str] | None = None) -> Problem:
    """The problem that is no more than its HTTP status."""
    title, detail = _TITLES.get(status, _UNEXPECTED if status >= 500 else _TITLES[400])
    code = HTTPStatus(status).phrase.lower().replace(" ", "_").replace("-", "_")
    return Problem(status=status, code=code, title=title, detail=detail, headers=headers)


def _from_domain(error: DomainError) -> Problem:
    return Problem(
        status=error.status,
        code=error.code,
        title=error.title,
        detail=error.message,
        errors=error.errors,
        headers=error.headers,
        page=error.page,
        members=error.members,
    )


def _from_validation(error: ValidationException) -> Problem:
    """Litestar's own refusal of a path, query or body parameter: 422, naming the field."""
    found = [
        FieldError(str(each.get("key", "")), str(each.get("message", "")))
        for each in (error.extra if isinstance(error.extra, list) else [])
        if isinstance(each, dict)
    ]
    title, detail = _TITLES[422]
    return Problem(status=422, code="invalid", title=title, detail=detail, errors=found)


def is_outage(error: BaseException) -> bool:
    """Whether PostgreSQL or Redis is away, as opposed to answering that we asked wrongly."""
    return is_away(error) or isinstance(error, _REDIS_AWAY)


_REDIS_AWAY: Final = (
    redis.exceptions.ConnectionError,  # of which "still loading" is one
    redis.exceptions.TimeoutError,
)


def trace_id() -> str:
    """The id of the present trace; a fresh one outside every trace."""
    context = trace.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else new_id().hex


def wants_json(scope: AsgiScope) -> bool:
    """Whether a program asks: under /api, or by an Accept header that prefers JSON."""
    if str(scope.get("path", "")).startswith("/api/"):
        return True
    accept = header(scope, b"accept")
    return "json" in accept and "text/html" not in accept


def answer(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Litestar's exception handler for everything."""
    if isinstance(error, MethodNotAllowedException) and is_hidden(request.app, request.url.path):
        error = NotFoundException()
    unit.note(request.scope, error)
    problem, reference = problem_of(error), trace_id()
    _note(request, error, problem, reference)
    headers = dict(problem.headers or {})
    if wants_json(request.scope):
        with reading_in(negotiate(request.scope)):
            return Response(
                msgspec.json.encode(problem.document(reference)),
                status_code=problem.status,
                media_type="application/problem+json",
                headers={**headers, "cache-control": "no-store"},
            )
    if wants_fragment(request):
        level = "danger" if problem.status >= 500 else "warning"
        headers["hx-reswap"] = "none"  # what was typed stays as it is
        return Page(
            "core/problem.html",
            {"problem": problem, "reference": reference},
            status=problem.status,
            block="fragment",
            toast=problem.detail,
            toast_level=level,
            headers=headers,
        )
    return Page(
        problem.page,
        {"problem": problem, "reference": reference},
        status=problem.status,
        headers=headers,
    )


def _note(
    request: Request[Any, Any, Any], error: Exception, problem: Problem, reference: str
) -> None:
    if problem.status == 503:
        log.warning("request.unavailable", path=request.url.path, why=type(error).__name__)
    elif problem.status >= 500:
        log.error("request.failed", path=request.url.path, trace_id=reference, exc_info=error)


exception_handlers: ExceptionHandlersMap = {Exception: answer}
