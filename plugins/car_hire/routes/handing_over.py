"""The form of handing a car over: our own fields, and those of the steps that plugins bring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import DomainError, FieldError
from core.i18n import LazyText
from core.web.forms import Bound, bind, blank
from plugins.car_hire.schemas import HireInput
from plugins.car_hire.services import steps


@dataclass(frozen=True, slots=True)
class StepForm:
    """A plugin's step as the page shows it."""

    plugin: str
    title: LazyText | str
    form: Bound[Any]


@dataclass(frozen=True, slots=True)
class HandOver:
    """Everything that is entered when the keys go over the counter."""

    hire: Bound[HireInput]
    steps: Sequence[StepForm]

    @classmethod
    def blank(cls, session: AsyncSession, usual: Mapping[str, Any]) -> HandOver:
        """Before anybody typed, with what is ``usual``."""
        made = [
            StepForm(step.plugin, step.title, _named(step.plugin, blank(step.form)))
            for step in steps.steps(session)
        ]
        return cls(blank(HireInput, usual), made)

    @classmethod
    def of(cls, session: AsyncSession, typed: Mapping[str, Any]) -> HandOver:
        """What was ``typed``; the fields of a step bear its plugin's name and a point."""
        made = []
        for step in steps.steps(session):
            own = {k.partition(".")[2]: v for k, v in typed.items() if _owner(k) == step.plugin}
            form = _named(step.plugin, bind(step.form, own))
            made.append(StepForm(step.plugin, step.title, form))
        ours = {key: value for key, value in typed.items() if "." not in key}
        return cls(bind(HireInput, ours), made)

    @property
    def given(self) -> HireInput:
        """What was entered.

        Raises:
            Invalid: with what is wrong with our own fields; those of steps the service names.
        """
        entered = {
            step.plugin: msgspec.to_builtins(step.form.result)
            for step in self.steps
            if step.form.result is not None
        }
        return msgspec.structs.replace(self.hire.value, steps=entered)

    def refuse(self, error: DomainError) -> HandOver:
        """The form with a service's objections, each where it belongs."""
        for step in self.steps:
            above = f"steps.{step.plugin}."
            mine = [e for e in error.errors if e.field.startswith(above)]
            if not step.form.errors:
                step.form.errors += [FieldError(e.field[len(above) :], e.message) for e in mine]
        rest = [e for e in error.errors if not e.field.startswith("steps.")]
        if not self.hire.errors and (rest or not error.errors):
            self.hire.errors += rest or [FieldError("", error.message)]
        return self

    @property
    def errors(self) -> int:
        """How many things need attention."""
        return sum(len(form.errors) for form in (self.hire, *(each.form for each in self.steps)))


def _owner(key: str) -> str:
    return key.partition(".")[0] if "." in key else ""


def _named(plugin: str, form: Bound[Any]) -> Bound[Any]:
    form.id, form.prefix = plugin, f"{plugin}."
    return form
