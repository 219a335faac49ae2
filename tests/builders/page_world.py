"""A deployment's memory as the page finds it: fleet files, histories, forecasts, plans, statuses and a ledger."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from forecasting import Plan, draw_plan, forecast
from forecasting.accuracy import Accuracy
from forecasting.budget import Span
from forecasting.cost_meter import Reading
from forecasting.cost_verdict import Outcome, Sum, Verdict
from forecasting.gate import Stage, Standing
from forecasting.override import Override, OverrideKind
from predictive_scaling.fleet_folder import read_folder
from predictive_scaling.fleets import Instance
from predictive_scaling.ledger.gates import Gate, SqlGates
from predictive_scaling.ledger.overrides import SqlOverrides
from predictive_scaling.ledger.records import Event, EventKind, Operation, TaskRun
from predictive_scaling.ledger.statuses import SqlStatuses
from predictive_scaling.ledger.store import SqlLedger
from predictive_scaling.ledger.tables import metadata
from predictive_scaling.size_seen import SizeSeen
from predictive_scaling.status import Status
from predictive_scaling.storage import Points, Storage

if TYPE_CHECKING:
    import sqlalchemy as sa

    from forecasting import Demand, Forecast
    from predictive_scaling.fleet_spec import FleetSpec

FLEETS: Final = Path(__file__).parents[2] / "include" / "fleets"
LONG: Final = "recommendations-of-the-storefront-platform-eu-central-1-prod"
HTML: Final = "<img src=x onerror=alert(1)> & <b>bold</b>"
MEND: Final = "delete them, or say the same as an event of the fleet file"
CONFLICT: Final = f"somebody else's scheduled actions set the same bounds: night-off: {MEND}"
BY: Final = TaskRun(
    actor="airflow (asset run)",
    dag_id="apply_plans",
    run_id="asset__2026 +1",
    task_id="apply",
    map_index=-1,
    try_number=1,
)
ADA: Final = replace(BY, actor="ada", dag_id="scale_manually", run_id="manual__1", task_id="scale")
QUANTILES: Final = (0.5, 0.75, 0.9, 0.95, 0.99)


def a_world(folder: Path, engine: sa.Engine) -> None:
    """Fill a storage folder and a database whose tables exist already, or make them."""
    metadata.create_all(engine)
    storage = Storage.at(f"file://{folder}")
    statuses, ledger = SqlStatuses(engine), SqlLedger(engine)
    for spec in read_folder(FLEETS).fleets:
        remember(spec, storage, statuses, ledger)
        SqlGates(engine).save(a_gate(spec))
        storage.save_inventory(spec.name, some_instances(spec), now=datetime.now(UTC))
        for seen in some_sizes(datetime.now(UTC)):
            storage.save_size(spec.name, seen)
    storage.save_replay("web-shop", a_replay(), now=datetime.now(UTC))
    freeze = a_freeze("batch-video")
    SqlOverrides(engine).add(freeze)
    SqlOverrides(engine).add(an_older_hold(freeze))
    ledger.record(Event(fleet="batch-video", kind=EventKind.REFUSED, reason=HTML, by=ADA, error=HTML))
    judge("web-shop", ledger)
    ledger.record(Event(fleet=LONG, kind=EventKind.OBSERVED, reason="would schedule 2 actions", by=BY))


def remember(spec: FleetSpec, storage: Storage, statuses: SqlStatuses, ledger: SqlLedger) -> None:
    """Remember three weeks of one fleet, and a turn that went well."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    storage.append(spec, a_history(spec, now))
    demand = storage.demand(spec, since=now - timedelta(days=21))
    found = forecast(
        demand, horizon=timedelta(hours=48), quantiles=QUANTILES, engine="seasonal_naive", timezone=spec.timezone
    )
    forecast_id = storage.save_forecast(spec, found)
    storage.save_accuracies(
        spec, {f"{now - timedelta(hours=h):%Y%m%dT%H%MZ}": an_accuracy(h) for h in range(72, 48, -1)}
    )
    plan = draw_plan(found, spec.policy, now=now, timezone=spec.timezone)
    before = draw_plan(found, replace(spec.policy, quantile=0.75), now=now, timezone=spec.timezone)
    statuses.save(a_status(spec, before, found, forecast_id, now), as_mapping(before))
    statuses.save(a_status(spec, plan, found, forecast_id, now), as_mapping(plan))
    tell(spec, plan, forecast_id, ledger)


