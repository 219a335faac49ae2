"""The load balancer's side of a burst: the weights of a listener rule, and the health of the targets behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from forecasting.traffic_split import ALL
from predictive_scaling.aws_client import client, reading, writing
from predictive_scaling.errors import InvalidFleet
from predictive_scaling.fleets import Receipt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from predictive_scaling.burst import Burst
    from predictive_scaling.fleet_spec import FleetSpec

_HEALTHY: Final = frozenset({"healthy", "unavailable"})
"""Target states that get requests; `unavailable` is a target that is not checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Where the traffic goes: percent to the burst, whether the baseline is healthy, and the rule's actions."""

    burst: int
    healthy: bool
    actions: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Balancer:
    """One listener rule, reached."""

    burst: Burst
    elb: Any

    @classmethod
    def of(cls, spec: FleetSpec) -> Self:
        """Reach the rule that a fleet file names."""
        if spec.burst is None:
            msg = f"fleet {spec.name}: its file has no `burst:`, so no traffic is split"
            raise InvalidFleet(msg)
        return cls(burst=spec.burst, elb=client("elbv2", connection=spec.connection, region=spec.region))

    def look(self) -> Flow:
        """Read the weights, and the health of the baseline."""
        with reading(f"reading rule {self.burst.rule}"):
            (rule,) = self.elb.describe_rules(RuleArns=[self.burst.rule])["Rules"]
        with reading(f"reading the health of {self.burst.baseline}"):
            answer = self.elb.describe_target_health(TargetGroupArn=self.burst.baseline)
        states = {each["TargetHealth"]["State"] for each in answer["TargetHealthDescriptions"]}
        return Flow(burst=self._share(rule["Actions"]), healthy=bool(states & _HEALTHY), actions=tuple(rule["Actions"]))

    def put(self, percent: int, flow: Flow) -> Receipt:
        """Send so many percent to the burst; all else of the rule stays as it was seen."""
        weights = {self.burst.baseline: ALL - percent, self.burst.serverless: percent}
        with writing(f"splitting the traffic of {self.burst.rule}"):
            answer = self.elb.modify_rule(
                RuleArn=self.burst.rule, Actions=[_weighted(action, weights) for action in flow.actions]
            )
        return Receipt(request_id=answer["ResponseMetadata"]["RequestId"])

    def _share(self, actions: Sequence[Mapping[str, Any]]) -> int:
        groups = [group for action in actions for group in action.get("ForwardConfig", {}).get("TargetGroups", ())]
        weights: dict[str, int] = {group["TargetGroupArn"]: group.get("Weight", 1) for group in groups}
        if weights.keys() != {self.burst.baseline, self.burst.serverless} or not sum(weights.values()):
            told = ", ".join(f"{arn} with weight {weight}" for arn, weight in weights.items()) or "none with a weight"
            msg = (
                f"rule {self.burst.rule} forwards to {told}: let it forward to {self.burst.baseline} and "
                f"{self.burst.serverless}, with weights such as 100 and 0"
            )
            raise InvalidFleet(msg)
        return round(ALL * weights[self.burst.serverless] / sum(weights.values()))


def _weighted(action: Mapping[str, Any], weights: Mapping[str, int]) -> dict[str, Any]:
    """Give an action as it is to be; AWS does not tell the secret of a log-in, so it is asked to keep it."""
    if "AuthenticateOidcConfig" in action:
        return {
            **action,
            "AuthenticateOidcConfig": {**action["AuthenticateOidcConfig"], "UseExistingClientSecret": True},
        }
    if "ForwardConfig" not in action:
        return dict(action)
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    return {**action, "ForwardConfig": {**action["ForwardConfig"], "TargetGroups": groups}}
