"""Whether a plugin's function can be called as somebody else will call it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints


def misfit(function: Callable[..., Any], given: Mapping[str, Any]) -> str | None:
    """Why ``await function(session, **given)`` cannot be; None if it can.

    ``given`` are the types of the keyword arguments. An annotation of the function's may be left
    out, but not be another type.
    """
    if not inspect.iscoroutinefunction(function):
        return "it is not an async function"
    try:
        inspect.signature(function).bind(None, **dict.fromkeys(given))
    except TypeError as problem:
        called = ", ".join(["session", *given])
        return f"it cannot be called with ({called}): {problem}"
    try:
        hints = get_type_hints(function)
    except Exception as problem:  # names that only a type checker sees
        return f"its annotations cannot be read: {problem}"
    for name, kind in given.items():
        if kind is not Any and hints.get(name, kind) not in {kind, Any}:
            return f"its argument {name} is a {hints[name]}, what it is given a {kind.__name__}"
    return None
