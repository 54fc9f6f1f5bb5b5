"""What car hire keeps: classes, vehicles, customers, quotes, bookings, hires and bills."""

from plugins.car_hire.models.agreements import Agreement, AgreementFile
from plugins.car_hire.models.bookings import Booking, Hire
from plugins.car_hire.models.branches import Branch, BranchDay, BranchStaff
from plugins.car_hire.models.cash import (
    CASH_KINDS,
    TRANSFER_STATES,
    CashDesk,
    CashMovement,
    Transfer,
)
from plugins.car_hire.models.companies import (
    DEPOSITS,
    AccountEntry,
    Company,
    CompanyMember,
    Statement,
)
from plugins.car_hire.models.deposits import DepositRefusal
from plugins.car_hire.models.extras import (
    COVERS,
    EXTRA_KINDS,
    PER,
    SIDES,
    Extra,
    ExtraPrice,
    ExtraReservation,
)
from plugins.car_hire.models.feeds import FEED_SHOWS, CalendarFeed
from plugins.car_hire.models.fleet import (
    FUELS,
    FULL_TANK,
    GEARS,
    VEHICLE_STATUSES,
    Vehicle,
    VehicleClass,
)
from plugins.car_hire.models.inspections import (
    Damage,
    DamagePrices,
    Inspection,
    InspectionPicture,
)
from plugins.car_hire.models.later import LATER_KINDS, LaterCharge
from plugins.car_hire.models.occupancies import BLOCK_REASONS, NO_OVERLAP, Block, Occupancy
from plugins.car_hire.models.papers import PAPER_KINDS, Paper, PaperFile, PaperSeries
from plugins.car_hire.models.people import Customer, CustomerNote
from plugins.car_hire.models.prices import ClassPriceRow, PriceList
from plugins.car_hire.models.promotions import Promotion, PromotionUse
from plugins.car_hire.models.quotes import BillLine, MoneyLine, Quote, QuoteLine
from plugins.car_hire.models.reviews import Review
from plugins.car_hire.models.servicing import ServiceInterval, ServiceRecord
from plugins.car_hire.models.vehicles import DOCUMENT_KINDS, VehicleDocument, VehiclePhoto
from plugins.car_hire.models.waiting import WAIT_STATES, Wait
from plugins.car_hire.models.words import FormerWord

__all__ = [
    "BLOCK_REASONS",
    "CASH_KINDS",
    "COVERS",
    "DEPOSITS",
    "DOCUMENT_KINDS",
    "EXTRA_KINDS",
    "FEED_SHOWS",
    "FUELS",
    "FULL_TANK",
    "GEARS",
    "LATER_KINDS",
    "NO_OVERLAP",
    "PAPER_KINDS",
    "PER",
    "SIDES",
    "TRANSFER_STATES",
    "VEHICLE_STATUSES",
    "WAIT_STATES",
    "AccountEntry",
    "Agreement",
    "AgreementFile",
    "BillLine",
    "Block",
    "Booking",
    "Branch",
    "BranchDay",
    "BranchStaff",
    "CalendarFeed",
    "CashDesk",
    "CashMovement",
    "ClassPriceRow",
    "Company",
    "CompanyMember",
    "Customer",
    "CustomerNote",
    "Damage",
    "DamagePrices",
    "DepositRefusal",
    "Extra",
    "ExtraPrice",
    "ExtraReservation",
    "FormerWord",
    "Hire",
    "Inspection",
    "InspectionPicture",
    "LaterCharge",
    "MoneyLine",
    "Occupancy",
    "Paper",
    "PaperFile",
    "PaperSeries",
    "PriceList",
    "Promotion",
    "PromotionUse",
    "Quote",
    "QuoteLine",
    "Review",
    "ServiceInterval",
    "ServiceRecord",
    "Statement",
    "Transfer",
    "Vehicle",
    "VehicleClass",
    "VehicleDocument",
    "VehiclePhoto",
    "Wait",
]
