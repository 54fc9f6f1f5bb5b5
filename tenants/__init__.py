"""Who the tenants are: catalogue, provisioning, migration, portal, operator."""
