"""A plugin as it is installed, to be looked at without any server."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Self

from litestar import Litestar
from litestar.di import Provide

from atrium.testing.routes import Route, routes
from core.folders import ENTRY_POINT_GROUP
from core.plugin import Plugin, Plugins
from core.web.bodies import StructBodies
from tenants.installed import installed
from tenants.migration.down import Back, compile_back
from tenants.migration.lines import Line, compile_line


def _nothing() -> Provide:
    """Stands for what core gives to handlers; none is called here."""
    return Provide(lambda: None, sync_to_thread=False)


class NotInstalled(LookupError):
    """No plugin of this name works here; the message says why."""


@dataclass(frozen=True)
class Candidate:
    """``plugin``, as ``entry`` names it, among all ``plugins`` that are installed."""

    plugin: Plugin
    entry: EntryPoint
    plugins: Plugins

    @classmethod
    def named(cls, name: str) -> Self:
        """The installed plugin ``name``.

        Raises:
            NotInstalled: it is not, or cannot be used here.
        """
        found = [each for each in entry_points(group=ENTRY_POINT_GROUP) if each.name == name]
        if not found:
            raise NotInstalled(
                f"no distribution here has an entry point {name!r} in {ENTRY_POINT_GROUP!r}:"
                " install the plugin (pip install -e .) in the environment of the tests"
            )
        plugins = installed()
        if name in plugins.broken:
            raise NotInstalled(f"the plugin {name!r} cannot be used: {plugins.broken[name]}")
        return cls(plugins.working[name], found[0], plugins)

    @cached_property
    def routes(self) -> list[Route]:
        """Its routes, with what they declare."""
        app = Litestar(
            route_handlers=self.plugin.controllers,
            dependencies={name: _nothing() for name in ("session", "tenant", "identity", "slots")},
            plugins=[StructBodies()],
            openapi_config=None,
            logging_config=None,
        )
        return routes(app)

    @property
    def migrations(self) -> Path | None:
        """The folder of its migrations, if it has one."""
        folder = self.plugin.folder / "migrations"
        return folder if folder.is_dir() else None

    @cached_property
    def line(self) -> Line:
        """Its line, compiled; one without revisions if it has no tables.

        Raises:
            BadMigration: it cannot be compiled.
        """
        folder, name = self.migrations, self.plugin.name
        return compile_line(name, folder) if folder else Line(name, ())

    @cached_property
    def back(self) -> Back:
        """The way back of each revision.

        Raises:
            BadMigration: one cannot be undone offline.
        """
        return compile_back(self.migrations) if self.migrations else {}

    @property
    def modules(self) -> list[Path]:
        """Its Python files, migrations excepted."""
        found = sorted(self.plugin.folder.rglob("*.py"))
        return [each for each in found if self.plugin.folder / "migrations" not in each.parents]

    @property
    def templates(self) -> list[str]:
        """Its templates, by the names that they are rendered by."""
        folder = self.plugin.folder / "templates"
        found = (each for each in folder.rglob("*") if each.is_file())
        return sorted(each.relative_to(folder).as_posix() for each in found)

    @property
    def static(self) -> list[Path]:
        """Its static files."""
        folder = self.plugin.folder / "static"
        return sorted(each for each in folder.rglob("*") if each.is_file())

    def shown(self, path: Path) -> str:
        """A file's name below the plugin's folder."""
        return path.relative_to(self.plugin.folder).as_posix()
