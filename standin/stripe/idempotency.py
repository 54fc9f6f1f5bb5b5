"""Idempotency-Key as Stripe documents it (docs: API reference, "Idempotent requests")."""

import hashlib
import json
import time
from collections.abc import Awaitable, Callable

from standin.stripe.state import State
from standin.stripe.wire import ApiError, Call, Reply

_KEPT_FOR = 24 * 3600.0


class Idempotency:
    """Replays the first answer of a key, per account; one request of a key at a time."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._running: set[tuple[str, str]] = set()

    async def once(self, call: Call, run: Callable[[Call], Awaitable[Reply]]) -> Reply:
        """Run the call, unless its key has been answered before or is being answered now."""
        key = call.idempotency_key
        if key is None or call.method != "POST":
            return await run(call)
        if len(key) > 255:
            raise ApiError(400, "Idempotency-Key is longer than 255 characters.")
        if (call.account, key) in self._running:
            raise ApiError(
                409,
                "There is currently another in-progress request using this Idempotency-Key.",
                kind="idempotency_error",
                code="idempotency_key_in_use",
            )
        self._state.forget_before("idempotency", time.time() - _KEPT_FOR)
        if kept := self._state.get("idempotency", call.account, key):
            return self._replay(kept, call)
        self._running.add((call.account, key))
        try:
            reply = await run(call)
        finally:
            self._running.discard((call.account, key))
        self._keep(call, key, reply)
        return reply

    def _keep(self, call: Call, key: str, reply: Reply) -> None:
        # What never began to run is not kept: a request refused as invalid may be mended.
        if reply.status in (400, 401, 404, 409, 429):
            return
        kept = {"fingerprint": _fingerprint(call), "status": reply.status, "body": reply.body}
        self._state.put("idempotency", call.account, key, kept)

    @staticmethod
    def _replay(kept: dict[str, object], call: Call) -> Reply:
        if kept["fingerprint"] != _fingerprint(call):
            raise ApiError(
                400,
                "Keys for idempotent requests can only be used with the same parameters they"
                " were first used with.",
                kind="idempotency_error",
            )
        body = kept["body"]
        assert isinstance(body, dict)
        return Reply(int(str(kept["status"])), body, {"Idempotent-Replayed": "true"})


def _fingerprint(call: Call) -> str:
    said = json.dumps([call.method, call.path, call.params], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()
