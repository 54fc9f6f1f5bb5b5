"""Who is asking, and whose things are whose.

localstripe has one store for everybody. Here every object is stamped with the account whose key
made it; a request that names another account's object is answered as if it did not exist. The
keys of one account share what follows the prefix: `sk_test_x` and `pk_test_x` are one account.
"""

import base64
import hashlib
import re
from typing import Any

from standin.stripe.state import State
from standin.stripe.wire import ApiError, Params, missing

_SECRET = re.compile(r"(?:sk|rk)_test_([A-Za-z0-9_]+)")
_PUBLISHABLE = re.compile(r"pk_test_([A-Za-z0-9_]+)")
_ID = re.compile(r"(?:pi|pm|ch|cus|card|re|seti|src|tok|sub|in|ii|txn|evt|we)_[A-Za-z0-9]{14,}")
# What a page may do with the publishable key alone.
_PUBLIC = re.compile(
    r"/v1/(tokens|payment_methods|sources|payment_intents/\w+/_authenticate"
    r"|setup_intents/\w+/(confirm|cancel))"
)


def account_of(authorization: str, method: str, path: str, params: Params) -> str:
    """The account of a request by its secret key, or its publishable key where that suffices."""
    key = _key(authorization) or str(params.pop("key", ""))
    params.pop("key", None)
    if found := _SECRET.fullmatch(key):
        if found[1].startswith("invalid"):
            raise _refused(key)
        return _account(found[1])
    if (found := _PUBLISHABLE.fullmatch(key)) and method == "POST" and _PUBLIC.fullmatch(path):
        return _account(found[1])
    raise _refused(key)


def _account(suffix: str) -> str:
    return "acct_" + hashlib.sha256(suffix.encode()).hexdigest()[:16]


def _key(authorization: str) -> str:
    scheme, _, rest = authorization.partition(" ")
    if scheme == "Basic":
        return base64.b64decode(rest).decode().partition(":")[0]
    return rest if scheme == "Bearer" else ""


def _refused(key: str) -> ApiError:
    if not key:
        return ApiError(401, "You did not provide an API key.")
    shown = f"{key[:8]}{'*' * 8}{key[-4:]}" if len(key) > 16 else key[:8] + "…"
    return ApiError(401, f"Invalid API Key provided: {shown}")


class Ownership:
    """The stamp on every object."""

    def __init__(self, state: State) -> None:
        self._state = state

    def stamp(self, account: str, body: Any) -> None:
        """Mark every object in a reply as the account's, unless it is marked already."""
        if isinstance(body, list):
            for item in body:
                self.stamp(account, item)
        elif isinstance(body, dict):
            key = body.get("id")
            if isinstance(key, str) and self._state.owner("object", key) is None:
                self._state.put("object", account, key, {})
            for item in body.values():
                if isinstance(item, dict | list):
                    self.stamp(account, item)

    def owns(self, account: str, key: str) -> bool:
        """Whether an object is the account's."""
        return self._state.owner("object", key) == account

    def check(self, account: str, path: str, params: Params) -> None:
        """Refuse a request that names an object which is not the account's."""
        for segment in path.split("/"):
            if _ID.fullmatch(segment) and not self.owns(account, segment):
                raise missing("object", segment)
        self._check_values(account, params)

    def _check_values(self, account: str, value: Any) -> None:
        if isinstance(value, dict):
            # Metadata is the caller's own text, whatever it looks like.
            for name, item in value.items():
                if name != "metadata":
                    self._check_values(account, item)
        elif isinstance(value, list):
            for item in value:
                self._check_values(account, item)
        elif isinstance(value, str) and _ID.fullmatch(value) and not self.owns(account, value):
            raise missing("object", value)
