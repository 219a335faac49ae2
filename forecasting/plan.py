"""Plan: which capacity holds from when on, and why."""

from __future__ import annotations

import hashlib
import json
import math
from bisect import bisect_right
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from forecasting.errors import InvalidPlan, shown
from forecasting.instant import as_utc
from forecasting.values import MOST_INSTANCES

if TYPE_CHECKING:
    from collections.abc import Callable

_FORMAT = "plan/1"


@dataclass(frozen=True, slots=True)
class Step:
    """From `at` on the fleet holds `capacity` instances."""

    at: datetime
    capacity: int
    reason: str
    _: KW_ONLY
    most: int | None = None  # the maximum from then on, where the plan sets it; None leaves it to others
    # What it rests on: told beside the reason, and no part of what makes two steps equal.
    demand: float | None = field(default=None, compare=False)
    quantile: float | None = field(default=None, compare=False)
    unbounded: int | None = field(default=None, compare=False)  # the capacity before any bound
    bound: str = field(default="", compare=False)  # the field of the policy that changed it, if one did
    price_per_hour: float | None = field(default=None, compare=False)  # of the whole capacity
    rejected: str = field(default="", compare=False)  # what else could have been done, and why it was not

    def __post_init__(self) -> None:
        """Refuse negative capacities; store the instant as UTC."""
        object.__setattr__(self, "at", as_utc(self.at, "step at", InvalidPlan))
        if self.capacity < 0:
            msg = f"capacity {self.capacity} at {self.at.isoformat()} is negative"
            raise InvalidPlan(msg)
        if self.most is not None and self.most < self.capacity:
            msg = f"capacity {self.capacity} at {self.at.isoformat()} is above the maximum {self.most} set with it"
            raise InvalidPlan(msg)


@dataclass(frozen=True, slots=True)
class Plan:
    """Capacity steps in order of time; the last one tells what holds when no newer plan comes."""

    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        """Refuse a plan without steps, or with steps out of order."""
        object.__setattr__(self, "steps", tuple(self.steps))
        if not self.steps:
            msg = "a plan has at least one step"
            raise InvalidPlan(msg)
        for before, after in pairwise(self.steps):
            if after.at <= before.at:
                msg = f"step at {after.at.isoformat()} does not come after {before.at.isoformat()}: sort the steps"
                raise InvalidPlan(msg)

    @property
    def start(self) -> datetime:
        """The instant from which the plan holds."""
        return self.steps[0].at

    @property
    def plan_id(self) -> str:
        """A short digest of the steps: equal plans have equal ids, in every process."""
        content = json.dumps([_essence(step) for step in self.steps])
        return hashlib.sha256(content.encode()).hexdigest()[:12]

    def step_at(self, when: datetime) -> Step:
        """Give the step that holds at an instant."""
        index = bisect_right([step.at for step in self.steps], as_utc(when, "when")) - 1
        if index < 0:
            msg = f"{when.isoformat()} lies before the plan, which starts at {self.start.isoformat()}"
            raise InvalidPlan(msg)
        return self.steps[index]

    def capacity_at(self, when: datetime) -> int:
        """Give the capacity that holds at an instant."""
        return self.step_at(when).capacity

    def to_json(self) -> str:
        """Write versioned, plain JSON."""
        steps = [_as_json(step) for step in self.steps]
        return json.dumps({"format": _FORMAT, "plan_id": self.plan_id, "steps": steps})

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read what `to_json` wrote."""
        try:
            data = _current(json.loads(text))
            return cls(tuple(_from_json(at, step) for at, step in enumerate(data["steps"])))
        except InvalidPlan:
            raise
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            msg = f"not the JSON of a plan ({type(error).__name__}: {error}): write it with Plan.to_json()"
            raise InvalidPlan(msg) from error


def _essence(step: Step) -> list[Any]:
    most = [] if step.most is None else [step.most]
    return [step.at.isoformat(), step.capacity, step.reason, *most]


_GROUNDS = ("most", "demand", "quantile", "unbounded", "bound", "price_per_hour", "rejected")


def _as_json(step: Step) -> dict[str, Any]:
    grounds = {name: value for name in _GROUNDS if (value := getattr(step, name)) not in {None, ""}}
    return {"at": step.at.isoformat(), "capacity": step.capacity, "reason": step.reason, **grounds}


def _from_json(at: int, data: object) -> Step:
    row = data if isinstance(data, dict) else {}
    for name, (fits, mend) in _WRITTEN.items():
        value = row.get(name)
        if not fits(value) and (name not in _GROUNDS or value is not None):
            msg = f"step {at}: {name} is {shown(value)}: write {mend}"
            raise InvalidPlan(msg)
    grounds = {name: value for name in _GROUNDS if (value := row.get(name)) is not None}
    return Step(datetime.fromisoformat(row["at"]), row["capacity"], row["reason"], **grounds)


def _text(value: object) -> bool:
    return isinstance(value, str)


def _size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_INSTANCES


def _amount(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf


_Field: TypeAlias = "tuple[Callable[[object], bool], str]"
_WRITTEN: dict[str, _Field] = {
    "at": (_text, "an instant such as 2026-01-05T00:00Z"),
    **dict.fromkeys(("capacity", "most", "unbounded"), (_size, f"a whole number, 0 to {MOST_INSTANCES:,}")),
    **dict.fromkeys(("demand", "quantile", "price_per_hour"), (_amount, "a finite number")),
    **dict.fromkeys(("reason", "bound", "rejected"), (_text, "a sentence")),
}


def _current(data: dict[str, Any]) -> dict[str, Any]:
    if data["format"] != _FORMAT:
        msg = f"format {shown(data['format'])} is not {_FORMAT!r}: draw the plan again with this version"
        raise InvalidPlan(msg)
    return data
