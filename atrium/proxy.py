"""``atrium proxy caddyfile``: how Caddy has to be set up before Atrium."""

from __future__ import annotations

from typing import Final

import click

from core.settings import Settings
from core.web.tls import PATH

_FILE: Final = """\
# Made by `atrium proxy caddyfile`. Certificates are got when a name is first asked for, and only
# for names that Atrium knows: subdomains of {base_domain}, and domains that were proved.
{{
	admin off
	storage file_system {data}
	http_port {http_port}
	https_port {https_port}
{options}	on_demand_tls {{
		ask {upstream}{ask}
	}}
}}

https:// {{
	tls{issuer} {{
		on_demand
	}}
	respond /internal/* 404
	reverse_proxy {upstream}
}}

http:// {{
	# Health checks come without certificates; everybody else is led to https.
	handle /health/* {{
		reverse_proxy {upstream}
	}}
	handle {{
		redir https://{{host}}{port}{{uri}} 308
	}}
}}
"""


@click.group()
def proxy() -> None:
    """Set up the proxy that stands before the web processes."""


@proxy.command()
@click.option("--email", default="", help="Whom the certificate authority may write to.")
@click.option("--upstream", default="", help="A web process; else the one of these settings.")
@click.option("--data", default="/var/lib/caddy/atrium", show_default=True, help="Its folder.")
@click.option("--http-port", default=80, show_default=True)
@click.option("--https-port", default=443, show_default=True)
@click.option("--internal", is_flag=True, help="By Caddy's own authority: for tests.")
def caddyfile(
    email: str, upstream: str, data: str, http_port: int, https_port: int, internal: bool
) -> None:
    """Print a Caddyfile for these settings.

    Caddy says to Atrium who asks (X-Forwarded-For), and believes nobody else who says so; put its
    address into ATRIUM_TRUSTED_PROXIES.
    """
    settings = Settings.from_environment()
    click.echo(
        written(
            settings,
            upstream=upstream or f"{settings.bind}:{settings.port}",
            data=data,
            http_port=http_port,
            https_port=https_port,
            options=[
                *([f"email {email}"] if email else []),
                *(["skip_install_trust"] if internal else []),
            ],
            issuer="internal" if internal else "",
        ),
        nl=False,
    )


def written(
    settings: Settings,
    *,
    upstream: str,
    data: str,
    http_port: int,
    https_port: int,
    options: list[str],
    issuer: str,
) -> str:
    """The file; ``upstream`` is host:port, ``issuer`` empty for the public authorities."""
    return _FILE.format(
        base_domain=settings.base_domain,
        upstream=f"http://{upstream}",
        data=data,
        http_port=http_port,
        https_port=https_port,
        port="" if https_port == 443 else f":{https_port}",
        options="".join(f"\t{each}\n" for each in options),
        issuer=f" {issuer}" if issuer else "",
        ask=PATH,
    )
