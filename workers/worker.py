"""The worker process: Dramatiq's threads hand the doorbell's calls to one event loop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from typing import Final
from uuid import UUID

import dramatiq
import structlog
from dramatiq import Broker, Middleware, Worker
from dramatiq.asyncio import get_event_loop_thread
from dramatiq.middleware import AsyncIO

from workers.broker import DELIVER, make_broker
from workers.registry import DEFAULT_QUEUE
from workers.runtime import Runtime

OpenRuntime = Callable[[], AbstractAsyncContextManager[Runtime]]
"""Opens what the runtime stands on; entered and left inside the worker's event loop."""

log = structlog.get_logger(__name__)

POLL_MILLISECONDS: Final = 100
"""How long an idle worker sleeps at most before it looks into Redis again."""


def reserve(threads: int) -> int:
    """How many more jobs a worker takes than one tenant may fill it with (``workers.relay``).

    When all ``threads`` are at a tenant's jobs of an hour, another's first job begins even so.
    Threads only wait for the event loop, so that some more of them cost next to nothing.
    """
    return max(1, threads // 4)


class RuntimeLife(Middleware):
    """Opens the runtime once the event loop runs, and closes it before the loop stops."""

    def __init__(self, open_runtime: OpenRuntime) -> None:
        self._opened = open_runtime()
        self.runtime: Runtime | None = None

    def before_worker_boot(self, broker: Broker, worker: Worker) -> None:
        loop = get_event_loop_thread()
        assert loop is not None
        self.runtime = loop.run_coroutine(self._opened.__aenter__())

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        loop = get_event_loop_thread()
        if loop is not None and self.runtime is not None:
            loop.run_coroutine(self._opened.__aexit__(None, None, None))


def run(redis_url: str, queues: Iterable[str], open_runtime: OpenRuntime, threads: int) -> None:
    """Work until SIGTERM or SIGINT; then finish what is in hand, and return.

    Raises:
        RuntimeError: the runtime could not be opened; the reason is in the log.
    """
    broker = make_broker(redis_url)
    life = RuntimeLife(open_runtime)
    broker.add_middleware(AsyncIO())
    broker.add_middleware(life, after=AsyncIO)
    _declare(broker, queues, life)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopping.set())
    hands = threads + reserve(threads)
    worker = Worker(broker, worker_threads=hands, worker_timeout=POLL_MILLISECONDS)
    worker.queue_prefetch = hands  # no message waits in a busy worker while another is idle
    worker.start()
    if life.runtime is None:  # Dramatiq logs what middleware raises, and carries on
        worker.stop()
        raise RuntimeError("the worker cannot start")
    log.info("worker.ready", threads=threads)
    stopping.wait()
    log.info("worker.stopping")
    worker.stop()
    broker.close()


def _declare(broker: Broker, queues: Iterable[str], life: RuntimeLife) -> None:
    async def deliver(message: str, tenant: str, actor: str, trace: str) -> None:
        assert life.runtime is not None
        await life.runtime.deliver(UUID(message), UUID(tenant), actor, trace)

    declare = dramatiq.actor(broker=broker, actor_name=DELIVER, queue_name=DEFAULT_QUEUE)
    declare(deliver)
    for queue in queues:
        broker.declare_queue(queue)
