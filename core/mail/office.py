"""The post office of this process: its templates, and the server it hands letters to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from jinja2 import Environment, TemplateNotFound

from core.breaker import Breaker
from core.i18n import reading_in
from core.scope import Sender, Tenant, current
from core.settings import Settings
from core.web.templating import environment


class MalformedLetter(ValueError):
    """A letter's text template that does not begin with ``Subject:``."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What a template made of its context."""

    subject: str
    text: str
    html: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """From whom a letter comes, where answers go if not there, and whose key signs it."""

    name: str
    address: str
    reply_to: str | None = None
    signed_by: Sender | None = None


@dataclass(frozen=True, slots=True)
class Office:
    """``smtp_url`` empty means that letters are caught, to be read at /dev/mail."""

    templates: Environment
    smtp_url: str
    sender: str
    address_of: Callable[[Tenant, str], str]
    """Where a tenant has a path: letters need whole addresses."""
    breaker: Breaker = field(default_factory=lambda: Breaker(pause=30.0))
    """Keeps a queue of letters from waiting one by one for a server that is down."""

    def write(
        self, template: str, tenant: Tenant, locale: str, context: Mapping[str, Any]
    ) -> Letter:
        """The letter ``template`` in the recipient's language.

        Raises:
            MalformedLetter: the text does not begin with ``Subject:``.
        """
        with reading_in(locale):
            logo = tenant.brand.logo and self.address_of(tenant, tenant.brand.logo)
            known = {
                "tenant": tenant,
                "locale": locale,
                "logo": logo,
                "address_of": lambda path: self.address_of(tenant, path),
                **context,
            }
            text = self.templates.get_template(f"{template}.txt").render(known)
            head, _, body = text.lstrip().partition("\n")
            if not head.startswith("Subject:"):
                raise MalformedLetter(f"{template}.txt must begin with 'Subject: …'")
            subject = " ".join(head.removeprefix("Subject:").split())
            letter = Letter(subject, body.strip() + "\n", None)
            return Letter(letter.subject, letter.text, self._html(template, letter, known))

    def _html(self, template: str, letter: Letter, known: Mapping[str, Any]) -> str:
        try:
            page = self.templates.get_template(f"{template}.html")
        except TemplateNotFound:
            page = self.templates.get_template("mail/plain.html")
        return page.render(known, subject=letter.subject, text=letter.text)

    def heading(self, tenant: Tenant) -> Heading:
        """From whom a tenant's letters come: from its own address if it has proved one, else by
        its name from ours. Answers reach it at its own either way."""
        own, ours = tenant.sender, parseaddr(self.sender)[1]
        if own is None:
            return Heading(name=tenant.name, address=ours)
        name = own.name or tenant.name
        if own.fallen_back:
            return Heading(name=name, address=ours, reply_to=own.reply_to or own.address)
        return Heading(name=name, address=own.address, reply_to=own.reply_to, signed_by=own)


_installed: list[Office] = []


def install(settings: Settings, templates: Iterable[Path]) -> None:
    """Open the office of this process, for letters in the folders ``templates``: for the
    composition root.

    Raises:
        ValueError: no mail server is set, and this is no development machine, where letters
            that are only caught would be lost unseen.
    """
    if not settings.smtp_url and not settings.development:
        raise ValueError("ATRIUM_SMTP_URL is not set: outside development letters must be sent")

    def address_of(tenant: Tenant, path: str) -> str:
        return settings.tenant_url(tenant.slug, path, host=tenant.host)

    _installed[:] = [
        Office(environment(templates), settings.smtp_url, settings.mail_from, address_of)
    ]


def address_of(path: str) -> str:
    """The whole address of a path of the current tenant's site, for readers of letters."""
    return office().address_of(current(), path)


def from_address() -> str:
    """From which address the current tenant's letters come."""
    return office().heading(current()).address


def office() -> Office:
    """The office of this process.

    Raises:
        RuntimeError: the composition root has not opened one.
    """
    if not _installed:
        raise RuntimeError("no post office is open; core.mail.install() opens it")
    return _installed[0]
