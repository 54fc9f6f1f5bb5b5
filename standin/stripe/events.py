"""Events: what happened, kept and listed per account, and handed to the webhooks."""

import time
from collections.abc import Callable

from standin.stripe.state import State
from standin.stripe.wire import ApiError, Call, Params, Reply, created_within, missing, new_id, page

API_VERSION = "2026-10-28.endive"


class Events:
    """The Event API; `on_record` is told of every new one."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.on_record: Callable[[str, Params], None] = lambda account, event: None

    def record(self, call: Call, name: str, subject: Params) -> None:
        """Note that something happened to an object, with the object as it is now."""
        event: Params = {
            "id": new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": int(time.time()),
            "type": name,
            "livemode": False,
            "pending_webhooks": 0,
            "request": {"id": call.request_id, "idempotency_key": call.idempotency_key},
            "data": {"object": subject},
        }
        self._state.put("event", call.account, event["id"], event)
        self.on_record(call.account, event)

    async def handle(self, call: Call) -> Reply:
        """Any request under /v1/events."""
        match call.method, call.segments[1:]:
            case "GET", ():
                return Reply(200, page("/v1/events", self._matching(call), call.params))
            case "GET", (key,):
                event = self._state.get("event", call.account, key)
                if event is None:
                    raise missing("event", key)
                return Reply(200, event)
        raise ApiError(404, f"Unrecognized request URL ({call.method}: {call.path}).")

    def _matching(self, call: Call) -> list[Params]:
        names = call.params.get("types") or [call.params.get("type")]
        return [
            event
            for event in self._state.newest("event", call.account)
            if (names == [None] or event["type"] in names)
            and created_within(event, call.params.get("created"))
        ]
