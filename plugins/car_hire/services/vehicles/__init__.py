"""Cars beyond their bookings: papers, photos, service, coming and going."""
