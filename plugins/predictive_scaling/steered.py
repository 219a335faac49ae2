"""What came of one fleet's turn, and its story for the person who reads the task log at night."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from predictive_scaling.schedule import brings, counted, soonest

if TYPE_CHECKING:
    from datetime import datetime

    from forecasting import Plan, Policy, Step
    from forecasting.accuracy import Accuracy
    from forecasting.approval import Question
    from forecasting.gate import Stage
    from predictive_scaling.apply import Applied
    from predictive_scaling.concerns import Concern
    from predictive_scaling.fleets import Observed, ScheduledAction


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """The most that is expected, at the fleet's quantile, and when."""

    demand: float
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Steered:
    """What was seen, decided and done about one fleet."""

    fleet: str
    observed: Observed
    seen: str
    plan: Plan
    applied: Applied
    now: datetime
    forecast_id: str | None
    policy: Policy
    demand: float | None
    accuracy: Accuracy | None
    stage: Stage | None
    peak: Peak | None
    notes: tuple[str, ...] = field(default=())
    questions: tuple[Question, ...] = field(default=())  # that wait for a person
    concerns: tuple[Concern, ...] = field(default=())
    former: tuple[str, ...] = field(default=())  # groups that it had before and that are not at rest yet

    def story(self) -> list[str]:
        """Tell it to the person who reads the task log at night."""
        coming = [step for step in self.plan.steps if step.at > self.now]
        held = self.plan.step_at(soonest(self.now))
        catch_up = [action for action in self.applied.changes.put if self._is_catch_up(action, held)]
        lines = [
            f"saw {self.seen}",
            *self.notes,
            self._decision(),
            self._deed(),
            *(f"  now, at {action.start:%H:%M} UTC -> {action.min_size}: {held.reason}" for action in catch_up),
            *(f"  {step.at:%a %H:%M} UTC -> {step.capacity}: {step.reason}" for step in coming[:3]),
        ]
        if not coming and not catch_up:
            lines.append(f"  now -> {held.capacity}: {held.reason}")
        if len(coming) > 3:  # noqa: PLR2004 - three lines are shown above
            lines.append(f"  and {len(coming) - 3} more, the last at {coming[-1].at:%a %H:%M} UTC")
        return [f"{self.fleet}: {line}" for line in lines]

    def _is_catch_up(self, action: ScheduledAction, held: Step) -> bool:
        """Whether the action brings what should hold already, before the first step that is still to come."""
        coming = next((step.at for step in self.plan.steps if step.at > held.at), None)
        return brings(action, held) and action.start is not None and (coming is None or action.start < coming)

    def _deed(self) -> str:
        changes = self.applied.changes
        if not changes:
            return f"wrote nothing: {self.applied.reason}"
        counts = f"{counted(changes.put, 'new action')}, {counted(changes.delete, 'removal')}, {len(changes.keep)} kept"
        return f"{'wrote' if self.applied.written else 'wrote nothing of'} {counts}; {self.applied.reason}"

    def _decision(self) -> str:
        capacities = [step.capacity for step in self.plan.steps]
        return (
            f"decided {counted(capacities, 'step')} between {min(capacities)} and {max(capacities)} instances "
            f"(plan {self.plan.plan_id}, forecast {self.forecast_id})"
        )
