"""Kinds of notification: declared by plugins, sent by ``core.notifications.notify``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from string import Formatter

from core.i18n import LazyText
from core.permissions import Permission, Role, held_by


class Channel(StrEnum):
    """A way in which a person is told; each chooses their own, by kind."""

    APP = "app"
    """Under the bell of every page."""
    MAIL = "mail"
    """By a letter at once."""
    DIGEST = "digest"
    """In the letter of the next morning, unless it was read before."""


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A kind of notification: what it says, to whom, and how unless they chose otherwise."""

    name: str
    """``plugin.thing_happened``."""
    title: LazyText | str
    """What people choose by, such as "New bookings"."""
    text: LazyText | str
    """One sentence with ``{names}`` for the values; it is read in the reader's language. It names
    things, not people: it would outlive their erasure."""
    audience: Permission | None = None
    """Who holds it is told and may read it; None: those whom ``notify`` names, such as the
    customer whose booking it is."""
    channels: frozenset[Channel] = frozenset({Channel.APP})
    """How they are told who have not chosen; empty: not at all."""
    icon: str = "bell"
    """The name of an outline icon of Tabler's."""

    @cached_property
    def asks(self) -> frozenset[str]:
        """The names of the values that the text has places for."""
        return frozenset(name for _, name, _, _ in Formatter().parse(str(self.text)) if name)

    def may_be_read_by(self, role: Role) -> bool:
        """Whether people of ``role`` may be told."""
        return self.audience is None or bool(held_by(role, (self.audience,)))
