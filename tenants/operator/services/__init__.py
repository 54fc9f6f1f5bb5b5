"""What operators ask about tenants, and do with them."""
