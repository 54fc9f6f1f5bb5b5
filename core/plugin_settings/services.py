"""Read, change and put back a plugin's settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final, TypeVar

import msgspec
import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core.audit import services as audit
from core.auth import identity as identities
from core.clock import now
from core.errors import DomainError, EditedMeanwhile, NotFound
from core.i18n import _
from core.plugin_settings.models import PluginSettings, SettingsVersion

S = TypeVar("S", bound=msgspec.Struct)

PAGE_SIZE: Final = 20
LAST: Final = 2_147_483_647
"""No version can be later: PostgreSQL's integer ends there."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The settings of a plugin as they are; at version 0 nobody has changed them yet."""

    settings: msgspec.Struct
    version: int


async def read(session: AsyncSession, plugin: str, kind: type[S]) -> S:
    """The tenant's settings of ``plugin``; what was never set has the default of ``kind``."""
    stored = await session.get(PluginSettings, plugin)
    return convert(plugin, stored.value if stored else {}, kind)


async def read_at(session: AsyncSession, plugin: str, kind: type[S], moment: datetime) -> S:
    """The tenant's settings of ``plugin`` as they were at ``moment``: what was agreed then holds,
    whatever is changed later."""
    then = (
        select(SettingsVersion.value)
        .where(SettingsVersion.plugin == plugin, SettingsVersion.changed_at <= moment)
        .order_by(SettingsVersion.version.desc())
        .limit(1)
    )
    return convert(plugin, await session.scalar(then) or {}, kind)


async def chosen(session: AsyncSession, plugin: str, kind: type[msgspec.Struct]) -> Chosen:
    """The tenant's settings of ``plugin`` with their version."""
    stored = await session.get(PluginSettings, plugin, populate_existing=True)
    value, version = (stored.value, stored.version) if stored else ({}, 0)
    return Chosen(convert(plugin, value, kind), version)


async def save(
    session: AsyncSession,
    plugin: str,
    settings: msgspec.Struct,
    expected: int | None = None,
    *,
    restored: int | None = None,
) -> int:
    """Keep ``settings`` as the tenant's settings of ``plugin``; the answer is their version.

    ``expected`` is the version that the editor saw; None when nobody looked at it first. What
    changes nothing makes no version.

    Raises:
        EditedMeanwhile: they have changed since.
    """
    stored = await _locked(session, plugin)
    if expected is not None and expected != stored.version:
        raise EditedMeanwhile
    before = msgspec.to_builtins(convert(plugin, stored.value, type(settings)))
    value: dict[str, Any] = msgspec.to_builtins(settings)
    changed = {key: [before.get(key), value[key]] for key in value if before.get(key) != value[key]}
    if not changed:
        return stored.version
    stored.value, stored.version, stored.updated_at = value, stored.version + 1, now()
    person = identities.current()
    session.add(
        SettingsVersion(
            plugin=plugin,
            version=stored.version,
            value=value,
            restored=restored,
            changed_by=person.user_id if person else None,
            changed_by_name=person.name if person else audit.SYSTEM,
        )
    )
    await session.flush()
    detail = {"version": stored.version, "changed": changed}
    if restored is not None:
        detail["restored"] = restored
    await audit.record(session, "core.settings_changed", "plugin", plugin, detail)
    return stored.version


async def restore(
    session: AsyncSession,
    plugin: str,
    kind: type[msgspec.Struct],
    version: int,
    expected: int | None,
) -> int:
    """Make the settings what they were at ``version`` (0: the defaults), as a new version.

    What the plugin no longer has, or no longer allows, has its default.

    Raises:
        NotFound: there never was such a version.
        EditedMeanwhile: somebody has changed them since ``expected``.
    """
    value: Mapping[str, Any] = {}
    if not 0 <= version <= LAST:
        raise NotFound(_("There is no such version of these settings"))
    if version:
        found = await session.get(SettingsVersion, (plugin, version))
        if found is None:
            raise NotFound(_("There is no such version of these settings"))
        value = found.value
    return await save(session, plugin, convert(plugin, value, kind), expected, restored=version)


async def history(
    session: AsyncSession, plugin: str, before: int | None = None
) -> Sequence[SettingsVersion]:
    """A page of versions, newest first, one more than fits: to tell what the last one changed."""
    query = select(SettingsVersion).where(SettingsVersion.plugin == plugin)
    if before is not None:
        query = query.where(SettingsVersion.version < min(max(before, 0), LAST))
    found = await session.scalars(
        query.order_by(SettingsVersion.version.desc()).limit(PAGE_SIZE + 1)
    )
    return found.all()


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """Reading the annotations anew took longer than asking for the settings."""
    return msgspec.structs.fields(kind)


def convert(plugin: str, value: Mapping[str, Any], kind: type[S]) -> S:
    """What is stored, as the plugin's settings are today.

    A field that the plugin no longer has is passed over; one whose value it no longer allows has
    its default, and is named in the log: an upgrade must not stop the tenant's pages. Where only
    the fields together are refused, all have their defaults.
    """
    kept: dict[str, Any] = {}
    for field in _fields(kind):
        if field.encode_name not in value:
            continue
        try:
            kept[field.name] = msgspec.convert(value[field.encode_name], field.type)
        except msgspec.ValidationError as problem:
            log.warning("settings.outdated", plugin=plugin, field=field.name, reason=str(problem))
    try:
        return kind(**kept)
    except (ValueError, DomainError) as problem:  # the Struct's own __post_init__
        log.warning("settings.outdated", plugin=plugin, field="", reason=str(problem))
        return kind()


async def _locked(session: AsyncSession, plugin: str) -> PluginSettings:
    """The row of ``plugin``, which nobody else changes until this transaction ends."""
    first = {"plugin": plugin, "value": {}, "version": 0, "updated_at": now()}
    await session.execute(insert(PluginSettings).values(first).on_conflict_do_nothing())
    return await session.get_one(
        PluginSettings, plugin, with_for_update=True, populate_existing=True
    )
