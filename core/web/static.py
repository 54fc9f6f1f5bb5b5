"""Static files: ours, the plugins', and the listed ones of front-end packages.

Every file is read once, at start, so that a request for it touches neither disk nor database.
The address carries a hash of its whole namespace (``/static/core/3f2a…/js/menu.js``): modules
import one another by relative path, and all may be cached for a year.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import structlog
from litestar import Response, get
from litestar.connection import Request
from litestar.params import FromPath

from core.errors import NotFound
from core.permissions import public
from core.plugin import Plugin
from core.web import front_end

log = structlog.get_logger(__name__)

OWN: Final = Path(__file__).parent / "static"
_COMPRESSIBLE: Final = ("text/", "application/json", "image/svg+xml")
_TYPES: Final = {".js": "text/javascript", ".mjs": "text/javascript", ".woff2": "font/woff2"}
FOREVER: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent; ``packed`` is its gzip form where that is worth while."""

    body: bytes = field(repr=False)
    packed: bytes | None = field(repr=False)
    media_type: str

    @classmethod
    def read(cls, path: Path) -> Asset:
        """The file at ``path``."""
        body = path.read_bytes()
        kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0]
        kind = kind or "application/octet-stream"
        small = gzip.compress(body, mtime=0) if kind.startswith(_COMPRESSIBLE) else None
        return cls(body, small, f"{kind}; charset=utf-8" if kind.startswith("text/") else kind)


class Static:
    """The static files of a process: ``namespace`` is ``core``, ``vendor`` or a plugin's name."""

    def __init__(self, plugins: Iterable[Plugin] = (), packages: Path = front_end.FOLDER) -> None:
        self._files: dict[str, dict[str, Asset]] = {
            "core": _folder(OWN) | _listed(packages, front_end.FILES["core"]),
            "vendor": _listed(packages, front_end.FILES["vendor"]),
        }
        for plugin in plugins:
            if (folder := plugin.folder / "static").is_dir():
                self._files[plugin.name] = _folder(folder)
        self._hashes = {name: _hash(files) for name, files in self._files.items()}

    def url(self, name: str) -> str:
        """The address of ``core/css/app.css``.

        Raises:
            LookupError: for a file that is not there, so that no page points at nothing.
        """
        namespace, _, path = name.partition("/")
        if path not in self._files.get(namespace, {}):
            raise LookupError(f"there is no static file {name!r}")
        return f"/static/{namespace}/{self._hashes[namespace]}/{path}"

    def has(self, name: str) -> bool:
        """Whether ``url(name)`` would succeed."""
        namespace, _, path = name.partition("/")
        return path in self._files.get(namespace, {})

    def find(self, address: str) -> tuple[Asset, bool] | None:
        """The asset at ``namespace/hash/path``, and whether it may be kept for ever."""
        namespace, _, rest = address.lstrip("/").partition("/")
        digest, _, path = rest.partition("/")
        files = self._files.get(namespace, {})
        if asset := files.get(path):
            return asset, digest == self._hashes[namespace]
        return None


def _folder(folder: Path) -> dict[str, Asset]:
    return {
        path.relative_to(folder).as_posix(): Asset.read(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def _listed(packages: Path, listed: Mapping[str, str]) -> dict[str, Asset]:
    found: dict[str, Asset] = {}
    for name, source in listed.items():
        path = packages / source
        if path.is_file():
            found[name] = Asset.read(path)
        else:
            log.warning("static.missing", file=source, remedy="run `make env`")
    return found


def _hash(files: Mapping[str, Asset]) -> str:
    digest = hashlib.sha256()
    for name, asset in files.items():
        digest.update(f"{name}\0{len(asset.body)}\0".encode())
        digest.update(asset.body)
    return digest.hexdigest()[:12]


@get("/static/{path:path}", access=public, include_in_schema=False, cache_control=None)
async def serve(request: Request[Any, Any, Any], path: FromPath[str]) -> Response[bytes]:
    """A static file, packed if the browser can unpack it."""
    static: Static = request.app.state.static
    found = static.find(path)
    if found is None:
        raise NotFound
    asset, forever = found
    headers = {"cache-control": FOREVER if forever else "no-cache", "vary": "accept-encoding"}
    body = asset.body
    if asset.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
        body = asset.packed
    return Response(body, media_type=asset.media_type, headers=headers)
