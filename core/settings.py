"""Every setting of the software, read once from ``ATRIUM_*`` variables; nothing else reads them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Self, get_type_hints


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The variable of ``database_url`` is ``ATRIUM_DATABASE_URL``, and so on.

    Raises:
        ValueError: naming the variable that is missing or malformed.
    """

    database_url: str = field(repr=False)
    """The main database, as the application's NOINHERIT login."""
    provisioner_url: str = field(default="", repr=False)
    """The same database, as the login that makes roles, schemas and tables (workers and CLI)."""
    relay_url: str = field(default="", repr=False)
    """The same database, as the login that reads the outbox (relay and scheduler)."""
    redis_url: str = field(default="redis://127.0.0.1:6379/0", repr=False)

    pool_size: int = 16
    """Connections of one process to one database; a quarter as many again for hot reads."""
    pool_max_schemas: int = 200
    """A connection is replaced when it has worked in this many tenants' schemas ..."""
    pool_max_age: int = 1800
    """... and when it is this many seconds old."""
    statement_cache: bool = True
    """Whether connections keep prepared statements: not behind a transaction pooler."""
    jobs_in_flight: int = 8
    """Jobs with the workers at a time, of a tenant that is alone: as many as their threads."""

    warm_tenants: int | None = None
    """Empty scopes that wait for sign-ups, see ``warm_scopes``; 0: none is made in advance."""

    development: bool = False
    base_domain: str = "localhost"
    """The portal's host; tenants are its subdomains."""
    public_scheme: str = "https"
    public_port: int | None = None
    """The port people see, if it is not the scheme's own."""
    bind: str = "127.0.0.1"
    port: int = 8000

    trusted_proxies: str = ""
    """Networks, comma-separated, whose ``X-Forwarded-For`` is believed: ``10.0.0.0/8, ::1``."""

    domain_addresses: str = ""
    """IP addresses of the proxy, comma-separated, to which a business points a domain that can
    have no CNAME; without, it is told to make an ALIAS."""
    dns_servers: str = ""
    """Name servers that are asked for businesses' records (``9.9.9.9, 10.0.0.2:5353``); empty:
    this machine's own."""

    master_key_file: Path = Path("master.key")
    state_dir: Path = Path(".atrium")
    files_dir: Path = Path(".atrium/files")
    s3_bucket: str = ""
    """Tenants' files are in this bucket, not below ``files_dir``; what else is there stays."""
    s3_endpoint: str = ""
    """The address of a store that speaks S3; empty: Amazon's own."""
    s3_region: str = ""
    s3_access_key: str = field(default="", repr=False)
    """With ``s3_secret_key``; empty: what the machine is allowed by its role."""
    s3_secret_key: str = field(default="", repr=False)

    smtp_url: str = field(default="", repr=False)
    """``smtp://user:password@host:port``; empty: mail is caught and shown at /dev/mail."""
    mail_from: str = "Atrium <no-reply@localhost>"
    mail_spf: str = ""
    """What a business's SPF record has to say so that the mail server may send for it
    (``include:_spf.example.com``, ``ip4:192.0.2.7``); empty: an include of the domain of
    ``mail_from``."""

    stripe_api_base: str = "https://api.stripe.com"
    stripe_js_url: str = "https://js.stripe.com/v3/"
    webhook_url: str = ""
    """Where vendors reach us, if not at the portal's address; without a trailing slash."""

    webhooks_may_reach: str = ""
    """Networks, comma-separated, that businesses' webhooks may reach though they are not public,
    by plain http too: ``127.0.0.0/8`` for development and tests, nothing where strangers are."""

    import_bytes: int = 2_000_000_000
    """The largest archive that an owner may send to the portal; it may unpack to 20 times that."""

    closing_grace_days: int = 30
    """For so many days the closing of a tenant can be undone; then it is deleted."""

    access_log: bool = True
    """A log line for every request; without it only for those that fail."""
    otlp_endpoint: str = ""
    log_format: str = "json"
    """``json`` or ``console``."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Settings from ``ATRIUM_*`` variables."""
        hints = get_type_hints(cls)
        given: dict[str, object] = {}
        for each in fields(cls):
            variable = f"ATRIUM_{each.name.upper()}"
            if (text := environment.get(variable)) is not None:
                given[each.name] = _parse(variable, text, hints[each.name])
        if "database_url" not in given:
            raise ValueError("ATRIUM_DATABASE_URL is not set; `make up` sets it for development")
        return cls(**given)  # type: ignore[arg-type]  # parsed by the field's own type above

    @property
    def warm_scopes(self) -> int:
        """``warm_tenants``, or 10 if that is not set, and 2 in development."""
        if self.warm_tenants is not None:
            return self.warm_tenants
        return 2 if self.development else 10

    @property
    def public_url(self) -> str:
        """The portal's address without a trailing slash."""
        return f"{self.public_scheme}://{self.base_domain}{self._port_suffix}"

    def tenant_url(self, slug: str, path: str = "/", *, host: str | None = None) -> str:
        """The address of ``path`` at a tenant's ``host``, or else at its subdomain."""
        name = host or f"{slug}.{self.base_domain}"
        return f"{self.public_scheme}://{name}{self._port_suffix}{path}"

    @property
    def own_addresses(self) -> tuple[str, ...]:
        """``domain_addresses``, each."""
        return tuple(each.strip() for each in self.domain_addresses.split(",") if each.strip())

    @property
    def _port_suffix(self) -> str:
        return f":{self.public_port}" if self.public_port else ""


def _parse(variable: str, text: str, kind: object) -> object:
    if kind is bool:
        if text.lower() not in {"1", "0", "true", "false", "yes", "no"}:
            raise ValueError(f"{variable} must be true or false, not {text!r}")
        return text.lower() in {"1", "true", "yes"}
    if kind is int or kind == int | None:
        if not text.isdecimal():
            raise ValueError(f"{variable} must be a whole number, not {text!r}")
        return int(text)
    return Path(text) if kind is Path else text
