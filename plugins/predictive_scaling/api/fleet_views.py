"""What the API tells of fleets, and the pure functions that shape it."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, Field

from forecasting.override import Override, OverrideKind, foremost
from predictive_scaling.fleet_spec import HORIZON
from predictive_scaling.ledger.overrides import EVERY_FLEET
from predictive_scaling.overriding import name_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from forecasting.approval import Question
    from forecasting.cost_meter import Reading
    from predictive_scaling.fleet_folder import FleetFolder
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.ledger.records import Operation
    from predictive_scaling.look import Look
    from predictive_scaling.status import Status
    from predictive_scaling.tally import Tally

STALE_AFTER: Final = timedelta(hours=3)
"""Fleets have a turn an hour; one may be lost without anybody being woken."""


class State(StrEnum):
    """How a fleet is, the worst first."""

    PROBLEM = "problem"
    STALE = "stale"
    NO_FILE = "no file"
    UNSEEN = "unseen"
    SUSPENDED = "suspended"
    PAUSED = "paused"
    HELD = "held"
    WAITING = "waiting"
    APPROVE = "approve"
    OBSERVE = "observe"
    AUTO = "auto"


_COSTS: Final = ("cost_today", "cost_month")
_STATES: Final = frozenset(state.value for state in State)
_WORDS: Final = {
    "rival": "conflict",
    "launches": "launches fail",
    "budget": "budget",
    "drift": "forecast drifts",
    "override": "override ends",
}
"""A concern of a fleet's last turn in a word, by the kind that its key begins with."""


class FleetRow(BaseModel):
    """One fleet in brief: how it is, what it has, what comes next, what it costs."""

    name: str
    group: str
    state: State
    state_reason: str = Field(description="why it is in this state, or what its last turn decided")
    mode: str
    stage: str | None = Field(None, description="how far its forecast is trusted")
    seen_at: datetime | None = Field(None, description="when its group was last looked at, by a turn or by the watch")
    desired: int | None = None
    in_service: int | None = None
    min_size: int | None = Field(None, description="the group's own bounds, as observed")
    max_size: int | None = None
    planned: int | None = Field(None, description="the floor the plan holds at the last turn")
    next_at: datetime | None = None
    next_capacity: int | None = None
    next_reason: str | None = None
    unit: str
    demand: float | None = Field(None, description="expected at the last turn, at `quantile`")
    quantile: float | None = None
    peak_at: datetime | None = None
    peak_demand: float | None = None
    wape: float | None = Field(None, description="error of the last scored forecasts, as a share of the demand")
    coverage: float | None = Field(None, description="how often their p90 was enough")
    units: int = Field(1, description="capacity units of an instance: in_service counts instances, all else units")
    price_per_hour: float = Field(0.0, description="of one instance")
    cost_per_hour: float | None = Field(None, description="of the instances in service")
    cost_today: float | None = Field(None, description="since midnight UTC, by its meter")
    cost_month: float | None = Field(None, description="since the first of the month, by its meter")
    waits_until: datetime | None = Field(None, description="when the first question about it is due; see /approvals")
    concerns: list[str] = Field([], description="what its last turn found to hear of, in a word each: conflict, …")


class FleetPage(BaseModel):
    """Some of the fleets."""

    items: list[FleetRow]
    total: int = Field(description="how many match, whether on this page or not")
    problems: list[str] = Field(description="fleet files that cannot be used, and why")
    cost_today: float | None = Field(None, description="of all fleets, of those that are gone too, since midnight UTC")
    cost_month: float | None = Field(None, description="the same since the first of the month")


class Holder(BaseModel):
    """The operation that holds a fleet."""

    operation_id: str
    kind: str
    opened_at: datetime | None
    by: str


class FleetDetail(FleetRow):
    """One fleet with the policy of its file."""

    timezone: str
    engine: str
    policy_min: int
    policy_max: int
    target_per_instance: float
    target_quantile: float
    lead_time_seconds: float
    step_seconds: float
    notes: list[str]
    conflicts: list[str] = Field([], description="who or what else moves the group, and what to do about it")
    forecast_id: str | None = None
    plan_id: str | None = None
    held_by: Holder | None = None
    ups: int = Field(0, description="how often it was made larger in the last 24 hours, by what we wrote")
    downs: int = Field(0, description="how often smaller")


