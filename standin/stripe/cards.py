"""Stripe's published test cards: what each number and each `pm_card_…` name does."""

import datetime
import re
from dataclasses import dataclass

from standin.stripe.wire import ApiError, Params


@dataclass(frozen=True)
class Refusal:
    """How a bank says no."""

    code: str
    decline_code: str
    message: str


_DECLINED = "Your card was declined."
REFUSALS = {
    "4000000000000002": Refusal("card_declined", "generic_decline", _DECLINED),
    "4000000000009995": Refusal(
        "card_declined", "insufficient_funds", "Your card has insufficient funds."
    ),
    "4000000000009987": Refusal("card_declined", "lost_card", _DECLINED),
    "4000000000009979": Refusal("card_declined", "stolen_card", _DECLINED),
    "4000000000000069": Refusal("expired_card", "expired_card", "Your card has expired."),
    "4000000000000127": Refusal(
        "incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect."
    ),
    "4000000000000119": Refusal(
        "processing_error",
        "processing_error",
        "An error occurred while processing your card. Try again in a little bit.",
    ),
    "4000008260003178": Refusal(
        "card_declined", "insufficient_funds", "Your card has insufficient funds."
    ),
}
# localstripe lets these through when charging; this one it refuses, so it stands in for them.
REFUSED_BY_LOCALSTRIPE = "4000000000000341"
_REFUSED_AFTER_3DS = "4000008260003178"
ASK_EACH_TIME = {"4000002760003184", "4000000000003220", _REFUSED_AFTER_3DS}
ASK_ONCE = {"4000002500003155"}
"""Its bank wants to ask when the card is set up, and not again off session."""

NAMED = {
    "pm_card_visa": "4242424242424242",
    "pm_card_mastercard": "5555555555554444",
    "pm_card_chargeDeclined": "4000000000000002",
    "pm_card_visa_chargeDeclined": "4000000000000002",
    "pm_card_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_visa_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_visa_chargeDeclinedLostCard": "4000000000009987",
    "pm_card_visa_chargeDeclinedStolenCard": "4000000000009979",
    "pm_card_chargeDeclinedExpiredCard": "4000000000000069",
    "pm_card_chargeDeclinedIncorrectCvc": "4000000000000127",
    "pm_card_chargeDeclinedProcessingError": "4000000000000119",
    "pm_card_chargeCustomerFail": "4000000000000341",
    "pm_card_authenticationRequired": "4000002760003184",
    "pm_card_authenticationRequiredOnSetup": "4000002500003155",
    "pm_card_threeDSecure2Required": "4000000000003220",
    "pm_card_threeDSecureRequired": "4000000000003220",
    "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds": "4000008260003178",
}


def body_of(refusal: Refusal) -> Params:
    """A refusal as Stripe's errors have it."""
    return {
        "code": refusal.code,
        "decline_code": refusal.decline_code,
        "message": refusal.message,
    }


def card_params(number: str) -> Params:
    """A valid card with this number."""
    year = datetime.datetime.now(datetime.UTC).year + 4
    return {"number": number, "exp_month": 12, "exp_year": year, "cvc": "123"}


def checked(card: Params) -> Params:
    """The card as typed, tidied; raises Stripe's error that names the wrong part."""
    number = re.sub(r"[\s-]", "", str(card.get("number", "")))
    if not re.fullmatch(r"[0-9]{16}", number) or not _luhn(number):
        raise _wrong("number", "incorrect_number", "Your card number is incorrect.")
    # localstripe's page writes "20" before whatever was typed: 2034 in full arrives as 202034.
    month, year = _int(card.get("exp_month")), _int(str(card.get("exp_year"))[-4:])
    if not 1 <= month <= 12:
        raise _wrong(
            "exp_month", "invalid_expiry_month", "Your card's expiration month is invalid."
        )
    year += 2000 if 0 < year < 100 else 0
    today = datetime.datetime.now(datetime.UTC)
    if not (today.year, today.month) <= (year, month) < (today.year + 50, 1):
        raise _wrong("exp_year", "invalid_expiry_year", "Your card's expiration year is invalid.")
    cvc = str(card.get("cvc", ""))
    if not re.fullmatch(r"[0-9]{3}", cvc):
        raise _wrong("cvc", "invalid_cvc", "Your card's security code is invalid.")
    return card | {"number": number, "exp_month": month, "exp_year": year, "cvc": cvc}


def for_localstripe(card: Params) -> tuple[Params, Refusal | None]:
    """The card to give localstripe so that it behaves as this number should."""
    number = card["number"]
    refusal = REFUSALS.get(number)
    if refusal is None or number == _REFUSED_AFTER_3DS:
        return card, refusal
    return card | {"number": REFUSED_BY_LOCALSTRIPE}, refusal


def _wrong(param: str, code: str, message: str) -> ApiError:
    return ApiError(402, message, kind="card_error", code=code, param=param)


def _int(value: object) -> int:
    text = str(value)
    return int(text) if re.fullmatch(r"[0-9]{1,4}", text) else 0


def _luhn(number: str) -> bool:
    digits = [int(digit) for digit in reversed(number)]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
