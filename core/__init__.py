"""What every product stands on; it knows that a tenant exists, never which."""
