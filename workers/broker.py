"""Redis as a doorbell: it carries ids, and may lose every one of them."""

from __future__ import annotations

from typing import Final

import dramatiq.worker
from dramatiq import Message
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import BrokerConnectionError
from redis.exceptions import RedisError

from core.outbox import Envelope

DELIVER: Final = "deliver"
"""The one Dramatiq actor; it is told which message, whose, and of which of our actors."""

BROKER_AWAY: Final = (BrokerConnectionError, RedisError, OSError)

# Dramatiq reads these from the environment; ours is read by core.settings alone.
dramatiq.worker.CONSUMER_RESTART_DELAY_SECS = 1.0
dramatiq.worker.POST_PROCESS_MESSAGE_RETRY_DELAY_SECS = 1


def make_broker(redis_url: str) -> RedisBroker:
    """A broker without Dramatiq's own retries, age limits and time limits: ours are in the outbox.

    What a killed worker had in hand comes back after the heartbeat's time-out, at the next
    maintenance, which one command in ten brings along.
    """
    return RedisBroker(  # type: ignore[no-untyped-call]  # Dramatiq leaves it without types
        url=redis_url,
        middleware=[],
        namespace="atrium",
        heartbeat_timeout=10_000,
        maintenance_chance=100_000,
        socket_connect_timeout=2,
        socket_timeout=5,
    )


def ring(broker: RedisBroker, queue: str, envelope: Envelope, trace: str) -> None:
    """Tell a worker that there is a message. Blocking."""
    broker.enqueue(
        Message(
            queue_name=queue,
            actor_name=DELIVER,
            args=(str(envelope.id), str(envelope.tenant), envelope.actor, trace),
            kwargs={},
            options={},
        )
    )
