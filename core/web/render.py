"""Templates: one Jinja environment for core and every plugin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from jinja2_fragments import render_block
from markupsafe import Markup

from core.auth import identity
from core.i18n import reading_in
from core.plugin import Plugins
from core.settings import Settings
from core.web.flash import Toast
from core.web.forms.bound import field_options
from core.web.icons import icon
from core.web.listed import Listed
from core.web.locales import negotiate
from core.web.navigation import desk_of, links, place_of
from core.web.shell import AsgiScope, Shell
from core.web.slots import Filled
from core.web.static import Static
from core.web.templating import environment

log = structlog.get_logger(__name__)


class Renderer:
    """Renders templates for whoever is asking."""

    def __init__(
        self,
        settings: Settings,
        plugins: Plugins,
        static: Static,
    ) -> None:
        self.settings = settings
        self.plugins = plugins
        self.environment = environment(
            (plugin.folder / "templates" for plugin in plugins), reload=settings.development
        )
        self.environment.globals.update(
            icon=icon,
            static=static.url,
            has_static=static.has,
            field_options=field_options,
            draw_part=self.part,
        )

    def shell(
        self, scope: AsgiScope, toasts: tuple[Toast, ...] = (), listed: Listed | None = None
    ) -> Shell:
        """What the page asked for by ``scope`` knows beside its content."""
        viewer = identity.current()
        return Shell(
            scope=scope,
            viewer=viewer,
            locale=negotiate(scope),
            development=self.settings.development,
            navigation=links(self.plugins, viewer, place_of(scope)),
            desk=desk_of(self.plugins, viewer),
            extra_toasts=toasts,
            listed=listed,
        )

    def page(
        self,
        shell: Shell,
        template: str,
        context: Mapping[str, Any],
        block: str | None = None,
    ) -> str:
        """``template``, or only one of its blocks, as ``shell``'s reader should see it."""
        with reading_in(shell.locale):
            if block is not None:
                return str(render_block(self.environment, template, block, shell=shell, **context))
            return self.environment.get_template(template).render(shell=shell, **context)

    def part(self, filled: Filled, shell: Shell) -> Markup:
        """What a plugin put into the page being rendered; nothing if it cannot be drawn."""
        try:
            template = self.environment.get_template(filled.template)
            return Markup(template.render(shell=shell, **filled.context))  # noqa: S704  # escaped by it
        except Exception:  # a plugin's template may raise anything
            log.exception("slot.failed", plugin=filled.plugin, template=filled.template)
            return Markup()
