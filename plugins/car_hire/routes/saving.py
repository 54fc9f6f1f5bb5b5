"""Pages that save one form: what was typed is kept, and so is the version that was seen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from core.errors import DomainError
from core.i18n import LazyText
from core.web.forms import Form, bind, typed_fields
from core.web.pages import Page, SeeOther
from plugins.car_hire.routes.http import AnyRequest, shown_again, version_seen

F = TypeVar("F", bound=Form)


async def save_form(
    request: AnyRequest,
    kind: type[F],
    save: Callable[[F], Awaitable[Any]],
    page: Callable[..., Awaitable[Page]],
    back: str,
    done: LazyText,
) -> Page | SeeOther:
    """Read a form, save it, and go back; with an error, show it again as it was typed."""
    typed = await typed_fields(request)
    seen = version_seen(typed)
    form = bind(kind, typed)
    try:
        await save(form.value)
    except DomainError as error:
        return await page(form=shown_again(form, error, seen), status=error.status)
    return SeeOther(back, flash=done)


async def seen_version(request: AnyRequest) -> int | None:
    """The version that the editor saw, in the hidden field."""
    return version_seen({"version": (await request.form()).get("version", "")})
