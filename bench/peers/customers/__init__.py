"""The shared app of the django-tenants peer."""
