"""Why a tenant is not served now, as whoever asks for it is told."""

from __future__ import annotations

from typing import Final

from core import clock
from core.errors import Unavailable
from core.i18n import _
from core.scope import Maintenance, Tenant

SOON: Final = 10
HOUR: Final = 3600
DAY: Final = 86_400
"""Seconds after which it makes sense to ask again."""


class AtRest(Unavailable):
    """The tenant exists, but is not served now."""

    code = "at_rest"
    title = _("This business is not available at the moment")
    page = "core/at_rest.html"


class BeingPrepared(AtRest):
    """Its provisioning is not finished."""

    code = "being_prepared"
    title = _("Opening soon")

    def __init__(self) -> None:
        super().__init__(_("We are just getting this place ready for you."), retry_after=SOON)


class Suspended(AtRest):
    """The operator stopped it; nothing is lost."""

    code = "suspended"
    title = _("Taking a break")

    def __init__(self) -> None:
        text = _("This business is paused for now. Everything that it keeps for you is safe.")
        super().__init__(text, retry_after=HOUR)


class Closed(AtRest):
    """Its owner closed it; until it is deleted, that can be undone."""

    code = "closed"
    title = _("This business has closed")

    def __init__(self) -> None:
        super().__init__(_("Thank you for having been here."), retry_after=DAY)


class UnderMaintenance(AtRest):
    """Staff may enter, customers have to wait."""

    code = "maintenance"
    title = _("We are improving this place")

    def __init__(self, maintenance: Maintenance) -> None:
        wait = HOUR
        if maintenance.until is not None:
            wait = max(60, int((maintenance.until - clock.now()).total_seconds()))
        usual = _("We are back soon. Nothing that you saved is lost.")
        super().__init__(maintenance.message or usual, retry_after=wait)


class BeingUpdated(AtRest):
    """Its tables are not yet, or no longer, those that this code works with."""

    code = "being_updated"
    title = _("We are bringing this place up to date")

    def __init__(self) -> None:
        super().__init__(_("It takes a moment. Nothing that you saved is lost."), retry_after=SOON)


def resting(tenant: Tenant) -> AtRest:
    """Why ``tenant``, whose status is not ``active``, is not served."""
    match tenant.status:
        case "provisioning":
            return BeingPrepared()
        case "suspended":
            return Suspended()
        case "closed" | "deleting":
            return Closed()
        case "updating":
            return BeingUpdated()
        case _:
            return AtRest(retry_after=SOON)
