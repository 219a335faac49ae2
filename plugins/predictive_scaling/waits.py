"""What is waited for after a change, judged by one look: pure, and small enough to survive a restart as JSON.

A wait is never counted in time, but by what the group shows: units that serve, activities newer than a mark.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from predictive_scaling.launch_failure import LaunchFailure, classify

if TYPE_CHECKING:
    from collections.abc import Mapping

    from predictive_scaling.fleets import Examined


class Ended(StrEnum):
    """How a wait ended."""

    DONE = "done"
    LAUNCH_FAILED = "launch_failed"
    OVERTAKEN = "overtaken"
    TIMED_OUT = "timed_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a wait ended, and what was seen then."""

    ended: Ended
    reason: str
    failure: LaunchFailure | None = None
    mark: str | None = None

    def as_json(self) -> dict[str, Any]:
        """What a trigger's event carries."""
        failure = self.failure.as_json() if self.failure else None
        return {"ended": self.ended.value, "reason": self.reason, "failure": failure, "mark": self.mark}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Verdict:
        """Read what `as_json` wrote."""
        failure = LaunchFailure.from_json(fields["failure"]) if fields["failure"] else None
        return cls(ended=Ended(fields["ended"]), reason=fields["reason"], failure=failure, mark=fields["mark"])


@dataclass(frozen=True, slots=True, kw_only=True)
class InServiceWait:
    """Until so much capacity serves: in service, healthy, and healthy in its target groups."""

    goal: int
    mark: str | None = None

    def judge(self, seen: Examined) -> Verdict | None:
        """Give the end, or None while it is worth waiting."""
        observed = seen.observed
        if observed.serving_units >= self.goal:
            return Verdict(ended=Ended.DONE, reason=self.progress(seen))
        if observed.desired < self.goal:
            reason = f"somebody else set desired to {observed.desired} while {self.goal} were awaited"
            return Verdict(ended=Ended.OVERTAKEN, reason=reason)
        failed = next((activity for activity in seen.since(self.mark) if activity.failed_launch), None)
        if failed and observed.staying_units < self.goal:
            failure = classify(failed)
            return Verdict(ended=Ended.LAUNCH_FAILED, reason=str(failure), failure=failure, mark=seen.mark)
        return None

    def progress(self, seen: Examined) -> str:
        """One line for the task log."""
        observed = seen.observed
        coming = observed.staying_units - sum(each.weight for each in observed.instances if each.in_service)
        checked = sum(each.weight for each in observed.instances if each.in_service and not each.serving)
        return f"{observed.serving_units} of {self.goal} serve, {coming} on their way, {checked} not yet healthy"

    def as_json(self) -> dict[str, Any]:
        """What a trigger is made again from."""
        return {"for": "in_service", "goal": self.goal, "mark": self.mark}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServesWait:
    """Until so much capacity serves, whoever asks for it: neither what is desired now nor what fails ends it."""

    goal: int

    def judge(self, seen: Examined) -> Verdict | None:
        """Give the end, or None while it does not serve."""
        if seen.observed.serving_units < self.goal:
            return None
        return Verdict(ended=Ended.DONE, reason=self.progress(seen))

    def progress(self, seen: Examined) -> str:
        """One line for the task log."""
        return f"{InServiceWait(goal=self.goal).progress(seen)}; desired is {seen.observed.desired}"

    def as_json(self) -> dict[str, Any]:
        """What a trigger is made again from."""
        return {"for": "serves", "goal": self.goal}


@dataclass(frozen=True, slots=True, kw_only=True)
class GoneWait:
    """Until these instances have drained, passed their hooks, and are gone."""

    instances: tuple[str, ...]

    def judge(self, seen: Examined) -> Verdict | None:
        """Give the end, or None while one of them is still there."""
        present = {instance.id for instance in seen.observed.instances}
        if present.isdisjoint(self.instances):
            return Verdict(ended=Ended.DONE, reason=self.progress(seen))
        return None

    def progress(self, seen: Examined) -> str:
        """One line for the task log: where each of them is on its way out."""
        present = {instance.id: instance for instance in seen.observed.instances}
        return ", ".join(f"{each} {_way_out(present[each]) if each in present else 'gone'}" for each in self.instances)

    def as_json(self) -> dict[str, Any]:
        """What a trigger is made again from."""
        return {"for": "gone", "instances": list(self.instances)}


Wait = InServiceWait | ServesWait | GoneWait


def wait_from(fields: Mapping[str, Any]) -> Wait:
    """Read what a wait's `as_json` wrote."""
    match fields["for"]:
        case "gone":
            return GoneWait(instances=tuple(fields["instances"]))
        case "serves":
            return ServesWait(goal=fields["goal"])
    return InServiceWait(goal=fields["goal"], mark=fields["mark"])


def _way_out(instance: Any) -> str:
    if instance.lifecycle == "Terminating:Wait":
        return "held by its lifecycle hook"
    return "draining" if "draining" in instance.targets else str(instance.lifecycle)
