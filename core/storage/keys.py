"""What objects are called: the tenant comes first, and no caller says which."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self
from uuid import UUID

from core.scope import current

_PLUGIN: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
LONGEST: Final = 700
"""Bytes of a path: S3 takes keys of 1,024, and the tenant stands before it."""


@dataclass(frozen=True, slots=True)
class Key:
    """An object of a tenant; ``path`` is where among its objects.

    Raises:
        ValueError: the path leads elsewhere.
    """

    tenant_id: UUID
    path: str

    def __post_init__(self) -> None:
        parts = self.path.split("/")
        if (
            any(part in {"", ".", ".."} for part in parts)
            or "\0" in self.path
            or "\\" in self.path
            or len(self.path.encode("utf-8", "surrogatepass")) > LONGEST
        ):
            raise ValueError(f"{self.path!r} is no path of an object")

    @classmethod
    def here(cls, area: str, file_id: UUID) -> Self:
        """The object ``file_id`` of ``area``, of the tenant that is being served.

        Raises:
            NoScope: outside every scope.
            ValueError: no area can be called so.
        """
        return cls(current().id, f"{folder_of_area(area)}/{file_id.hex}")

    def __str__(self) -> str:
        return f"{folder_of_tenant(self.tenant_id)}/{self.path}"


def folder_of_tenant(tenant_id: UUID) -> str:
    """Below which all objects of a tenant are."""
    return f"tenants/{tenant_id.hex}"


def folder_of_plugin(plugin: str) -> str:
    """What of a tenant's objects is one product's: these go when it is removed.

    Raises:
        ValueError: no product can be called so; a name with dots and slashes would lead elsewhere.
    """
    if not _PLUGIN.fullmatch(plugin):
        raise ValueError(f"{plugin!r} is not the name of a product")
    return f"plugins/{plugin}"


def folder_of_area(area: str) -> str:
    """Where the objects of an area such as ``car_hire.documents`` are.

    Raises:
        ValueError: no area can be called so.
    """
    plugin, _, name = area.partition(".")
    if not _PLUGIN.fullmatch(name):
        raise ValueError(f"{area!r} is not the name of an area")
    return f"{folder_of_plugin(plugin)}/{name}"
