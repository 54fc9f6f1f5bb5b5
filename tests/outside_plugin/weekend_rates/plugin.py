"""Weekend rates, declared."""

from __future__ import annotations

from core.i18n import _
from core.plugin import Plugin
from weekend_rates.rates import EXTENDS
from weekend_rates.settings import Choices
from weekend_rates.slots import SLOTS

plugin = Plugin(
    name="weekend_rates",
    title=_("Weekend rates"),
    summary=_("Car hire costs more at weekends"),
    version="1.0.0",
    core_versions=">=0.1,<1",
    package="weekend_rates",
    icon="calendar-plus",
    slots=SLOTS,
    extends=EXTENDS,
    settings=Choices,
)
