"""Money taken by card: a port to providers, payments as a state machine, webhooks.

Products use ``core.payments.services.Payments`` and listen to ``core.payments.events``.
"""
