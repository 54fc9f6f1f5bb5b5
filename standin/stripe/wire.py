"""Requests and replies as the proxy sees them: Stripe's nested form encoding, its errors."""

import json
import re
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

Params = dict[str, Any]

_INDEX = re.compile(r"[0-9]+")


@dataclass(frozen=True)
class Reply:
    """An answer: status, JSON body, and headers beyond the usual."""

    status: int
    body: Params
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """One API request of one account. `params` holds body and query together."""

    account: str
    method: str
    path: str
    params: Params
    request_id: str
    idempotency_key: str | None = None

    @property
    def segments(self) -> tuple[str, ...]:
        """The path after /v1/, split."""
        return tuple(self.path.removeprefix("/v1/").strip("/").split("/"))


class ApiError(Exception):
    """A refusal in Stripe's form."""

    def __init__(
        self, status: int, message: str, *, kind: str = "invalid_request_error", **more: Any
    ) -> None:
        super().__init__(message)
        error = {"type": kind, "message": message} | more
        self.reply = Reply(status, {"error": error})


def missing(kind: str, key: str) -> ApiError:
    """What Stripe answers for an id that is not there, or is somebody else's."""
    return ApiError(404, f"No such {kind}: '{key}'", code="resource_missing", param="id")


def new_id(prefix: str) -> str:
    """A fresh id such as `evt_…`."""
    return f"{prefix}_{secrets.token_hex(12)}"


def parse(body: bytes, query: str) -> Params:
    """Body and query as one nested structure, from JSON or Stripe's `a[b][0]=c`."""
    params: Params = _unflatten(parse_qsl(query, keep_blank_values=True))
    if not body:
        return params
    try:
        sent = json.loads(body)
    except ValueError:
        sent = _unflatten(parse_qsl(body.decode(), keep_blank_values=True))
    if not isinstance(sent, dict):
        raise ApiError(400, "The body is not an object.")
    return params | sent


def _unflatten(pairs: list[tuple[str, str]]) -> Params:
    tree: Params = {}
    for name, value in pairs:
        head, *rest = [part.rstrip("]") for part in name.split("[")]
        node = tree
        for key in rest:
            child = node.setdefault(head, {})
            if not isinstance(child, dict):
                raise ApiError(400, f"Invalid parameter: {name}", param=name)
            node, head = child, key or str(len(child))
        node[head] = value
    return {key: _listed(value) for key, value in tree.items()}


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(_INDEX.fullmatch(key) for key in value):
        return [_listed(value[key]) for key in sorted(value, key=int)]
    return {key: _listed(item) for key, item in value.items()}


def page(url: str, items: list[Params], params: Params) -> Params:
    """One page of a list, the newest first as Stripe gives them."""
    limit = min(int(params.get("limit", 10)), 100)
    ids = [item["id"] for item in items]
    start = ids.index(params["starting_after"]) + 1 if params.get("starting_after") in ids else 0
    return {
        "object": "list",
        "url": url,
        "has_more": len(items) > start + limit,
        "data": items[start : start + limit],
    }


def earliest(created: Any) -> float:
    """The Unix time before which nothing passes Stripe's filter of `created`."""
    bounds = created if isinstance(created, dict) else {"gte": created or 0}
    return float(max(int(bounds.get("gte") or 0), int(bounds.get("gt") or 0)))


def created_within(item: Params, created: Any) -> bool:
    """Whether an item's `created` passes Stripe's gt/gte/lt/lte filter."""
    if not created:
        return True
    bounds = created if isinstance(created, dict) else {"gte": created, "lte": created}
    moment = int(item["created"])
    tests = {
        "gt": lambda bound: moment > bound,
        "gte": lambda bound: moment >= bound,
        "lt": lambda bound: moment < bound,
        "lte": lambda bound: moment <= bound,
    }
    return all(tests[name](int(bound)) for name, bound in bounds.items())
