"""The operator console and the control-plane API: what we do with our tenants."""