def fleet_row(  # noqa: PLR0913 - each is a table of the present
    spec: FleetSpec,
    status: Status | None,
    *,
    now: datetime,
    look: Look | None = None,
    overrides: Sequence[Override] = (),
    questions: Sequence[Question] = (),
) -> FleetRow:
    """Show a fleet that there is; overrides and questions are those that may concern it."""
    given: dict[str, Any] = {"name": spec.name, "group": spec.group, "mode": spec.mode.value, "unit": spec.metric.unit}
    given["units"] = spec.policy.units
    if status is None:
        why = "it is new: the next run of apply_plans looks at it"
        given |= {"seen_at": look.at, **look.sizes} if look else {}
        return FleetRow(**given, state=State.UNSEEN, state_reason=why, price_per_hour=spec.policy.price_per_hour)
    mine = sorted((each for each in questions if each.fleet == spec.name), key=lambda each: each.due_at)
    held = _overridden(spec, overrides, now) or _waiting(mine)
    state, why = _in_trouble(status, now) or held or _state(status, spec.mode.value)
    due = mine[0].due_at if mine else None
    return FleetRow(**given, state=state, state_reason=why, waits_until=due, **_seen(status, status.spent(now)))


def row_without_file(status: Status, now: datetime, overrides: Sequence[Override] = ()) -> FleetRow:
    """Show a fleet that was seen, and whose file is gone or cannot be used."""
    given: dict[str, Any] = {"name": status.fleet, "group": status.group, "mode": status.mode, "unit": status.unit}
    why = (
        "there is no usable file and no autoscaler of this name: it is left alone, and what is scheduled goes on, "
        f"at the longest until {_stands_until(status):%a %H:%M} UTC"
    )
    if held := [each for each in overrides if each.fleet == status.fleet]:
        why += f"; {held[0]}: it stays until its file is put back and resume_fleet has ended it"
    return FleetRow(**given, state=State.NO_FILE, state_reason=why, **_seen(status, status.spent(now, given_up=True)))


def fleet_rows(  # noqa: PLR0913 - each is a table of the present
    folder: FleetFolder,
    statuses: Sequence[Status],
    *,
    now: datetime,
    looks: Mapping[str, Look] = MappingProxyType({}),
    overrides: Sequence[Override] = (),
    questions: Sequence[Question] = (),
) -> list[FleetRow]:
    """Show all fleets, by name; those without a file as long as something of theirs may stand, or a file is broken."""
    seen = {status.fleet: status for status in statuses}
    rows = [
        fleet_row(
            spec,
            seen.pop(spec.name, None),
            now=now,
            look=looks.get(spec.name),
            overrides=overrides,
            questions=questions,
        )
        for spec in folder.fleets
    ]
    held = {each.fleet for each in overrides}
    left = [each for each in seen.values() if folder.problems or each.fleet in held or now < _stands_until(each)]
    return sorted([*rows, *(row_without_file(each, now, overrides) for each in left)], key=lambda row: row.name)


def costs(rows: Sequence[FleetRow], statuses: Sequence[Status], *, now: datetime) -> dict[str, float]:
    """Sum up what the fleets of the list have cost, and those that have left it; nothing where no meter runs."""
    listed = {row.name for row in rows}
    left = [row_without_file(each, now) for each in statuses if each.fleet not in listed]
    spent = [row for row in (*rows, *left) if row.cost_month is not None]
    return {name: round(sum(getattr(row, name) for row in spent), 2) for name in _COSTS} if spent else {}


def _stands_until(status: Status) -> datetime:
    """Give when the last action that the fleet's last turn can have scheduled is past."""
    return status.at + HORIZON


def fleet_detail(
    row: FleetRow, spec: FleetSpec, status: Status | None, holder: Operation | None, lately: Tally | None = None
) -> FleetDetail:
    """Show one fleet with its policy."""
    policy = spec.policy
    return FleetDetail(
        **row.model_dump(),
        timezone=spec.timezone,
        engine=spec.engine,
        policy_min=policy.min_size,
        policy_max=policy.max_size,
        target_per_instance=policy.target_per_instance,
        target_quantile=policy.quantile,
        lead_time_seconds=policy.lead_time.total_seconds(),
        step_seconds=spec.metric.period.total_seconds(),
        notes=list(status.notes) if status else [],
        conflicts=_conflicts(status) if status else [],
        forecast_id=status.forecast_id if status else None,
        plan_id=status.plan_id if status else None,
        held_by=_holder(holder) if holder else None,
        ups=lately.ups if lately else 0,
        downs=lately.downs if lately else 0,
    )


