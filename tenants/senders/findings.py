"""What was found of a sender's records: right or not, and if not, what has to be changed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

from tenants.domains.records import State

LONGEST_SHOWN: Final = 4
"""Records, so that what strangers put into DNS fills no page."""


class Advice(StrEnum):
    """What to say of a record beyond its state: why it is not right, or what to know of it."""

    SPF_SEVERAL = "spf_several"
    SPF_WITHOUT_US = "spf_without_us"
    SPF_TOO_MANY_LOOKUPS = "spf_too_many_lookups"
    SPF_BROKEN = "spf_broken"
    DKIM_OTHER_KEY = "dkim_other_key"
    DKIM_CUT = "dkim_cut"
    DKIM_TWO_RECORDS = "dkim_two_records"
    DKIM_REVOKED = "dkim_revoked"
    DKIM_NO_KEY = "dkim_no_key"
    DMARC_SEVERAL = "dmarc_several"
    DMARC_NO_POLICY = "dmarc_no_policy"
    DMARC_REJECTS = "dmarc_rejects"
    PROOF_OTHER = "proof_other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is at a record's place. ``publish`` is the whole value that should stand there, where
    it depends on what was found; ``facts`` are what the advice speaks of."""

    state: State
    found: tuple[str, ...] = ()
    publish: str | None = None
    advice: Advice | None = None
    facts: dict[str, str]

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Self:
        """As it was kept in the database."""
        return cls(
            state=State(kept["state"]),
            found=tuple(kept["found"]),
            publish=kept["publish"],
            advice=Advice(kept["advice"]) if kept["advice"] else None,
            facts=kept["facts"],
        )

    def keep(self) -> dict[str, Any]:
        """For the database."""
        return {
            "state": self.state.value,
            "found": list(self.found),
            "publish": self.publish,
            "advice": self.advice.value if self.advice else None,
            "facts": self.facts,
        }


def finding(
    state: State,
    found: tuple[str, ...] = (),
    advice: Advice | None = None,
    *,
    publish: str | None = None,
    **facts: object,
) -> Finding:
    """A finding whose ``found`` is cut to what can be shown."""
    shown = tuple(each[:500] for each in found[:LONGEST_SHOWN])
    said = {name: str(value) for name, value in facts.items()}
    return Finding(state=state, found=shown, publish=publish, advice=advice, facts=said)
