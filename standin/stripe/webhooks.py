"""Webhook endpoints and delivery: signed, retried until 2xx, and troublesome on order."""

import asyncio
import hashlib
import hmac
import ipaddress
import json
import logging
import random
import time
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout

from standin.stripe.events import API_VERSION
from standin.stripe.state import State
from standin.stripe.wire import ApiError, Call, Params, Reply, missing, new_id, page

_log = logging.getLogger(__name__)
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 30.0
_TRIES = 40


@dataclass
class Trouble:
    """How deliveries go wrong: each one sent `duplicates` times, after `delay` plus up to
    `jitter` seconds, the next `drop` attempts lost, or all held until released."""

    duplicates: int = 1
    delay: float = 0.0
    jitter: float = 0.0
    drop: int = 0
    hold: bool = False


class Webhooks:
    """The WebhookEndpoint API and the deliveries of one proxy."""

    def __init__(self, state: State, http: ClientSession) -> None:
        self._state = state
        self._http = http
        self.trouble = Trouble()
        self._held: list[tuple[str, str, Params]] = []
        self._running: set[asyncio.Task[None]] = set()

    async def handle(self, call: Call) -> Reply:
        """Any request under /v1/webhook_endpoints."""
        match call.method, call.segments[1:]:
            case "POST", ():
                return self._register(call)
            case "GET", ():
                shown = [_public(one) for one in self._state.newest("endpoint", call.account)]
                return Reply(200, page("/v1/webhook_endpoints", shown, call.params))
            case "GET", (key,):
                return Reply(200, _public(self._one(call, key)))
            case "POST", (key,):
                changed = self._one(call, key) | _wanted(call.params)
                self._state.put("endpoint", call.account, key, changed)
                return Reply(200, _public(changed))
            case "DELETE", (key,):
                self._one(call, key)
                self._state.delete("endpoint", call.account, key)
                return Reply(200, {"id": key, "object": "webhook_endpoint", "deleted": True})
        raise ApiError(404, f"Unrecognized request URL ({call.method}: {call.path}).")

    def event_recorded(self, account: str, event: Params) -> None:
        """Deliver a new event to each of the account's endpoints that wants it."""
        for endpoint in self._state.newest("endpoint", account):
            wanted = endpoint["enabled_events"]
            if endpoint["status"] == "enabled" and ("*" in wanted or event["type"] in wanted):
                delivery = f"{endpoint['id']}/{event['id']}"
                self._state.put("delivery", account, delivery, {})
                self._schedule(account, endpoint["id"], event)

    def resume(self) -> None:
        """Take up the deliveries that an earlier run left unfinished."""
        for account, delivery, _ in self._state.everyone("delivery"):
            endpoint, _, key = delivery.partition("/")
            event = self._state.get("event", account, key)
            if event is not None:
                self._schedule(account, endpoint, event)

    def release(self, order: str, duplicates: int, seed: int) -> int:
        """Send what was held, in an order of the test's choosing; how many were sent."""
        batch = self._held * duplicates
        self._held = []
        if order == "reverse":
            batch.reverse()
        elif order == "shuffle":
            # A test's shuffle is repeatable, not secret.
            random.Random(seed).shuffle(batch)  # noqa: S311
        self._start(self._one_after_another(batch))
        return len(batch)

    def again(self, account: str, event: Params) -> None:
        """Deliver an old event once more, as `stripe events resend` does."""
        self.event_recorded(account, event)

    @property
    def unfinished(self) -> int:
        """Deliveries not yet answered with 2xx, the held ones included."""
        return len(self._state.everyone("delivery"))

    async def stop(self) -> None:
        """Give up what is running; it is resumed by the next start."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _schedule(self, account: str, endpoint: str, event: Params) -> None:
        if self.trouble.hold:
            self._held.append((account, endpoint, event))
            return
        for _ in range(self.trouble.duplicates):
            # Spreads deliveries, keeps no secret.
            pause = self.trouble.delay + random.uniform(0, self.trouble.jitter)  # noqa: S311
            self._start(self._deliver(account, endpoint, event, pause))

    def _start(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _one_after_another(self, batch: list[tuple[str, str, Params]]) -> None:
        for account, endpoint, event in batch:
            await self._deliver(account, endpoint, event, 0.0)

    async def _deliver(self, account: str, endpoint: str, event: Params, pause: float) -> None:
        await asyncio.sleep(pause)
        wait = _FIRST_PAUSE
        for _ in range(_TRIES):
            target = self._state.get("endpoint", account, endpoint)
            if target is None or await self._accepted(target, event):
                break
            await asyncio.sleep(wait)
            wait = min(wait * 2, _LONGEST_PAUSE)
        self._state.delete("delivery", account, f"{endpoint}/{event['id']}")

    async def _accepted(self, endpoint: Params, event: Params) -> bool:
        if self.trouble.drop > 0:
            self.trouble.drop -= 1
            return False
        body = json.dumps(event, indent=2).encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (stand-in)",
            "Stripe-Signature": signature(body, endpoint["secret"], int(time.time())),
        }
        url, host = _reachable(endpoint["url"])
        try:
            async with self._http.post(
                url, data=body, headers=headers | {"Host": host}, timeout=ClientTimeout(10)
            ) as reply:
                return 200 <= reply.status < 300
        except (ClientError, TimeoutError, OSError) as error:
            _log.debug("webhook %s to %s failed: %s", event["type"], endpoint["id"], error)
            return False

    def _register(self, call: Call) -> Reply:
        url = str(call.params.get("url", ""))
        events = call.params.get("enabled_events")
        if not isinstance(events, list) or not events:
            raise ApiError(400, "Missing required param: enabled_events.", param="enabled_events")
        _reachable(url)
        made: Params = {
            "id": new_id("we"),
            "object": "webhook_endpoint",
            "api_version": call.params.get("api_version", API_VERSION),
            "created": int(time.time()),
            "description": call.params.get("description"),
            "enabled_events": events,
            "livemode": False,
            "metadata": call.params.get("metadata") or {},
            "status": "enabled",
            "url": url,
            "secret": new_id("whsec"),
        }
        self._state.put("endpoint", call.account, made["id"], made)
        # Stamped like any object, so that another account's key does not see it.
        self._state.put("object", call.account, made["id"], {})
        return Reply(200, made)

    def _one(self, call: Call, key: str) -> Params:
        endpoint = self._state.get("endpoint", call.account, key)
        if endpoint is None:
            raise missing("webhook_endpoint", key)
        return endpoint


def signature(body: bytes, secret: str, moment: int) -> str:
    """The Stripe-Signature header for a body sent at a Unix time."""
    signed = hmac.new(secret.encode(), b"%d." % moment + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={signed}"


def trouble_of(wish: Params) -> Trouble:
    """Trouble from its JSON form; what is left out is as it should be."""
    unknown = wish.keys() - asdict(Trouble()).keys()
    if unknown:
        raise ApiError(400, f"Unknown: {', '.join(sorted(unknown))}")
    return Trouble(**wish)


def _public(endpoint: Params) -> Params:
    # Stripe shows the secret once, when the endpoint is made.
    return {name: value for name, value in endpoint.items() if name != "secret"}


def _wanted(params: Params) -> Params:
    return {k: v for k, v in params.items() if k in {"url", "enabled_events", "metadata"}}


def _reachable(url: str) -> tuple[str, str]:
    """Where to send (an address of this machine) and the Host to say.

    A stand-in calls nobody outside; and `*.localhost`, which browsers resolve by themselves,
    is unknown to many a machine's resolver.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if parts.scheme not in ("http", "https"):
        raise ApiError(400, "Invalid URL: it must start with http:// or https://.", param="url")
    if host == "localhost" or host.endswith(".localhost"):
        address = "127.0.0.1"
    elif _is_loopback(host):
        address = f"[{host}]" if ":" in host else host
    else:
        raise ApiError(400, "This stand-in delivers to this machine only.", param="url")
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return f"{parts.scheme}://{address}:{port}{path}", parts.netloc


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
