"""Forms and bodies: one msgspec Struct says what is accepted, for people and programs alike.

class NewVehicle(Form):
    plate: Annotated[str, text(_("Plate"), max=12)]
    odometer: Annotated[int, whole(_("Odometer"), min=0, unit="km")]

form = await posted(request, NewVehicle)      # people: typed text and errors kept
body = await decode(request, NewVehicle)      # programs: raises Invalid
"""

from core.web.forms.bind import bind, blank, bound
from core.web.forms.bound import Bound
from core.web.forms.fields import (
    Form,
    amount,
    choice,
    day,
    email,
    file,
    long_text,
    moment,
    number,
    password,
    text,
    tick,
    whole,
)
from core.web.forms.received import decode, posted, typed_fields

__all__ = [
    "Bound",
    "Form",
    "amount",
    "bind",
    "blank",
    "bound",
    "choice",
    "day",
    "decode",
    "email",
    "file",
    "long_text",
    "moment",
    "number",
    "password",
    "posted",
    "text",
    "tick",
    "typed_fields",
    "whole",
]
