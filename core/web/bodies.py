"""Bodies of API routes: ``data: JSONBody[SomeStruct]`` is read field by field, all errors at once.

Litestar's own reading stops at the first error and lets NUL bytes and NaN pass; this takes its
place for every Struct, so that a route need not ask for it.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, ClassVar

import msgspec
from litestar.dto import AbstractDTO
from litestar.dto.data_structures import DTOFieldDefinition
from litestar.exceptions import HTTPException
from litestar.openapi.spec import Reference, Schema
from litestar.plugins import SerializationPlugin
from litestar.typing import FieldDefinition

from core.web.forms.bind import bind, read_json


class _Body(AbstractDTO[Any]):
    """Reads one kind of Struct; ``struct`` is set in a subclass made for it."""

    struct: ClassVar[type[msgspec.Struct]]

    def decode_bytes(self, value: bytes) -> msgspec.Struct:
        """The JSON ``value`` as the Struct."""
        kind, _parameters = self.asgi_connection.content_type  # type: ignore[attr-defined]  # a Request
        if kind and kind != "application/json" and not kind.endswith("+json"):
            raise HTTPException(status_code=415)
        return read_json(self.struct, value)

    def decode_builtins(self, value: dict[str, Any]) -> msgspec.Struct:
        """A posted form as the Struct."""
        return bind(self.struct, value).value

    @classmethod
    def create_for_field_definition(cls, *given: Any, **named: Any) -> None:
        """Nothing is to be prepared."""

    @classmethod
    def create_openapi_schema(
        cls, field_definition: FieldDefinition, handler_id: str, schema_creator: Any
    ) -> Reference | Schema:
        """The Struct's own schema."""
        found: Reference | Schema = schema_creator.for_field_definition(field_definition)
        return found

    @classmethod
    def generate_field_definitions(
        cls, model_type: type[Any]
    ) -> Generator[DTOFieldDefinition, None, None]:
        """Unused: nothing is copied field by field."""
        yield from ()

    @classmethod
    def detect_nested_field(cls, field_definition: FieldDefinition) -> bool:
        """Unused likewise."""
        return False


class StructBodies(SerializationPlugin):
    """Litestar plugin: every parameter ``data`` that is a Struct is read by us."""

    def supports_type(self, field_definition: FieldDefinition) -> bool:
        """Whether this is such a parameter."""
        return field_definition.name == "data" and field_definition.is_subclass_of(msgspec.Struct)

    def create_dto_for_type(self, field_definition: FieldDefinition) -> type[AbstractDTO[Any]]:
        """The reader of this Struct."""
        struct = field_definition.annotation
        return type(f"{struct.__name__}Body", (_Body,), {"struct": struct})
