"""Fill the django-tenants peer: ``python -m bench.peers.prepare``, tenants as JSON on stdin.

Each is ``{"slug", "schema", "host", "vehicle": {…}}``; its schema gets the one table.
"""

from __future__ import annotations

import json
import sys

from django.db import connection

from bench.peers import django_site  # sets Django up
from bench.peers.customers.models import Client, Domain
from bench.peers.fleet.models import Vehicle

assert django_site.application


def main() -> None:
    """Make the shared tables, then every tenant's."""
    connection.set_schema_to_public()
    with connection.schema_editor() as editor:
        editor.create_model(Client)
        editor.create_model(Domain)
    for each in json.load(sys.stdin):
        connection.set_schema_to_public()
        client = Client.objects.create(schema_name=each["schema"], name=each["slug"])
        Domain.objects.create(domain=each["host"], tenant=client, is_primary=True)
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE SCHEMA "{each["schema"]}"')
        connection.set_tenant(client)
        with connection.schema_editor() as editor:
            editor.create_model(Vehicle)
        Vehicle.objects.create(**each["vehicle"])


main()
