"""Kinds of notification: in everybody's language, to people who may know, and declared."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Final

from atrium.testing.checks.candidate import Candidate
from atrium.testing.checks.check import Check, alone, for_each
from core.i18n import LazyText
from core.notices import Notice
from core.permissions import CORE_PERMISSIONS
from core.web.icons import UnknownIcon, icon

_LONGEST_TITLE: Final = 60


def the_notice_can_be_read(it: Candidate, notice: Notice) -> Iterator[str]:
    """People choose kinds by the title, and read the text in their own language."""
    for what, text in (("title", notice.title), ("text", notice.text)):
        if not isinstance(text, LazyText) or not str(text):
            yield f'the {what} of {notice.name} cannot be translated: write _("…")'
    if len(str(notice.title)) > _LONGEST_TITLE:
        yield f"the title of {notice.name} is longer than {_LONGEST_TITLE} characters"


def its_text_has_plain_places(it: Candidate, notice: Notice) -> Iterator[str]:
    """Values are shown as the reader writes them: the text names them and says nothing of how."""
    try:
        places = list(Formatter().parse(str(notice.text)))
    except ValueError as problem:
        yield f"{notice.name}: {problem}"
        return
    for _text, name, spec, conversion in places:
        if name is not None and (not name.isidentifier() or spec or conversion):
            yield f"{notice.name} has the place {{{name}}}: write {{a_name}} alone"


def its_icon_can_be_drawn(it: Candidate, notice: Notice) -> Iterator[str]:
    """It stands under the bell of every page: one bad icon would break them all."""
    try:
        icon(notice.icon)
    except UnknownIcon as problem:
        yield str(problem)


def its_audience_is_declared(it: Candidate, notice: Notice) -> Iterator[str]:
    """Nobody would be told if nobody can be given the permission."""
    known = {each.name for each in (*it.plugin.permissions, *CORE_PERMISSIONS)}
    if notice.audience is not None and notice.audience.name not in known:
        yield f"{notice.name} is for who holds {notice.audience.name!r}, which is not declared"


def what_it_tells_of_is_declared(it: Candidate) -> Iterator[str]:
    """What is told of a kind that is not in ``Plugin.notices`` is shown to nobody."""
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file is None or it.plugin.folder not in Path(file).parents:
            continue
        for each in vars(module).values():
            if isinstance(each, Notice) and each not in it.plugin.notices:
                yield f"{each.name}, which {name} knows, is not in notices"


def checks(it: Candidate) -> list[Check]:
    """The checks of this module for ``it``."""
    return [
        *alone(what_it_tells_of_is_declared),
        *for_each(
            it.plugin.notices,
            the_notice_can_be_read,
            its_text_has_plain_places,
            its_icon_can_be_drawn,
            its_audience_is_declared,
        ),
    ]
