"""Domain errors: raised early, in domain words; ``core.web.problems`` shows them to people.

Every error carries its HTTP status, a stable ``code`` for programs, a sentence for people,
and, where one field is at fault, that field's name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

from core.i18n import LazyText, _


class FieldError(NamedTuple):
    """What is wrong with one field, and what to do about it."""

    field: str
    message: LazyText | str


class DomainError(Exception):
    """Something the caller can understand and mend."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad_request"
    title: ClassVar[LazyText | str] = _("This cannot be done")
    page: ClassVar[str] = "core/problem.html"
    """The template that shows it to people."""
    retry_after: int | None = None
    """Seconds after which the same may work, where that is known."""
    members: Mapping[str, Any] = MappingProxyType({})
    """What a problem document says beside what all say, for programs."""

    def __init__(
        self,
        message: LazyText | str | None = None,
        *,
        field: str | None = None,
        errors: Sequence[FieldError] = (),
    ) -> None:
        self.message: LazyText | str = message or self.title
        self.errors: tuple[FieldError, ...] = tuple(errors)
        if field is not None:
            self.errors += (FieldError(field, self.message),)
        super().__init__(message or self.title)

    def __str__(self) -> str:
        return str(self.message)

    @property
    def headers(self) -> dict[str, str]:
        """The HTTP headers that go with the answer."""
        return {} if self.retry_after is None else {"retry-after": str(self.retry_after)}


class Invalid(DomainError):
    """Input that breaks a rule; ``errors`` names the fields."""

    status = 422
    code = "invalid"
    title = _("Please check the marked fields")


class Unauthenticated(DomainError):
    """Nobody is signed in, and somebody has to be."""

    status = 401
    code = "unauthenticated"
    title = _("Please sign in")


class Forbidden(DomainError):
    """The signed-in person may not do this."""

    status = 403
    code = "forbidden"
    title = _("You do not have permission to do this")


class NotFound(DomainError):
    """No such thing here; the same answer whether it exists elsewhere or nowhere."""

    status = 404
    code = "not_found"
    title = _("We could not find that")


class Conflict(DomainError):
    """The present state of things does not allow it."""

    status = 409
    code = "conflict"
    title = _("This conflicts with the present state")


class EditedMeanwhile(DomainError):
    """Somebody else saved a change since this was read."""

    status = 412
    code = "edited_meanwhile"
    title = _(
        "Somebody else changed this while you were editing. Nothing of yours was saved: "
        "compare with the present state below and save again"
    )


class TooManyRequests(DomainError):
    """Slow down; ``retry_after`` seconds from now it may work."""

    status = 429
    code = "too_many_requests"
    title = _("Too many attempts")

    def __init__(self, message: LazyText | str | None = None, *, retry_after: int = 60) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class Unavailable(DomainError):
    """Something we stand on is away for a moment; ``retry_after`` in seconds."""

    status = 503
    code = "unavailable"
    title = _("The service is briefly unavailable")

    def __init__(self, message: LazyText | str | None = None, *, retry_after: int = 5) -> None:
        self.retry_after = retry_after
        super().__init__(message)
