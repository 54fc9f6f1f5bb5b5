"""The tenant app of the django-tenants peer."""