def matching(rows: Iterable[FleetRow], *, text: str, state: State | None) -> list[FleetRow]:
    """Keep the fleets whose name, group or state reason holds the text, and which are in the state."""
    word = text.casefold()
    return [
        row
        for row in rows
        if state in {None, row.state} and (not word or word in f"{row.name} {row.group} {row.state_reason}".casefold())
    ]


def in_order(rows: Sequence[FleetRow], field: str, *, descending: bool) -> list[FleetRow]:
    """Sort by a field, worst state first; what is unknown comes last either way."""
    known = [row for row in rows if getattr(row, field) is not None]
    unknown = [row for row in rows if getattr(row, field) is None]
    return [*sorted(known, key=_key(field), reverse=descending), *unknown]


def _key(field: str) -> Callable[[FleetRow], tuple[object, ...]]:
    order = list(State)
    if field == "state":
        return lambda row: (order.index(row.state), row.name)
    return lambda row: (getattr(row, field), row.name)


def _seen(status: Status, spent: Reading | None) -> dict[str, Any]:
    same = ("stage", "desired", "in_service", "min_size", "max_size", "planned", "next_at", "next_capacity")
    more = ("next_reason", "demand", "quantile", "peak_at", "peak_demand", "wape", "coverage", "price_per_hour")
    known = {name: getattr(status, name) for name in (*same, *more)}
    money = {"cost_today": round(spent.day, 2), "cost_month": round(spent.month, 2)} if spent else {}
    words = list(dict.fromkeys(word for word in map(_word, status.concerns) if word))
    return {"seen_at": status.seen_at, "cost_per_hour": _cost(status), "concerns": words, **money, **known}


def _word(key: str) -> str | None:
    return _WORDS.get(key.partition(" ")[0])


def _conflicts(status: Status) -> list[str]:
    """A rival's key names what mends it, and the note about it ends with that."""
    mends = tuple(key.partition(" ")[2] for key in status.concerns if _word(key) == "conflict")
    return [note for note in status.notes if mends and note.endswith(mends)]


def _cost(status: Status) -> float | None:
    if status.in_service is None or not status.price_per_hour:
        return None
    return round(status.in_service * status.price_per_hour, 4)


def _in_trouble(status: Status, now: datetime) -> tuple[State, str] | None:
    if status.problem:
        return State.PROBLEM, status.problem
    if now - status.at > STALE_AFTER:
        return State.STALE, f"last looked at {status.at:%a %d %b %H:%M} UTC: look for a failed run of apply_plans"
    return None


def _overridden(spec: FleetSpec, overrides: Sequence[Override], now: datetime) -> tuple[State, str] | None:
    """Tell what people have laid over its plan, on the group that it has by now."""
    laid = (each for each in overrides if each.fleet in {spec.name, EVERY_FLEET})
    mine = [each for each in laid if not each.group_id or name_in(each.group_id) == spec.group]
    rules = foremost(mine, now)
    if rules is None:
        return None
    return (State.HELD if rules.kind in {OverrideKind.HOLD, OverrideKind.BOUNDS} else State.PAUSED), str(rules)


def _waiting(questions: Sequence[Question]) -> tuple[State, str] | None:
    """What is asked for is told first, and the rest of its plan is in place."""
    if not questions:
        return None
    return State.WAITING, f"waits for approval: {'; '.join(map(str, questions))}"


def _state(status: Status, mode: str) -> tuple[State, str]:
    reason = status.reason or "looked at, and nothing was to be done"
    if mode == State.OBSERVE or status.stage not in _STATES:  # a file that says observe goes before all trust
        return State(mode), reason
    return State(status.stage), reason


def _holder(operation: Operation) -> Holder:
    return Holder(operation_id=operation.id, kind=operation.kind, opened_at=operation.opened_at, by=str(operation.by))
