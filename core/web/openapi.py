"""The OpenAPI document of an application, at ``/api/v1/openapi.json``."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any, Final

from litestar import Litestar, Request, Router, get
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.routes import HTTPRoute

from core.permissions import public
from core.plugin import Plugin
from core.web.idempotency import OPT

_API: Final = "/api/"
_LITESTARS_OWN: Final = "/.atrium/schema"
"""Where Litestar serves its own rendering, which the edge lets nobody reach: its catch-all
would answer HTML for every path that the API lacks."""

_PROBLEMS: Final = {
    "400": "The request is malformed.",
    "401": "Nobody is signed in, or the token is not valid.",
    "403": "The signed-in person may not do this.",
    "404": "There is no such thing here.",
    "405": "The path does not accept this method.",
    "409": "The present state of things does not allow it.",
    "412": "It was changed since the version that `If-Match` names.",
    "413": "The body is too large.",
    "415": "The body is neither JSON nor another format that is accepted here.",
    "422": "Some fields break a rule; `errors` names them.",
    "429": "Too many attempts; `Retry-After` says when to come back.",
    "503": "Something we stand on is briefly away; `Retry-After` says when to come back.",
}

_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Makes a repeated request harmless: the first answer is given again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
}

_PROBLEM_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457 problem details.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "trace_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}


def config(title: str) -> OpenAPIConfig:
    """The configuration from which Litestar derives the document."""
    return OpenAPIConfig(
        title=title,
        version="1",
        description="The same services that stand behind the pages.",
        render_plugins=[JsonRenderPlugin()],
        openapi_router=Router(_LITESTARS_OWN, route_handlers=[], opt={"access": public}),
        components=Components(
            security_schemes={
                "token": SecurityScheme(
                    type="http", scheme="bearer", description="From `POST /api/v1/sessions`."
                )
            }
        ),
        security=[{"token": []}],
    )


@get("/api/v1/openapi.json", access=public, include_in_schema=False)
async def document(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """This API as an OpenAPI document."""
    described = describe(request.app.openapi_schema.to_schema())
    for path, method in _idempotent(request.app):
        if operation := described["paths"].get(path, {}).get(method):
            operation["parameters"] = [*operation.get("parameters", []), _KEY]
    described["webhooks"] = _told(request.app.state.get("plugins", ()), described)
    return described


def _told(parts: Iterable[Plugin], described: dict[str, Any]) -> dict[str, Any]:
    """The messages that are sent to endpoints of a business, by type."""
    schemas = described["components"]["schemas"]
    found = {}
    for told in (each for part in parts for each in part.webhooks):
        schema, defined = told.described("#/components/schemas/{name}")
        schemas |= defined
        found[told.name] = {
            "post": {
                "summary": str(told.title),
                "description": told.about,
                "requestBody": {"content": {"application/json": {"schema": schema}}},
                "responses": {"2XX": {"description": "It is taken; nothing more is sent."}},
                "security": [],
                "tags": ["Webhooks"],
            }
        }
    return found


def _idempotent(app: Litestar) -> list[tuple[str, str]]:
    return [
        (route.path_format, method.lower())
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for method, (handler, _) in route.route_handler_map.items()
        if handler.opt.get(OPT)
    ]


def describe(schema: dict[str, Any]) -> dict[str, Any]:
    """Litestar's document without the pages, and with the problems that any call may meet."""
    described = copy.deepcopy(schema)
    paths = described.get("paths") or {}
    described["paths"] = {path: item for path, item in paths.items() if path.startswith(_API)}
    schemas = described.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = _PROBLEM_SCHEMA
    for item in described["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict) and "responses" in operation:
                _add_problems(operation["responses"])
    return described


def _add_problems(responses: dict[str, Any]) -> None:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status, description in _PROBLEMS.items():
        # Litestar's own entries for 400 and the like speak of its own error format.
        responses[status] = {"description": description, "content": content}
