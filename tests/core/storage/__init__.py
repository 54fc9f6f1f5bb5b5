"""Files of tenants."""
