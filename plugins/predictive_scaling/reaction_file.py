"""The key `reaction:` of a fleet file: that we react to the load ourselves, and how."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pydantic import Field, model_validator

from forecasting.decision import FRESH, Fallback, Rules, StepRule
from forecasting.duration import format_duration
from predictive_scaling.metric_file import Duration, Strict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from predictive_scaling.metric import Measure

DELAY: Final = timedelta(minutes=1)
"""How long after its end a period's value is there, when all is well."""
SIZED = frozenset({Fallback.STATIC, Fallback.HIGHER, Fallback.LOWER})


class StepFields(Strict):
    """One step: while the load is between two shares of what the fleet serves well, change by so many."""

    above: float = Field(ge=0, description="from this share of what the instances serve well; 1.2 is a fifth too much")
    below: float | None = Field(None, gt=0, description="up to this share")
    change: int = Field(description="instances to add, or with a minus to take away")


class ReactionFields(Strict):
    """How the size follows the load: by target tracking, or by steps."""

    steps: tuple[StepFields, ...] = ()
    fallbacks: tuple[Fallback, ...] = Field((Fallback.CURRENT,), description="what to do without a load to go by")
    static: int | None = Field(None, ge=0, description="the size of the fallbacks static, higher and lower")
    fresh: Duration | None = Field(
        None, description="a load older than this is none; unless written 10m, or twice a metric's longer period"
    )

    @model_validator(mode="after")
    def _says_the_size(self) -> ReactionFields:
        sized = [each.value for each in self.fallbacks if each in SIZED]
        if sized and self.static is None:
            msg = f"fallback {sized[0]} asks for a size: give static, a number of instances"
            raise ValueError(msg)
        return self

    def rules(self, loads: Iterable[Measure]) -> Rules:
        """Give them as the decision knows them; each load must be fresh until its next value is there."""
        by_period = [load for load in loads if not load.instant]
        fresh = max([FRESH, *(2 * load.period for load in by_period)]) if self.fresh is None else self.fresh
        for load in by_period:
            least = load.period + DELAY
            if fresh < least:
                msg = (
                    f"reaction: fresh {format_duration(fresh)} is shorter than the period "
                    f"{format_duration(load.period)} of {load.name} and a minute: "
                    f"write fresh: {format_duration(least)} or more, or a shorter period"
                )
                raise ValueError(msg)
        steps = tuple(
            StepRule(above=step.above, below=step.below or float("inf"), change=step.change) for step in self.steps
        )
        return Rules(steps=steps, fallbacks=self.fallbacks, static=self.static, fresh=fresh)
