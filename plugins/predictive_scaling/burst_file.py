"""The key `burst:` of a fleet file: that what the fleet cannot take goes elsewhere, and by which listener rule."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, model_validator

from forecasting.traffic_split import Terms
from predictive_scaling.burst import Burst
from predictive_scaling.metric_file import Strict

_ELB: Final = r"^arn:[a-z-]+:elasticloadbalancing:[a-z0-9-]+:\d{12}:"
TargetGroup = Annotated[str, Field(pattern=_ELB + r"targetgroup/[^/]+/[^/]+$")]


class BurstFields(Strict):
    """A listener rule whose forward action has two target groups with weights."""

    rule: str = Field(
        pattern=_ELB + r"listener-rule/app(/[^/]+){4}$", description="ARN of the listener rule that splits the traffic"
    )
    baseline: TargetGroup = Field(description="ARN of the target group of this fleet's instances")
    serverless: TargetGroup = Field(description="ARN of the target group that takes the rest, such as a function's")
    ceiling: float = Field(
        0.7, gt=0.02, le=0.95, description="the baseline's CPU, as a share, above which the rest goes"
    )
    back: int = Field(10, ge=1, le=100, description="percent points of the traffic given back at most every 5 minutes")

    @model_validator(mode="after")
    def _are_two(self) -> BurstFields:
        if self.baseline == self.serverless:
            msg = f"baseline and serverless are both {self.baseline}: name two target groups"
            raise ValueError(msg)
        return self

    def burst(self) -> Burst:
        """Give it as the rest of the product knows it."""
        terms = Terms(ceiling=self.ceiling, back=self.back)
        return Burst(rule=self.rule, baseline=self.baseline, serverless=self.serverless, terms=terms)
