"""What a request carries, as a form or a body."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from litestar import Request

from core.web.forms.bind import FORM_KEY, bind, read_json
from core.web.forms.bound import Bound

T = TypeVar("T", bound=msgspec.Struct)


async def posted(request: Request[Any, Any, Any], struct: type[T]) -> Bound[T]:
    """The form that ``request`` carries."""
    return bind(struct, await typed_fields(request))


async def typed_fields(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """What was typed, by field; a list where a field came more than once."""
    data = await request.form()
    return {key: _single(data.getall(key)) for key in data if key != FORM_KEY}


def _single(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


async def decode(request: Request[Any, Any, Any], struct: type[T]) -> T:
    """The JSON body of ``request`` as ``struct``.

    Raises:
        Invalid: with every field that is wrong.
    """
    return read_json(struct, await request.body())
