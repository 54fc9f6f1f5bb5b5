"""Tenants and their domains, as django-tenants wants them."""

from __future__ import annotations

from django.db import models
from django_tenants.models import DomainMixin, TenantMixin


class Client(TenantMixin):
    """A tenant; its schema is made by the benchmark."""

    name = models.CharField(max_length=100)
    auto_create_schema = False


class Domain(DomainMixin):
    """A host name of a tenant."""
