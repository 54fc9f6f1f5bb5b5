"""What strangers may have us ask: the internet, and nothing beside us."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address

import pytest

from core.errors import Invalid
from core.origin import networks
from core.webhooks.reaching import Reach, is_public
from tests.core.webhooks.receiver import receiving

HERE = Reach(networks("127.0.0.0/8"))

BESIDE_US = [
    "127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "240.0.0.1",
    "192.88.99.1", "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::",
    "2001:db8::1", "2001::1", "64:ff9b:1::1",
]  # fmt: skip


@pytest.mark.parametrize("address", BESIDE_US)
def test_addresses_beside_us_are_not_public(address: str) -> None:
    """However they are written, and whoever translates them."""
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["9.9.9.9", "2620:fe::fe", "::ffff:9.9.9.9"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    """Else nobody would be told anything."""
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hook", "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/",
        "https://user:pass@example.com/", "https://example.com/#x", "https://example.com:22/",
        "https:///path", "ftp://example.com/", "https://[::ffff:169.254.169.254]/", "https://a b/",
    ],
)  # fmt: skip
def test_what_could_never_be_asked_is_refused_at_once(url: str) -> None:
    """While the form is there to mend it."""
    with pytest.raises(Invalid) as refused:
        Reach().check(url)
    assert [each.field for each in refused.value.errors] == ["url"]


async def test_names_that_lead_beside_us_are_not_asked() -> None:
    """The name is public to look at; where it leads is looked at when it is asked."""
    async with receiving() as program:
        for reach in (Reach(), Reach(networks("10.0.0.0/8"))):
            reach.check("https://localhost:8443/")
            outcome = await reach.post(f"https://localhost:{program.port}/", {}, "{}")
            assert outcome.problem == "not_public"
            plain = await reach.post(f"http://localhost:{program.port}/", {}, "{}")
            assert plain.problem == "not_public"
        assert program.heard == []


async def test_the_second_answer_of_the_dns_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The connection goes to the address that was looked at, whatever the name says by then."""
    asked: list[str] = []

    async def first_here(
        host: str | bytes | None, port: object, **_: object
    ) -> list[tuple[object, ...]]:
        asked.append(str(host))
        return [(2, 1, 6, "", ("127.0.0.1", 443))]

    async with receiving() as program:
        loop = asyncio.get_running_loop()
        real = loop.getaddrinfo

        async def by_name(host: str, *args: object, **more: object) -> object:
            if host == "moves.example":
                return await first_here(host, *args)
            return await real(host, *args, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(loop, "getaddrinfo", by_name)
        outcome = await HERE.post(f"http://moves.example:{program.port}/x", {}, "{}")
    assert outcome.is_good
    assert asked == ["moves.example"]
    assert program.heard[0][0]["host"] == f"moves.example:{program.port}"


async def test_redirects_are_not_followed() -> None:
    """They would lead wherever they like."""
    async with receiving("200 OK") as other, receiving("302 Found\r\nlocation: PLACE") as program:
        program.answers = [f"302 Found\r\nlocation: {other.url}"]
        outcome = await HERE.post(program.url, {}, "{}")
    assert (outcome.status, outcome.is_good, other.heard) == (302, False, [])


async def test_nobody_there_is_an_outcome() -> None:
    """Not an error of ours."""
    async with receiving() as program:
        url = program.url
    assert (await HERE.post(url, {}, "{}")).problem == "connection"
    nowhere = await HERE.post("https://nowhere.invalid/", {}, "{}")
    assert nowhere.problem == "no_address"
