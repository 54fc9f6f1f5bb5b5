"""The settings of each plugin: a page and an API, drawn from its Struct.

The controllers are made for one plugin each, so that the API says in its document what this
plugin's settings are. This module alone reads annotations where they stand: they name a type
that is known only then.
"""

from collections.abc import Iterable
from typing import Final

import msgspec
from litestar import Controller, Response, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import DomainError, EditedMeanwhile
from core.i18n import _
from core.permissions import MANAGE_SETTINGS, permission
from core.plugin import Plugin
from core.plugin_settings import services
from core.plugin_settings.telling import told
from core.web.api import expected, versioned
from core.web.forms import Bound, bind, blank, typed_fields
from core.web.http import AnyRequest, Session
from core.web.pages import Page, SeeOther

TEMPLATE: Final = "settings/plugin.html"
ACCESS: Final = permission(MANAGE_SETTINGS.name)
Kind = type[msgspec.Struct]


def controllers_of(plugins: Iterable[Plugin]) -> list[type[Controller]]:
    """The page and the API of every plugin that has settings."""
    return [
        made(plugin, plugin.settings)
        for plugin in plugins
        if plugin.settings is not None
        for made in (_page_of, _api_of)
    ]


def _page_of(plugin: Plugin, kind: Kind) -> type[Controller]:
    class PluginSettingsPage(Controller):
        """One plugin's settings, for people."""

        path = plugin.settings_path
        include_in_schema = False

        @get(access=ACCESS)
        async def show(self, session: Session, cursor: FromQuery[int | None] = None) -> Page:
            """The settings as they are, and what they were."""
            found = await services.chosen(session, plugin.name, kind)
            form = blank(kind, found.settings)
            return await _page(session, plugin, form, found.version, cursor=cursor)

        @post(access=ACCESS)
        async def save(
            self, request: AnyRequest, session: Session, version: FromQuery[int | None] = None
        ) -> Page | SeeOther:
            """Change them, unless somebody else did since ``version``."""
            form = bind(kind, await typed_fields(request))
            try:
                await services.save(session, plugin.name, form.value, version)
            except DomainError as error:
                form.refuse(error)
                if version is None or isinstance(error, EditedMeanwhile):
                    version = (await services.chosen(session, plugin.name, kind)).version
                return await _page(session, plugin, form, version, status=error.status)
            return SeeOther(plugin.settings_path, flash=_("Saved"))

        @post("/versions/{earlier:int}/restoration", access=ACCESS)
        async def restore(
            self, session: Session, earlier: FromPath[int], version: FromQuery[int | None] = None
        ) -> SeeOther:
            """Put an earlier version back."""
            await services.restore(session, plugin.name, kind, earlier, version)
            return SeeOther(plugin.settings_path, flash=_("The earlier settings are back"))

    return PluginSettingsPage


async def _page(
    session: AsyncSession,
    plugin: Plugin,
    form: Bound[msgspec.Struct],
    version: int,
    *,
    status: int = 200,
    cursor: int | None = None,
) -> Page:
    found = await services.history(session, plugin.name, cursor)
    listed = told(plugin.name, form.struct, found)
    more = len(found) > services.PAGE_SIZE
    return Page(
        TEMPLATE,
        {
            "plugin": plugin,
            "form": form,
            "version": version,
            "versions": listed[: services.PAGE_SIZE],
            "next": listed[services.PAGE_SIZE - 1].version if more else None,
            "first": cursor is not None,
        },
        status=status,
    )


def _api_of(plugin: Plugin, kind: Kind) -> type[Controller]:
    class PluginSettingsApi(Controller):
        """One plugin's settings, for programs."""

        path = f"/api/v1{plugin.settings_path}"
        tags = ("Settings",)

        @get(access=ACCESS)
        async def show(self, session: Session) -> Response[kind]:  # type: ignore[valid-type]  # made now
            """The settings as they are; the ETag is their version."""
            found = await services.chosen(session, plugin.name, kind)
            return versioned(found.settings, found.version)

        @put(access=ACCESS)
        async def change(
            self,
            request: AnyRequest,
            session: Session,
            data: JSONBody[kind],  # type: ignore[valid-type]  # made now
        ) -> Response[kind]:  # type: ignore[valid-type]  # likewise
            """Put other settings in their place; a field that is left out has its default.

            If-Match guards against overwriting somebody else's change.
            """
            version = await services.save(session, plugin.name, data, expected(request))
            return versioned(data, version)

    return PluginSettingsApi
