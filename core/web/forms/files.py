"""Forms that carry a file."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from litestar import Request
from litestar.datastructures import UploadFile
from litestar.exceptions.http_exceptions import RequestEntityTooLarge

from core.errors import Invalid
from core.i18n import LazyText, _
from core.web.forms.bind import FORM_KEY, bind
from core.web.forms.bound import Bound

T = TypeVar("T", bound=msgspec.Struct)

_NO_FILE = _("This is no file; choose one with the button.")


async def posted_with_file(
    request: Request[Any, Any, Any], struct: type[T], key: str, too_large: LazyText
) -> tuple[Bound[T], bytes | None]:
    """The form that ``request`` carries, and the content of its file ``key`` if one was chosen.

    ``too_large`` is said beside the file when the request is longer than its route allows.
    """
    try:
        data = await request.form()
    except RequestEntityTooLarge:
        return Bound(struct=struct).refuse(Invalid(too_large, field=key)), None
    typed = {name: data.getall(name)[-1] for name in data if name not in (key, FORM_KEY)}
    form = bind(struct, typed)
    sent = data.getall(key)[-1] if key in data else ""
    if isinstance(sent, UploadFile):
        content = await sent.read()
        return form, content if content or sent.filename else None
    return form.refuse(Invalid(_NO_FILE, field=key)) if sent else form, None
