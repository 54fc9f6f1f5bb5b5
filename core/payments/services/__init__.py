"""What may be done with payments."""

from core.payments.services.accounts import NotAcceptingCards, accepts_cards
from core.payments.services.payments import AlreadyPaying, Payments

__all__ = ["AlreadyPaying", "NotAcceptingCards", "Payments", "accepts_cards"]
