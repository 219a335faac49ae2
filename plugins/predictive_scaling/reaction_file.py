"""The key `reaction:` of a fleet file: that we react to the load ourselves, and how."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field, model_validator

from forecasting.decision import Fallback, Rules, StepRule
from predictive_scaling.metric_file import Duration, Strict

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
    fresh: Duration = Field(timedelta(minutes=10), description="a load older than this is none")

    @model_validator(mode="after")
    def _says_the_size(self) -> ReactionFields:
        sized = [each.value for each in self.fallbacks if each in SIZED]
        if sized and self.static is None:
            msg = f"fallback {sized[0]} asks for a size: give static, a number of instances"
            raise ValueError(msg)
        return self

    def rules(self) -> Rules:
        """Give them as the decision knows them."""
        steps = tuple(
            StepRule(above=step.above, below=step.below or float("inf"), change=step.change) for step in self.steps
        )
        return Rules(steps=steps, fallbacks=self.fallbacks, static=self.static, fresh=self.fresh)
