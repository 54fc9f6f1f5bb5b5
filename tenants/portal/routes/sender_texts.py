"""What to say of a sender's records: their names, what was found, and what to change."""

from __future__ import annotations

from typing import Final

from core.i18n import LazyText, _, fill
from tenants.domains.records import State
from tenants.senders import records
from tenants.senders.findings import Advice, Finding
from tenants.senders.trial import Signature, Trial
from tenants.senders.views import Status

STATUS_NAMES: Final = {
    Status.WAITING: _("Waiting for its records"),
    Status.TAKEN: _("Another business has it"),
    Status.WORKING: _("Works"),
    Status.FAILING: _("Its records are wrong"),
    Status.FALLEN_BACK: _("Not used: its records are wrong"),
}
HEADINGS: Final = {
    records.OWNERSHIP: _("1. Prove that the domain is yours"),
    records.SPF: _("2. SPF: let our mail server send for you"),
    records.DKIM: _("3. DKIM: show the key that signs your letters"),
    records.DMARC: _("4. DMARC: say what to do with letters that are not proved (recommended)"),
}
STATE_NAMES: Final = {
    State.RIGHT: _("Found, and right"),
    State.MISSING: _("Not found yet"),
    State.DIFFERENT: _("Found, but not right"),
    State.UNKNOWN: _("DNS did not answer"),
}
_ADVICE: Final = {
    Advice.SPF_SEVERAL: _(
        "There are {count} SPF records. Receivers believe none of them then: delete all but one,"
        " and give that one the value above."
    ),
    Advice.SPF_WITHOUT_US: _(
        "This record does not let our mail server send. Do not add a second one: change it to the"
        " value above."
    ),
    Advice.SPF_TOO_MANY_LOOKUPS: _(
        "Receivers follow at most 10 look-ups, and this record takes {count} with ours. Take out"
        " services that you no longer use."
    ),
    Advice.SPF_BROKEN: _(
        "“{term}” leads to no SPF record, or to several: receivers stop there. Correct it or take"
        " it out."
    ),
    Advice.DKIM_OTHER_KEY: _("This is another key. Replace the value by the one above."),
    Advice.DKIM_CUT: _(
        "This is our key, but not whole: it was cut off, or quotation marks became part of it."
        " Enter the value in pieces of at most 255 characters, as shown above."
    ),
    Advice.DKIM_TWO_RECORDS: _(
        "There are {count} records at this name. Make it one record; if the value is too long,"
        " that one record has several pieces in quotation marks, as shown above."
    ),
    Advice.DKIM_REVOKED: _("This record says that the key was withdrawn. Replace its value."),
    Advice.DKIM_NO_KEY: _("This is no DKIM record. Replace its value by the one above."),
    Advice.DMARC_SEVERAL: _(
        "There are {count} DMARC records, so receivers ignore them. Delete all but one."
    ),
    Advice.DMARC_NO_POLICY: _("This record has no policy: p= must be none, quarantine or reject."),
    Advice.DMARC_REJECTS: _(
        "It asks receivers for “{policy}” where neither SPF nor DKIM is right and of the same"
        " domain. Letters from here are both, even where it asks for a strict match."
    ),
    Advice.PROOF_OTHER: _("This is the proof of somebody else, or an old one. Change the value."),
}
_SIGNATURES: Final = {
    Signature.RIGHT: _("Its signature is right by the key in your DNS."),
    Signature.WRONG: _("Its signature is not right by what your DNS shows: check the records."),
    Signature.UNKNOWN: _("DNS did not answer, so its signature could not be checked."),
}


def advice(found: Finding | None) -> LazyText | str | None:
    """What to change, or to know."""
    if found is None or found.advice is None:
        return None
    return fill(_ADVICE[found.advice], **found.facts)


def outcome(trial: Trial, to: str) -> str:
    """What became of a letter to oneself."""
    if trial.caught:
        first = fill(_("No mail server is set here: the letter to {to} was caught."), to=to)
    elif trial.outcome.reason is None:
        first = fill(_("The mail server took the letter to {to}."), to=to)
    else:
        reason = trial.outcome.reason
        first = fill(_("The mail server did not take the letter: {reason}."), reason=reason)
    return f"{first} {_SIGNATURES[trial.signature]}"
