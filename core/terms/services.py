"""Publish terms, say what is in force, and note who accepted it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, origin
from core.audit import services as audit
from core.auth import identity as identities
from core.auth.identity import Identity
from core.errors import Conflict, DomainError, Invalid, NotFound
from core.i18n import DEFAULT_LOCALE, LOCALES, LazyText, _, locale
from core.ids import new_id
from core.permissions import Role
from core.terms.models import TermsAcceptance, TermsVersion
from core.terms.text import digest_of

KINDS: Final[Mapping[str, LazyText]] = {
    "terms": _("Terms of service"),
    "privacy": _("Privacy policy"),
}
LONGEST: Final = 100_000
"""Characters of one text."""


class TermsDue(DomainError):
    """A version that had to be accepted by now has not been."""

    status = 403
    code = "terms_due"
    title = _("Please accept the new terms first; until then you can read, export and close")
    page = "terms/overdue.html"


@dataclass(frozen=True, slots=True)
class Edition:
    """A published version without its text."""

    kind: str
    number: int
    valid_from: datetime
    must_accept: bool
    accept_by: datetime | None
    digests: Mapping[str, str]
    published_at: datetime
    published_by: str

    @property
    def title(self) -> LazyText:
        """What it is, in words."""
        return KINDS[self.kind]

    @property
    def path(self) -> str:
        """Where it can be read, now and later."""
        return f"/terms/{self.kind}/{self.number}"

    @property
    def language(self) -> str:
        """In which of its languages whoever reads now would read it."""
        return _spoken(self.digests)

    @property
    def binds_from(self) -> datetime:
        """From when on nothing goes without it, for those whom it asks."""
        return self.accept_by or self.valid_from


@dataclass(frozen=True, slots=True)
class Due:
    """What a person has yet to accept; ``binding`` is the moment from which they must have."""

    editions: Sequence[Edition] = ()
    binding: datetime | None = None

    @property
    def overdue(self) -> bool:
        """Whether that moment has come."""
        return self.binding is not None and self.binding <= clock.now()


def _editions() -> Select[str, int, datetime, bool, datetime | None, dict[str, str], datetime, str]:
    return select(
        TermsVersion.kind,
        TermsVersion.number,
        TermsVersion.valid_from,
        TermsVersion.must_accept,
        TermsVersion.accept_by,
        TermsVersion.digests,
        TermsVersion.published_at,
        TermsVersion.published_by,
    ).order_by(TermsVersion.kind.desc(), TermsVersion.number.desc())


async def published(session: AsyncSession) -> list[Edition]:
    """Every version, those to come included; the terms first, the newest first."""
    return [Edition(*row) for row in await session.execute(_editions())]


async def current(session: AsyncSession) -> list[Edition]:
    """What is in force now: at most one of each kind."""
    return list(_newest(await _in_force(session)).values())


async def text_of(session: AsyncSession, kind: str, number: int, language: str) -> tuple[str, str]:
    """The Markdown of a version in ``language``, or in one that it has, and that language.

    Raises:
        NotFound: there never was such a version.
    """
    query = select(TermsVersion.texts).where(
        TermsVersion.kind == kind, TermsVersion.number == number
    )
    texts = await session.scalar(query) if 0 < number < 2**31 else None
    if texts is None:
        raise NotFound
    spoken = language if language in texts else _spoken(texts)
    return texts[spoken], spoken


async def publish(
    session: AsyncSession,
    kind: str,
    texts: Mapping[str, str],
    *,
    valid_from: datetime | None = None,
    must_accept: bool = True,
    accept_by: datetime | None = None,
) -> Edition:
    """Publish the next version of ``kind``, in force from ``valid_from`` (aware; now if None).

    Raises:
        Invalid: naming the field ``kind``, ``text_en``, ``valid_from`` or ``accept_by``.
        Conflict: somebody else has just published one.
    """
    texts = {code: text.strip() + "\n" for code, text in texts.items() if text.strip()}
    before = [each for each in await published(session) if each.kind == kind]
    valid_from = valid_from or clock.now()
    _check(kind, texts, before, valid_from, accept_by, must_accept=must_accept)
    person = identities.current()
    made = TermsVersion(
        kind=kind,
        number=before[0].number + 1 if before else 1,
        texts=texts,
        digests={code: digest_of(text) for code, text in texts.items()},
        valid_from=valid_from,
        must_accept=must_accept,
        accept_by=accept_by,
        published_by=person.name if person else audit.SYSTEM,
    )
    try:
        async with session.begin_nested():
            session.add(made)
    except IntegrityError:
        raise Conflict(
            _("Somebody else has just published a version. Look at it, then publish yours.")
        ) from None
    detail = {
        "digests": made.digests,
        "valid_from": valid_from,
        "must_accept": must_accept,
        "accept_by": accept_by,
    }
    await audit.record(session, "core.terms_published", "terms", f"{kind}/{made.number}", detail)
    return Edition(
        kind, made.number, valid_from, must_accept, accept_by, made.digests,
        made.published_at, made.published_by,
    )  # fmt: skip


async def due(session: AsyncSession, user_id: UUID) -> Due:
    """What a person must accept, or accept again: of each kind the version in force, if they have
    accepted none yet or one after theirs asks for it."""
    in_force = await _in_force(session)
    if not in_force:
        return Due()
    query = select(TermsAcceptance.kind, func.max(TermsAcceptance.number))
    mine = query.where(TermsAcceptance.user_id == user_id).group_by(TermsAcceptance.kind)
    accepted = {row.kind: row[1] for row in await session.execute(mine)}
    asking = [
        each for each in in_force if each.must_accept and each.number > accepted.get(each.kind, 0)
    ]
    kinds = {each.kind for each in asking}
    editions = [each for kind, each in _newest(in_force).items() if kind in kinds]
    return Due(editions, min((each.binds_from for each in asking), default=None))


def key_of(editions: Sequence[Edition]) -> str:
    """What a page sends back to say which versions it showed: ``terms-2.privacy-1``."""
    return ".".join(f"{each.kind}-{each.number}" for each in editions)


def insist_accepted(editions: Sequence[Edition], key: str | None) -> None:
    """Insist that the very versions in force were accepted by whoever sent ``key``.

    Raises:
        Invalid: none or others were, naming the field ``terms``.
    """
    if not editions or key == key_of(editions):
        return
    if not key:
        raise Invalid(_("Tick this to go on: nothing is done without it."), field="terms")
    raise Invalid(_("The terms have changed meanwhile. Please read the new ones."), field="terms")


async def accept(
    session: AsyncSession, user_id: UUID, editions: Sequence[Edition], key: str | None
) -> None:
    """Note that a person accepted ``editions``, as the page said that sent ``key``.

    Raises:
        Invalid: the page said so of none or of others, naming the field ``terms``.
    """
    insist_accepted(editions, key)
    for each in editions:
        row = insert(TermsAcceptance).values(
            id=new_id(),
            user_id=user_id,
            kind=each.kind,
            number=each.number,
            locale=each.language,
            digest=each.digests[each.language],
            address=origin.neighbourhood(),
        )
        await session.execute(row.on_conflict_do_nothing())
    if editions:
        detail = {"versions": key_of(editions)}
        await audit.record(session, "core.terms_accepted", "user", user_id, detail)


async def accepted_now(session: AsyncSession, person: Identity, key: str | None) -> None:
    """Before a customer buys: note what they accept with it, if anything is due.

    Raises:
        Invalid: something is due and was not accepted, naming the field ``terms``.
    """
    if person.role is Role.MEMBER:
        await accept(session, person.user_id, await asked_of(session, person), key)


async def asked_of(session: AsyncSession, person: Identity) -> Sequence[Edition]:
    """What a person who buys has to accept with it; staff have nothing to."""
    if person.role is not Role.MEMBER:
        return ()
    return (await due(session, person.user_id)).editions


async def insist_not_overdue(session: AsyncSession, person: Identity) -> None:
    """Insist that a person has accepted what had to be accepted by now.

    Raises:
        TermsDue
    """
    if person.role is Role.MEMBER and (await due(session, person.user_id)).overdue:
        raise TermsDue


async def _in_force(session: AsyncSession) -> list[Edition]:
    query = _editions().where(TermsVersion.valid_from <= clock.now())
    return [Edition(*row) for row in await session.execute(query)]


def _newest(editions: Sequence[Edition]) -> dict[str, Edition]:
    newest: dict[str, Edition] = {}
    for each in editions:  # the newest of a kind comes first
        newest.setdefault(each.kind, each)
    return newest


def _check(
    kind: str,
    texts: Mapping[str, str],
    before: Sequence[Edition],
    valid_from: datetime,
    accept_by: datetime | None,
    *,
    must_accept: bool,
) -> None:
    if kind not in KINDS:
        raise Invalid(_("Choose terms or privacy"), field="kind")
    if unknown := set(texts) - set(LOCALES):
        raise Invalid(_("We do not speak this language"), field=f"text_{min(unknown)}")
    if not texts:
        raise Invalid(_("Write the text in one language at least"), field="text_en")
    for code, text in texts.items():
        if len(text) > LONGEST:
            raise Invalid(_("Write at most 100,000 characters"), field=f"text_{code}")
    if before and valid_from < before[0].valid_from:
        raise Invalid(
            _("A version before this one begins later; begin with it or after it"),
            field="valid_from",
        )
    if accept_by is not None and not must_accept:
        raise Invalid(
            _("What need not be accepted again has no last day for it"), field="accept_by"
        )
    if accept_by is not None and accept_by < valid_from:
        raise Invalid(_("Choose a day after the version begins"), field="accept_by")


def _spoken(known: Mapping[str, str]) -> str:
    """Of the languages of a text the reader's, else English, else the one there is."""
    return next((code for code in (locale(), DEFAULT_LOCALE) if code in known), min(known))
