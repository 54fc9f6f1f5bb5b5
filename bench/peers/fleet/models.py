"""The same vehicle that Atrium serves."""

from __future__ import annotations

from django.db import models


class Vehicle(models.Model):
    """A car of the fleet."""

    id = models.UUIDField(primary_key=True)
    plate = models.CharField(max_length=20)
    make = models.CharField(max_length=60)
    model = models.CharField(max_length=60)
    year = models.IntegerField()
    colour = models.CharField(max_length=40)
    vin = models.CharField(max_length=17)
    odometer_km = models.IntegerField()
    fuel_eighths = models.IntegerField()
    status = models.CharField(max_length=20)
