"""``usage.record``: what products count for billing."""

from core.billing.services import record_usage as record

__all__ = ["record"]
