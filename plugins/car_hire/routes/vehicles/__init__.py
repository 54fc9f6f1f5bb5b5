"""The desk's pages of cars beyond their bookings, and their API."""
