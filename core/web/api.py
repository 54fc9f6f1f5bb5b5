"""What lists and JSON routes share: pages by cursor, and versions as ETags."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec
from litestar import Request, Response

from core.errors import Invalid
from core.i18n import _

T = TypeVar("T")


class Listing(msgspec.Struct, Generic[T]):
    """A page of results; ``next`` is the cursor of the following one, or null."""

    items: list[T]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins: after the row with these sort values (its id last)."""

    after: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str | None) -> Cursor:
        """The cursor that a caller sent back.

        Raises:
            Invalid: if it was not made by us.
        """
        if not text:
            return cls()
        try:
            body = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            return cls(msgspec.json.decode(body, type=tuple[str, ...]))
        except (binascii.Error, ValueError, msgspec.MsgspecError):
            raise Invalid(_("Use the cursor exactly as it was given."), field="cursor") from None

    def __str__(self) -> str:
        return base64.urlsafe_b64encode(msgspec.json.encode(self.after)).decode().rstrip("=")


def page_of(
    rows: Sequence[T], limit: int, key: Callable[[T], tuple[str, ...]]
) -> tuple[list[T], str | None]:
    """``rows`` (asked for with ``limit + 1``) as a page and the cursor of the next one."""
    page = list(rows[:limit])
    return page, str(Cursor(key(page[-1]))) if len(rows) > limit and page else None


def paged(
    rows: Sequence[T], size: int, cursor: str | None, id_of: Callable[[T], UUID]
) -> dict[str, Any]:
    """What a list and its pager show, of ``rows`` that were asked for with ``size + 1``."""
    page, following = page_of(rows, size, lambda row: (str(id_of(row)),))
    return {"rows": page, "next": following, "first": cursor is not None}


def place(cursor: str | None) -> UUID | None:
    """The id after which a page begins.

    Raises:
        Invalid: the cursor was not made by us.
    """
    after = Cursor.read(cursor).after
    if not after:
        return None
    try:
        return UUID(after[0])
    except ValueError:
        raise Invalid(_("Use the cursor exactly as it was given."), field="cursor") from None


def versioned(content: T, version: int, status: int = 200) -> Response[T]:
    """``content`` with its version as ETag."""
    return Response(content, status_code=status, headers={"etag": f'"{version}"'})


def expected(request: Request[Any, Any, Any]) -> int | None:
    """The version that ``If-Match`` names; None without it.

    Raises:
        Invalid: it is not an ETag of ours.
    """
    given = request.headers.get("if-match", "*").strip()
    if given == "*":
        return None
    number = given.removeprefix("W/").strip('"')
    if not number.isascii() or not number.isdecimal() or len(number) > 9:
        raise Invalid(_("Send the ETag exactly as it was given"), field="If-Match")
    return int(number)
