"""SPF, DKIM and DMARC as they are found: what is right, and what has to be changed."""

from __future__ import annotations

import pytest

from tenants.domains.records import State
from tenants.senders import dkim, dmarc, keys, spf
from tenants.senders.findings import Advice
from tests.dns import NameServer
from tests.tenants.senders.conftest import fresh, in_pieces

OURS = "include:spf.atrium.example"


@pytest.fixture
async def zone(dns: NameServer) -> NameServer:
    """A DNS that knows our own servers."""
    dns.zone["spf.atrium.example", "TXT"] = ["v=spf1 ip4:192.0.2.0/24 -all"]
    return dns


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ((), f"v=spf1 {OURS} ~all"),
        (("v=spf1 mx -all",), f"v=spf1 mx {OURS} -all"),
        (("v=spf1 mx redirect=_spf.x.example",), f"v=spf1 mx {OURS} redirect=_spf.x.example"),
        (("v=spf1 mx -all", "v=spf1 a mx ~all"), f"v=spf1 mx a {OURS} -all"),
        ((f"v=spf1 {OURS} mx ?all",), f"v=spf1 {OURS} mx ?all"),
        (("v=spf1 -all",), f"v=spf1 {OURS} -all"),
    ],
)
def test_what_to_publish_is_one_record_with_ours_in_it(
    texts: tuple[str, ...], expected: str
) -> None:
    """Before the end of theirs, which stays; of several, one is made."""
    assert spf.merged(texts, OURS) == expected


@pytest.mark.parametrize(
    ("texts", "advice"),
    [
        ([f"v=spf1 {OURS} -all"], None),
        ([f"v=SPF1 +{OURS.upper()} -all", "google-verification=1"], None),
        (["v=spf1 include:theirs.example -all"], None),
        (["v=spf1 redirect=theirs.example"], None),
        (["v=spf1 mx -all"], Advice.SPF_WITHOUT_US),
        ([f"v=spf1 -all {OURS}"], Advice.SPF_WITHOUT_US),
        ([f"v=spf1 -{OURS} ~all"], Advice.SPF_WITHOUT_US),
        (["v=spf1 ?include:theirs.example -all"], Advice.SPF_WITHOUT_US),
        ([f"v=spf1 {OURS} -all", "v=spf1 mx -all"], Advice.SPF_SEVERAL),
        ([f"v=spf1 include:nowhere.example {OURS} -all"], Advice.SPF_BROKEN),
        (["v=spf1 " + "a:x.example " * 9 + f"mx {OURS} -all"], Advice.SPF_TOO_MANY_LOOKUPS),
        (["v=spf1 " + "a:x.example " * 10 + "-all"], Advice.SPF_TOO_MANY_LOOKUPS),
        (["v=spf1 " + "a:x.example " * 9 + f"{OURS} -all"], None),
        (["v=spf1 include:loop.example -all"], Advice.SPF_TOO_MANY_LOOKUPS),
    ],
)
async def test_spf_as_receivers_read_it(
    zone: NameServer, texts: list[str], advice: Advice | None
) -> None:
    """Ours counts before the "all" only, also inside of includes; beyond ten look-ups nothing."""
    domain = fresh()
    zone.zone["theirs.example", "TXT"] = [f"v=spf1 {OURS} mx ~all"]
    zone.zone["loop.example", "TXT"] = ["v=spf1 include:loop.example -all"]
    zone.zone[domain, "TXT"] = texts
    found = await spf.look(zone.resolver(), domain, OURS)
    assert found.advice is advice
    assert found.state is (State.DIFFERENT if advice else State.RIGHT)


async def test_a_domain_without_spf_is_told_a_whole_record(zone: NameServer) -> None:
    """Other texts at the same name are none of it."""
    domain = fresh()
    zone.zone[domain, "TXT"] = ["v=spf10 is something else"]
    found = await spf.look(zone.resolver(), domain, OURS)
    assert (found.state, found.publish) == (State.MISSING, f"v=spf1 {OURS} ~all")


async def test_dkim_faults_are_told_apart() -> None:
    """Another key, a part of ours, quotation marks, two records, a withdrawn one, none."""
    ours, other = await keys.fresh(), await keys.fresh()
    whole = keys.record_of(ours.public)
    cases = {
        (whole,): None,
        (f"p={ours.public[:200]} {ours.public[200:]};k=rsa",): None,
        (keys.record_of(other.public),): Advice.DKIM_OTHER_KEY,
        (whole[:255],): Advice.DKIM_CUT,
        (f'"{whole[:255]}" "{whole[255:]}"',): Advice.DKIM_CUT,
        (whole[:255], whole[255:]): Advice.DKIM_TWO_RECORDS,
        ("v=DKIM1; k=rsa; p=",): Advice.DKIM_REVOKED,
        ("hello",): Advice.DKIM_NO_KEY,
    }
    for texts, advice in cases.items():
        found = dkim.judged(texts, ours.public)
        assert found.advice is advice, texts
        assert (found.state is State.RIGHT) == (advice is None)
    assert dkim.judged((), ours.public).state is State.MISSING


async def test_a_key_in_pieces_is_one_key(zone: NameServer) -> None:
    """As every name server has to cut it."""
    pair, domain = await keys.fresh(), fresh()
    text = keys.record_of(pair.public)
    assert len(text) > keys.LONGEST_STRING
    assert all(len(each) <= 255 for each in keys.strings_of(text).strip('"').split('" "'))
    zone.zone[f"s1._domainkey.{domain}", "TXT"] = [in_pieces(text)]
    found = await dkim.look(zone.resolver(), "s1", domain, pair.public)
    assert found.state is State.RIGHT


@pytest.mark.parametrize(
    ("texts", "state", "advice"),
    [
        ([], State.MISSING, None),
        (["v=DMARC1; p=none"], State.RIGHT, None),
        (["v=DMARC1; p=reject; aspf=s; adkim=s"], State.RIGHT, Advice.DMARC_REJECTS),
        (["v=DMARC1; p=none", "v=DMARC1; p=reject"], State.DIFFERENT, Advice.DMARC_SEVERAL),
        (["v=DMARC1; rua=mailto:x@y.example"], State.DIFFERENT, Advice.DMARC_NO_POLICY),
    ],
)
async def test_dmarc_is_explained(
    zone: NameServer, texts: list[str], state: State, advice: Advice | None
) -> None:
    """Its policy is said; two records are none."""
    domain = fresh()
    zone.zone[f"_dmarc.{domain}", "TXT"] = texts
    found = await dmarc.look(zone.resolver(), domain)
    assert (found.state, found.advice) == (state, advice)


async def test_a_subdomain_has_the_policy_of_its_registered_domain(zone: NameServer) -> None:
    """Unless it has one of its own."""
    domain = fresh()
    zone.zone[f"_dmarc.{domain}", "TXT"] = ["v=DMARC1; p=quarantine"]
    found = await dmarc.look(zone.resolver(), f"mail.{domain}")
    assert found.facts == {"policy": "quarantine"}
