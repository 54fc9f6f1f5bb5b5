"""Extras and covers: what there is, what somebody takes, and how many are left when."""