def a_history(spec: FleetSpec, now: datetime) -> Points:
    """Three weeks of days, with a gap of two hours yesterday."""
    seed = random.Random(spec.name)  # noqa: S311 - a load, not a secret
    top = spec.policy.target_per_instance * spec.policy.max_size * 0.6
    step = spec.metric.period
    start = now - timedelta(days=21)
    first = datetime.fromtimestamp(start.timestamp() // step.total_seconds() * step.total_seconds(), UTC)
    gap = now - timedelta(hours=20)
    pairs = []
    for slot in range(int(timedelta(days=21) / step) - 1):
        when = first + slot * step
        if not gap <= when < gap + timedelta(hours=2):
            day = 0.55 - 0.45 * math.cos((when.hour + when.minute / 60 - 4) / 24 * 2 * math.pi)
            pairs.append((when, max(0.0, top * day * (1 + seed.gauss(0, 0.05)))))
    return Points.of(pairs)


def an_accuracy(hours: int) -> Accuracy:
    return Accuracy(slots=576, wape=0.04 + hours / 2000, bias=0.01, pinball=3.0, coverage=0.9 + (hours % 3) / 100)


def a_status(spec: FleetSpec, plan: Plan, found: Forecast, forecast_id: str, now: datetime) -> Status:
    held, coming = plan.step_at(now), [step for step in plan.steps if step.at > now]
    high = found.at(0.9)
    return Status(
        fleet=spec.name,
        at=now,
        group=spec.group,
        mode=spec.mode.value,
        unit=spec.metric.unit,
        min_size=held.capacity,
        max_size=spec.policy.max_size + 4,
        desired=held.capacity,
        in_service=held.capacity,
        planned=held.capacity,
        next_at=coming[0].at if coming else None,
        next_capacity=coming[0].capacity if coming else None,
        next_reason=coming[0].reason if coming else None,
        peak_at=found.times()[int(high.argmax())],
        peak_demand=float(high.max()),
        demand=float(found.value_at(now, 0.9)),
        quantile=0.9,
        forecast_id=forecast_id,
        plan_id=plan.plan_id,
        written=len(coming),
        reason="written, read back and verified",
        notes=(CONFLICT, "held by us") if spec.name == "web-shop" else (),
        concerns=(f"rival {MEND}",) if spec.name == "web-shop" else (),
        price_per_hour=0.096,
        wape=0.07,
        coverage=0.91,
        meter=Reading(at=now, since=now, instances=held.capacity, price=0.096, day=7.25, month=181.5).as_json(),
    )


def some_instances(spec: FleetSpec) -> list[Instance]:
    """One that is sick, one that is leaving, and the rest at work."""
    found = [
        Instance(id=f"i-{number:08x}", zone=f"us-east-1{'ab'[number % 2]}", type="m6i.large") for number in range(14)
    ]
    sick, leaving, *well = (replace(each, protected=number == 3) for number, each in enumerate(found))
    if spec.name != "web-shop":
        return well
    return [replace(sick, healthy=False), replace(leaving, lifecycle="Terminating:Wait"), *well]


def some_sizes(now: datetime) -> list[SizeSeen]:
    """Three turns of today, at the first of which an instance was still on its way."""
    return [
        SizeSeen(at=now - timedelta(hours=hour), desired=9, in_service=8 if hour == 9 else 9, planned=7)
        for hour in (9, 6, 3)
    ]


def judge(fleet: str, ledger: SqlLedger) -> None:
    """Remember what the budget of one fleet made of its plan."""
    sums = (
        Sum(span=Span.HOURLY, when="from Mon 09:00 UTC", cap=2.5, spent=0.0, committed=1.1, asked=1.9, granted=1.4),
        Sum(span=Span.MONTHLY, when="March 2026", cap=900.0, spent=310.0, committed=220.0, asked=140.0, granted=140.0),
    )
    verdict = Verdict(
        budget="shop",
        fleet=fleet,
        outcome=Outcome.CLAMPED,
        sums=sums,
        asked_peak=31,
        granted_peak=25,
        source="by the meter",
    )
    ledger.record(
        Event(
            fleet=fleet,
            kind=EventKind.BUDGETED,
            call=f"budget {verdict.budget}",
            reason=verdict.reason,
            by=BY,
            after=verdict.as_json(),
        )
    )


def a_gate(spec: FleetSpec) -> Gate:
    reason = "short 0.4% of the time instead of 3.1%, for 6% more, within the 25% that may be"
    since = datetime.now(UTC) - timedelta(days=2)
    return Gate(
        fleet=spec.name,
        standing=Standing(stage=Stage.AUTO, since=since, reason=reason),
        actor=BY.actor,
        measured_by=spec.measured_by,
        evidence={
            "wape": 0.07,
            "flat": 0.31,
            "rhythm": 0.23,
            "margin": 0.2,
            "extra_cost": 0.06,
            "worth": 0.11,
            "floor": {"under_time_share": 0.004},
            "reactive": {"under_time_share": 0.031},
        },
        reviewed_at=since,
        boot=timedelta(seconds=142),
        launches=37,
    )


def a_replay() -> dict[str, Any]:
    def outcome(policy: str, mode: str, short: float, hours: float) -> dict[str, Any]:
        when = {"since": "2026-03-01T00:00:00+00:00", "until": "2026-03-04T00:00:00+00:00"}
        shares = {"under_time_share": short, "over_hours_share": 0.2, "actions_per_day": 12.0}
        cost = {"instance_hours": hours, "cost": hours * 0.1, "monthly_cost": hours}
        best = (policy, mode) == ("surer", "steered")
        return {"policy": policy, "mode": mode, **when, **shares, **cost, "best": best}

    return {
        "fleet": "web-shop",
        "boot_seconds": 300.0,
        "max_extra_cost": 0.25,
        "variations": {"surer": {"quantile": 0.97}},
        "outcomes": [
            outcome("web-shop", "reactive", 0.052, 610.0),
            outcome("web-shop", "steered", 0.004, 662.0),
            outcome("surer", "reactive", 0.052, 610.0),
            outcome("surer", "steered", 0.001, 701.0),
        ],
    }


def a_freeze(fleet: str) -> Override:
    now = datetime.now(UTC)
    return Override(
        id="5d0c6d5e-0000-4000-8000-000000000001",
        fleet=fleet,
        kind=OverrideKind.FREEZE,
        reason="the encoder is being replaced",
        actor="ada",
        starts_at=now,
        ends_at=now + timedelta(hours=4),
        min_size=4,
        max_size=4,
        created_at=now,
    )


def an_older_hold(newer: Override) -> Override:
    return replace(
        newer,
        id="5d0c6d5e-0000-4000-8000-000000000002",
        kind=OverrideKind.HOLD,
        reason="a trailer is shown tonight",
        actor="bob",
        min_size=6,
        max_size=6,
        created_at=newer.starts_at - timedelta(hours=1),
    )


def as_mapping(plan: Plan) -> dict[str, Any]:
    mapping: dict[str, Any] = json.loads(plan.to_json())
    return mapping


def tell(spec: FleetSpec, plan: Plan, forecast_id: str, ledger: SqlLedger) -> None:
    """Remember an operation of two calls, and an observation."""
    rests_on: dict[str, Any] = {"forecast_id": forecast_id, "plan_id": plan.plan_id}
    actions = {f"ps-{spec.name}-{step.at:%Y%m%dT%H%MZ}": {"min": step.capacity} for step in plan.steps[:3]}

    def event(kind: EventKind, reason: str, **more: Any) -> Event:
        return Event(fleet=spec.name, kind=kind, reason=reason, by=BY, **rests_on, **more)

    operation = ledger.open(
        Operation(fleet=spec.name, kind="apply_plan", key=f"{spec.name}/1", by=BY, plan_id=plan.plan_id),
        event(
            EventKind.INTENT, f"schedule 3 actions: {plan.steps[0].reason}", call="put 1 of 1", before={}, after=actions
        ),
    )
    applied = event(
        EventKind.APPLIED, "`put 1 of 1` was accepted; read back and verified", call="put 1 of 1", after=actions
    )
    ledger.close(operation, replace(applied, aws_request_id="8f1c2d3e-0000-4000-8000-5f6a7b8c9d0e"))
    ledger.record(event(EventKind.OBSERVED, "would schedule 2 actions and remove 1; this is a dry run"))


def measured(demand: Demand) -> int:
    """Count what is known of a series."""
    return sum(not math.isnan(value) for value in demand.values)
