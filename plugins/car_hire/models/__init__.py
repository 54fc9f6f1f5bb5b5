"""What car hire keeps: classes, vehicles, customers, quotes, bookings, hires and bills."""

from plugins.car_hire.models.bookings import NO_OVERLAP, Booking, Hire
from plugins.car_hire.models.fleet import FULL_TANK, GEARS, VEHICLE_STATUSES, Vehicle, VehicleClass
from plugins.car_hire.models.people import Customer
from plugins.car_hire.models.quotes import BillLine, MoneyLine, Quote, QuoteLine

__all__ = [
    "FULL_TANK",
    "GEARS",
    "NO_OVERLAP",
    "VEHICLE_STATUSES",
    "BillLine",
    "Booking",
    "Customer",
    "Hire",
    "MoneyLine",
    "Quote",
    "QuoteLine",
    "Vehicle",
    "VehicleClass",
]
