"""What may be done with payments."""

from core.payments.services.accounts import NotAcceptingCards, accepts_cards
from core.payments.services.payments import AlreadyPaying, NoSavedCard, Payments

__all__ = ["AlreadyPaying", "NoSavedCard", "NotAcceptingCards", "Payments", "accepts_cards"]
