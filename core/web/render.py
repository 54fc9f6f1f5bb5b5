"""Templates: one Jinja environment for core and every plugin."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2_fragments import render_block

from core.auth import identity
from core.i18n import gettext, ngettext, reading_in
from core.plugin import Plugins
from core.settings import Settings
from core.web import formatting
from core.web.flash import Toast
from core.web.forms.bound import field_options
from core.web.icons import icon
from core.web.locales import negotiate
from core.web.navigation import desk_of, links
from core.web.shell import AsgiScope, Shell
from core.web.static import Static

TEMPLATES: Final = Path(__file__).parent / "templates"


def translate(message: str, **values: object) -> str:
    """``_("Hello {name}", name=…)`` in a template; what it gives is escaped like any text."""
    text = gettext(message)
    return text.format(**values) if values else text


def translate_count(singular: str, plural: str, count: int, **values: object) -> str:
    """``ngettext("{count} car", "{count} cars", 3)`` in a template."""
    return ngettext(singular, plural, count).format(count=formatting.number(count), **values)


class Renderer:
    """Renders templates for whoever is asking."""

    def __init__(
        self,
        settings: Settings,
        plugins: Plugins,
        static: Static,
        extra_templates: tuple[Path, ...] = (),
    ) -> None:
        self.settings = settings
        self.plugins = plugins
        folders = [TEMPLATES, TEMPLATES.parents[1] / "mail" / "templates", *extra_templates]
        folders += [plugin.folder / "templates" for plugin in plugins]
        self.environment = Environment(
            loader=FileSystemLoader([folder for folder in folders if folder.is_dir()]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=settings.development,
        )
        self.environment.filters.update(formatting.FILTERS)
        self.environment.globals.update(
            _=translate,
            ngettext=translate_count,
            icon=icon,
            static=static.url,
            wall=formatting.wall,
            field_options=field_options,
        )

    def shell(self, scope: AsgiScope, toasts: tuple[Toast, ...] = ()) -> Shell:
        """What the page asked for by ``scope`` knows beside its content."""
        viewer = identity.current()
        return Shell(
            scope=scope,
            viewer=viewer,
            locale=negotiate(scope, viewer.locale if viewer else None),
            development=self.settings.development,
            navigation=links(self.plugins, viewer, str(scope.get("path", "/"))),
            desk=desk_of(self.plugins, viewer),
            extra_toasts=toasts,
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
