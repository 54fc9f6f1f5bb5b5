"""Loaded by Schemathesis: rows that exist, in the place of ids that it makes up."""

from __future__ import annotations

import json
import os
import zlib
from typing import Any

import schemathesis

ROWS: dict[str, str] = json.loads(os.environ.get("ATRIUM_TEST_ROWS", "{}"))


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: Any) -> Any:
    """Every other well-formed id becomes one that the tenant has."""
    for name, value in (path_parameters or {}).items():
        if name in ROWS and _is_sometimes(value):
            path_parameters[name] = ROWS[name]
    return path_parameters


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    """Likewise in what is sent."""
    if isinstance(body, dict):
        for name, value in body.items():
            if name in ROWS and isinstance(value, str) and _is_sometimes(value):
                body[name] = ROWS[name]
    return body


def _is_sometimes(value: Any) -> bool:
    return zlib.crc32(repr(value).encode(errors="replace")) % 4 != 0
