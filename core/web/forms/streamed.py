"""Forms that carry a file too large for memory: it is written to disk as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from litestar import Request
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from core.errors import Invalid
from core.i18n import LazyText, _

PATIENCE: Final = 60.0
"""Seconds without a byte after which the sender is given up."""
_AT_ONCE: Final = 1 << 20
"""Bytes that are gathered before they are written: a thread is not asked for each packet."""
_AROUND: Final = 65_536
"""Bytes of a request beside its file: boundaries, headers, a few short fields."""


@dataclass(frozen=True, slots=True)
class Streamed:
    """A file that has come whole: its name as the sender knows it, its size in bytes."""

    name: str
    size: int


async def pour(
    request: Request[Any, Any, Any], key: str, to: Path, most: int, too_large: LazyText | str
) -> Streamed:
    """Write the file ``key`` of a multipart request ``to`` disk, at most ``most`` bytes of it.

    To be awaited in ``core.db.outside``: it takes as long as the sender likes. The route has
    ``request_max_body_size=None``, for this counts itself. Nothing is left if it fails.

    Raises:
        Invalid: too large (saying ``too_large``), no file, an empty one, or broken off; with the
            field ``key``.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != "multipart/form-data" or not options.get("boundary"):
        raise Invalid(_("Choose a file."), field=key)
    if (request.content_length or 0) > most + _AROUND:
        raise Invalid(too_large, field=key)
    unfinished = to.with_suffix(".part")
    try:
        with await asyncio.to_thread(_opened, unfinished) as file:
            parser = PushMultipartParser(options["boundary"], max_segment_count=20)
            found = await _poured(request, parser, key, file, most, too_large)
        if found is None or not found.size:
            raise Invalid(_("Choose a file."), field=key)
        await asyncio.to_thread(unfinished.replace, to)
    except (MultipartError, TimeoutError, FileNotFoundError):  # gone: another one was begun
        raise Invalid(_("The file did not come whole; please send it again."), field=key) from None
    finally:
        with suppress(FileNotFoundError):
            unfinished.unlink()
    return found


def _opened(path: Path) -> IO[bytes]:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    return path.open("wb")


async def _poured(
    request: Request[Any, Any, Any],
    parser: PushMultipartParser,
    key: str,
    file: IO[bytes],
    most: int,
    too_large: LazyText | str,
) -> Streamed | None:
    """The last file of the name ``key``, written to ``file``; None where there is none."""
    name: str | None = None
    came, size, current, waiting = 0, 0, False, bytearray()
    with parser:
        async for chunk in _chunks(request):
            came += len(chunk)
            if came > most + _AROUND:  # what is no file is not written, but comes for ever
                raise Invalid(too_large, field=key)
            for event in parser.parse(chunk):
                if isinstance(event, MultipartSegment):
                    current = event.name == key and event.filename is not None and name is None
                    name = event.filename if current else name
                elif event is not None and current:
                    size += len(event)
                    if size > most:
                        raise Invalid(too_large, field=key)
                    waiting += event
            if len(waiting) >= _AT_ONCE:
                await asyncio.to_thread(_write, file, bytes(waiting))
                waiting.clear()
    await asyncio.to_thread(_write, file, bytes(waiting))
    return None if name is None else Streamed(name, size)


def _write(file: IO[bytes], found: bytes) -> None:
    """Raises: FileNotFoundError: somebody removed the file, so that nothing more is to come."""
    file.write(found)
    if not Path(file.name).exists():
        raise FileNotFoundError(file.name)


async def _chunks(request: Request[Any, Any, Any]) -> AsyncIterator[bytes]:
    """The request's body as it comes.

    Raises:
        TimeoutError: nothing came for a while, or the sender has gone.
    """
    while True:
        async with asyncio.timeout(PATIENCE):
            event = await request.receive()
        if event["type"] != "http.request":
            raise TimeoutError
        if event["body"]:
            yield event["body"]
        if not event["more_body"]:
            return
