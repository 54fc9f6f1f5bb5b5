"""The words of an inspection: parts and zones of the drawing, kinds of damage, views that are
photographed. They are kept as texts; a CHECK repeats those that the database is to insist on.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from core.i18n import LazyText, _

OUT: Final = "out"
"""The hand-over: before the car leaves."""
IN: Final = "in"
"""The return."""

PARTS: Final[dict[str, LazyText]] = {
    "bumper": _("Bumper"),
    "bonnet": _("Bonnet"),
    "wing": _("Wing"),
    "door": _("Door"),
    "roof": _("Roof"),
    "boot": _("Boot lid"),
    "glass": _("Glass"),
    "lights": _("Lights"),
    "mirror": _("Mirror"),
    "wheel": _("Wheel"),
    "interior": _("Interior"),
    "underbody": _("Underbody"),
}
"""What a damage price is for."""


class Zone(NamedTuple):
    """A place on the drawing: the part that its price is for, its name, and its middle."""

    part: str
    title: LazyText
    x: int
    y: int


ZONES: Final[dict[str, Zone]] = {
    "front_bumper": Zone("bumper", _("Front bumper"), 150, 30),
    "front_lights": Zone("lights", _("Headlights"), 111, 60),
    "bonnet": Zone("bonnet", _("Bonnet"), 150, 92),
    "windscreen": Zone("glass", _("Windscreen"), 150, 160),
    "roof": Zone("roof", _("Roof"), 150, 248),
    "rear_window": Zone("glass", _("Rear window"), 150, 330),
    "boot": Zone("boot", _("Boot lid"), 150, 384),
    "rear_lights": Zone("lights", _("Rear lights"), 118, 414),
    "rear_bumper": Zone("bumper", _("Rear bumper"), 150, 440),
    "left_front_wing": Zone("wing", _("Front wing, left"), 68, 88),
    "left_mirror": Zone("mirror", _("Mirror, left"), 91, 148),
    "left_front_door": Zone("door", _("Front door, left"), 54, 196),
    "left_rear_door": Zone("door", _("Rear door, left"), 54, 274),
    "left_windows": Zone("glass", _("Side windows, left"), 82, 232),
    "left_rear_wing": Zone("wing", _("Rear wing, left"), 68, 384),
    "left_front_wheel": Zone("wheel", _("Front wheel, left"), 32, 112),
    "left_rear_wheel": Zone("wheel", _("Rear wheel, left"), 32, 352),
    "right_front_wing": Zone("wing", _("Front wing, right"), 232, 88),
    "right_mirror": Zone("mirror", _("Mirror, right"), 209, 148),
    "right_front_door": Zone("door", _("Front door, right"), 246, 196),
    "right_rear_door": Zone("door", _("Rear door, right"), 246, 274),
    "right_windows": Zone("glass", _("Side windows, right"), 218, 232),
    "right_rear_wing": Zone("wing", _("Rear wing, right"), 232, 384),
    "right_front_wheel": Zone("wheel", _("Front wheel, right"), 268, 112),
    "right_rear_wheel": Zone("wheel", _("Rear wheel, right"), 268, 352),
    "interior": Zone("interior", _("Interior"), 38, 482),
    "underbody": Zone("underbody", _("Underbody"), 168, 482),
}
"""Seen from above with the flanks folded out, in the units of ``desk/drawing.html``; the front is
at the top, and the driver's left on the left. It is 300 wide and 500 high."""

_SIDES: Final = {"bonnet": "front", "boot": "rear"}
_APART: Final = {"glass": "glass", "mirror": "glass", "wheel": "wheels"}
COVERED_AS: Final[dict[str, str]] = {
    name: _APART.get(zone.part) or _SIDES.get(name) or name.partition("_")[0]
    for name, zone in ZONES.items()
}
"""What covers call a zone, which include or leave out whole sides: front, rear, left, right, roof,
glass (mirrors too), wheels, underbody, interior."""

KINDS: Final[dict[str, LazyText]] = {
    "scratch": _("Scratch"),
    "dent": _("Dent"),
    "crack": _("Crack or break"),
    "missing": _("Missing part"),
    "stain": _("Stain or burn"),
}
SEVERITIES: Final[dict[str, LazyText]] = {
    "light": _("Light"),
    "medium": _("Medium"),
    "severe": _("Severe"),
}
VIEWS: Final[dict[str, LazyText]] = {
    "front": _("Front"),
    "front_right": _("Front right corner"),
    "right": _("Right side"),
    "rear_right": _("Rear right corner"),
    "rear": _("Rear"),
    "rear_left": _("Rear left corner"),
    "left": _("Left side"),
    "front_left": _("Front left corner"),
}
"""What is photographed, in the order of a walk round the car."""
CLOSE_UPS: Final[dict[str, LazyText]] = {
    "dashboard": _("Dashboard"),
    "interior": _("Interior"),
}
"""Photos that help if there is a dispute about the readings or about cleaning."""
SIGNATURES: Final[dict[str, LazyText]] = {
    "customer_signature": _("Signature of the customer"),
    "staff_signature": _("Signature for the firm"),
}
DAMAGE: Final = "damage"
"""The view of a photo of one damage."""
CLEANING: Final[dict[str, LazyText]] = {
    "light": _("Needs a wash"),
    "heavy": _("Very dirty"),
}
