"""A django-tenants site that serves one vehicle as JSON, without signing anyone in.

The database is named by ``PEER_DATABASE``, ``PEER_HOST``, ``PEER_PORT``, ``PEER_USER`` and
``PEER_PASSWORD``. Connections persist, as Django's documentation advises for production.
"""

from __future__ import annotations

import os
from uuid import UUID

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, JsonResponse
from django.urls import path

settings.configure(
    DEBUG=False,
    SECRET_KEY="only-for-this-benchmark",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    DATABASES={
        "default": {
            "ENGINE": "django_tenants.postgresql_backend",
            "NAME": os.environ["PEER_DATABASE"],
            "HOST": os.environ["PEER_HOST"],
            "PORT": os.environ["PEER_PORT"],
            "USER": os.environ["PEER_USER"],
            "PASSWORD": os.environ["PEER_PASSWORD"],
            "CONN_MAX_AGE": None,
        }
    },
    DATABASE_ROUTERS=("django_tenants.routers.TenantSyncRouter",),
    SHARED_APPS=("django_tenants", "django.contrib.contenttypes", "bench.peers.customers"),
    TENANT_APPS=("bench.peers.fleet",),
    INSTALLED_APPS=(
        "django_tenants",
        "django.contrib.contenttypes",
        "bench.peers.customers",
        "bench.peers.fleet",
    ),
    TENANT_MODEL="customers.Client",
    TENANT_DOMAIN_MODEL="customers.Domain",
    MIDDLEWARE=("django_tenants.middleware.main.TenantMainMiddleware",),
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()

from bench.peers.fleet.models import Vehicle  # noqa: E402  # models need the settings above


def vehicle(request: HttpRequest, vehicle_id: UUID) -> JsonResponse:
    """One row of the tenant's schema, by its id."""
    row = Vehicle.objects.values().get(pk=vehicle_id)
    return JsonResponse(
        {name: str(value) if name == "id" else value for name, value in row.items()}
    )


urlpatterns = [path("api/v1/car-hire/vehicles/<uuid:vehicle_id>", vehicle)]
application = WSGIHandler()
