"""Permissions, roles, and the access that every route must declare."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from core.i18n import LazyText, _


class Role(StrEnum):
    """A person's standing in a tenant; each includes what the next ones may do."""

    OWNER = "owner"
    ADMIN = "admin"
    STAFF = "staff"
    MEMBER = "member"


@dataclass(frozen=True, slots=True)
class Permission:
    """Something a person may be allowed to do; owners and admins hold every permission."""

    name: str
    """``plugin.thing``."""
    title: LazyText | str
    """What it allows, in words."""
    roles: frozenset[Role] = frozenset()
    """Who has it beside owners and admins, unless the tenant says else."""


@dataclass(frozen=True, slots=True)
class Access:
    """Who may call a route: everyone, whoever is signed in, or holders of a permission.

    To people without the permission ``seen_with``, where there is one, the route does not exist.
    """

    kind: str
    permission: str | None = None
    seen_with: str | None = None


public: Final = Access("public")
member: Final = Access("member")


def permission(name: str, *, seen_with: str | None = None) -> Access:
    """Only people who hold the permission ``name``; others are told so, or, if they lack
    ``seen_with`` too, that there is no such page."""
    return Access("permission", name, seen_with)


MANAGE_SETTINGS: Final = Permission("core.settings", _("Change settings"))
MANAGE_PEOPLE: Final = Permission("core.people", _("Manage people and roles"))
READ_AUDIT: Final = Permission("core.audit", _("Read the audit log"))

CORE_PERMISSIONS: Final = (MANAGE_SETTINGS, MANAGE_PEOPLE, READ_AUDIT)


def held_by(role: Role, declared: tuple[Permission, ...]) -> frozenset[str]:
    """The names of the ``declared`` permissions that ``role`` holds."""
    if role in {Role.OWNER, Role.ADMIN}:
        return frozenset(each.name for each in declared)
    return frozenset(each.name for each in declared if role in each.roles)
