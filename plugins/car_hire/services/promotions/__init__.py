"""Promotion codes: kept by the owner, typed by customers, counted by bookings."""
