"""Branches: their hours, which of them a hire goes between, and where cars are."""
