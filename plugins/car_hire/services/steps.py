"""Steps of handing over that other plugins bring: their fields, and whether they are satisfied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from core import extension
from core.errors import FieldError, Invalid
from core.i18n import LazyText, _, in_every_locale, in_reading
from core.web.forms.bind import bound
from core.web.forms.messages import UNKNOWN
from core.web.forms.schema import fields_of
from plugins.car_hire.models import Booking, Hire, VehicleClass
from plugins.car_hire.points import CHECKOUT_STEP, StepAsked

Given = Mapping[str, Mapping[str, Any]]
"""What was entered, by plugin and field."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of ``plugin``, with the Struct of its fields."""

    plugin: str
    title: LazyText | str
    form: type[msgspec.Struct]


def steps(session: AsyncSession) -> list[Step]:
    """The steps that this tenant's plugins bring, in order."""
    return [
        Step(each.plugin, each.extension.title, each.extension.form)
        for each in extension.extensions(session, CHECKOUT_STEP)
        if each.extension.title is not None and each.extension.form is not None
    ]


async def satisfied(
    session: AsyncSession, booking: Booking, chosen: VehicleClass, given: Given
) -> dict[str, Any]:
    """What was entered, as it is kept with the hire: with titles and labels in every locale, so
    that it can be read when the plugin is gone.

    Raises:
        Invalid: naming every field that is missing or wrong, as ``steps.PLUGIN.FIELD``.
        ExtensionFailed: a plugin could not be asked whether its step is satisfied.
    """
    here = {step.plugin: step for step in steps(session)}
    errors = [FieldError(f"steps.{name}", UNKNOWN) for name in given if name not in here]
    kept: dict[str, Any] = {}
    for filling in extension.extensions(session, CHECKOUT_STEP):
        step = here[filling.plugin]
        form = bound(step.form, given.get(step.plugin, {}))
        if form.result is not None:
            values = msgspec.to_builtins(form.result)
            asked = StepAsked(
                booking_id=booking.id,
                class_id=chosen.id,
                class_name=chosen.name,
                starts_at=booking.starts_at,
                ends_at=booking.ends_at,
                values=values,
            )
            found = await extension.ask(session, CHECKOUT_STEP, filling, asked)
            form.errors += [FieldError(name, text) for name, text in found.items()]
            kept[step.plugin] = _kept(step, values)
        errors += [FieldError(f"steps.{step.plugin}.{e.field}", e.message) for e in form.errors]
    if errors:
        raise Invalid(errors=errors)
    return kept


@dataclass(frozen=True, slots=True)
class Told:
    """A step that was taken, as people read it."""

    title: str
    facts: Sequence[tuple[str, Any]]


def told(hire: Hire | None) -> list[Told]:
    """What was entered at hand-over, in the reader's language, whichever plugins there are now."""
    if hire is None:
        return []
    return [
        Told(
            in_reading(step["title"]),
            [(in_reading(step["labels"][key]), _shown(step["values"].get(key)))
             for key in step["labels"]],
        )
        for step in hire.steps.values()
    ]  # fmt: skip


def _shown(value: Any) -> Any:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return ", ".join(map(str, value)) if isinstance(value, list) else value


def _kept(step: Step, values: dict[str, Any]) -> dict[str, Any]:
    labels = {key: in_every_locale(spec.label) for key, spec in fields_of(step.form).items()}
    return {"title": in_every_locale(step.title), "labels": labels, "values": values}
