"""Car hire: bookings, payments, hires and returns."""
