"""Passwords: what is asked of one, and how it is kept (argon2id, off the event loop)."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Final, TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from core.errors import Invalid, Unavailable
from core.i18n import _

T = TypeVar("T")

MIN_LENGTH: Final = 10
MAX_LENGTH: Final = 200
"""Hashing cost grows with the length; nobody types more than this."""

# OWASP's first recommendation for argon2id; 75 ms on two shared cores.
_HASHER: Final = PasswordHasher(
    time_cost=2, memory_cost=19 * 1024, parallelism=1, hash_len=32, salt_len=16, type=Type.ID
)

_COMMON_WORDS: Final = frozenset(
    re.findall(
        r"\w+",
        "password passwort palavrapasse contrasena senha segredo secret welcome bemvindo letmein"
        " admin administrator administrador login iloveyou sunshine princess football futebol"
        " baseball dragon monkey shadow master superman batman trustno changeme default test"
        " testing benfica sporting portugal lisboa summer winter spring autumn monday january"
        " atrium qwerty qwertz azerty asdf zxcv abc abcd abcdef",
    )
)
_RUNS: Final = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
    "qwertyuiopqwertyuiop",
    "asdfghjklasdfghjkl",
    "zxcvbnmzxcvbnm",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
)
_LEET: Final = str.maketrans("0134578@$!", "oleastbasi")


def prepare(password: str) -> str:
    """The one form in which a password is compared, however a keyboard composed it.

    Raises:
        Invalid: it holds what cannot be typed.
    """
    if "\0" in password or any(0xD800 <= ord(each) <= 0xDFFF for each in password):
        raise Invalid(_("The password contains characters that cannot be typed."), field="password")
    return unicodedata.normalize("NFKC", password)


def check_rules(password: str, *, email: str, name: str, field: str = "password") -> None:
    """Refuse a password that is short, that is about its owner, or that everybody tries first.

    Raises:
        Invalid: naming ``field`` and the rule.
    """
    if len(password) < MIN_LENGTH:
        raise Invalid(_("Please use at least 10 characters."), field=field)
    if len(password) > MAX_LENGTH:
        raise Invalid(_("Please use at most 200 characters."), field=field)
    folded = prepare(password).casefold()
    personal = [email.casefold(), email.casefold().partition("@")[0], *name.casefold().split()]
    if any(len(part) >= 4 and part in folded for part in personal):
        raise Invalid(_("Please leave your name and e-mail out of the password."), field=field)
    if is_common(folded):
        raise Invalid(_("This password is one of the first that attackers try."), field=field)


def is_common(password: str) -> bool:
    """Whether a password is a well-known word with decoration, a keyboard run or a repetition."""
    folded = password.casefold()
    if len(set(folded)) < 5 or re.fullmatch(r"(.{1,5})\1+", folded):
        return True
    if any(folded in run or folded[::-1] in run for run in _RUNS):
        return True
    core = re.sub(r"^[\d\W_]+|[\d\W_]+$", "", folded)
    plain = re.sub(r"[\d\W_]", "", folded.translate(_LEET))
    return not core or not _COMMON_WORDS.isdisjoint({core, plain, core.translate(_LEET)})


class Passwords:
    """Hashes and compares in a few threads of its own; more work than they can do is refused."""

    def __init__(self, *, threads: int = 2, in_flight: int = 12) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._in_flight = in_flight
        self._busy = 0

    async def hash(self, password: str) -> str:
        """The argon2id hash to keep.

        Raises:
            Unavailable: too many sign-ins are being checked; try again in a moment.
        """
        prepared = prepare(password)
        return await self._run(lambda: _HASHER.hash(prepared))

    async def matches(self, password: str, kept: str | None) -> bool:
        """Whether ``password`` is the one ``kept``; an unknown account takes the same work.

        Raises:
            Unavailable: too many sign-ins are being checked; try again in a moment.
        """
        try:
            prepared = prepare(password[: MAX_LENGTH + 1])
        except Invalid:
            prepared, kept = "", None
        same = await self._run(lambda: _verify(prepared, kept or self._decoy))
        return same and kept is not None

    def outdated(self, kept: str) -> bool:
        """Whether ``kept`` was made with parameters other than today's."""
        return _HASHER.check_needs_rehash(kept)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    @cached_property
    def _decoy(self) -> str:
        return _HASHER.hash("no account has this password")

    async def _run(self, work: Callable[[], T]) -> T:
        if self._busy >= self._in_flight:
            raise Unavailable(
                _("Many people are signing in at once. Please try again in a moment."),
                retry_after=2,
            )
        self._busy += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._busy -= 1


def _verify(password: str, kept: str) -> bool:
    try:
        return _HASHER.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False
