"""What car hire keeps: classes, vehicles, customers, quotes, bookings, hires and bills."""

from plugins.car_hire.models.bookings import Booking, Hire
from plugins.car_hire.models.fleet import FULL_TANK, GEARS, VEHICLE_STATUSES, Vehicle, VehicleClass
from plugins.car_hire.models.occupancies import BLOCK_REASONS, NO_OVERLAP, Block, Occupancy
from plugins.car_hire.models.papers import PAPER_KINDS, Paper, PaperFile, PaperSeries
from plugins.car_hire.models.people import Customer
from plugins.car_hire.models.prices import ClassPriceRow, PriceList
from plugins.car_hire.models.quotes import BillLine, MoneyLine, Quote, QuoteLine
from plugins.car_hire.models.reviews import Review

__all__ = [
    "BLOCK_REASONS",
    "FULL_TANK",
    "GEARS",
    "NO_OVERLAP",
    "PAPER_KINDS",
    "VEHICLE_STATUSES",
    "BillLine",
    "Block",
    "Booking",
    "ClassPriceRow",
    "Customer",
    "Hire",
    "MoneyLine",
    "Occupancy",
    "Paper",
    "PaperFile",
    "PaperSeries",
    "PriceList",
    "Quote",
    "QuoteLine",
    "Review",
    "Vehicle",
    "VehicleClass",
]
