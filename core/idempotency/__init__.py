"""Answers kept by ``Idempotency-Key``: a request that comes twice takes effect once."""
