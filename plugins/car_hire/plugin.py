"""Car hire, declared."""

from __future__ import annotations

from typing import Final

from core.i18n import _
from core.permissions import Permission, Role
from core.plugin import Meter, Plugin
from plugins.car_hire import tasks
from plugins.car_hire.policy import PLUGIN, Policy
from plugins.car_hire.routes import api
from plugins.car_hire.services.hires import HIRES_STARTED

_STAFF: Final = frozenset({Role.STAFF})

DESK: Final = Permission("car_hire.desk", _("Book, hand out and take back vehicles"), _STAFF)
FLEET: Final = Permission("car_hire.fleet", _("Add and change vehicles"), _STAFF)
RATES: Final = Permission("car_hire.rates", _("Change vehicle classes and rates"))

plugin: Final = Plugin(
    name=PLUGIN,
    title=_("Car hire"),
    summary=_("Vehicles, bookings, card payments, hires and returns"),
    version="0.1.0",
    core_versions=">=0.1",
    package="plugins.car_hire",
    icon="car",
    home="/",
    desk="/car-hire/desk",
    controllers=(*api.CONTROLLERS,),
    actors=tasks.ACTORS,
    listeners=tasks.LISTENERS,
    permissions=(DESK, FLEET, RATES),
    settings=Policy,
    meters=(Meter(name=HIRES_STARTED, title=_("Hires started"), unit="hire"),),
    extensions=("btree_gist",),
)
