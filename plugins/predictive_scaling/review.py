"""A shard's review: every fleet's forecast is held against its last weeks, and the gate is moved by what is found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from forecasting import ForecastingError, InvalidRequest
from forecasting.evidence import Load, forecast_past, gather, judged_from
from forecasting.gate import Stage, Standing, Verdict, judge
from predictive_scaling.contest import served
from predictive_scaling.demand_forecast import alike
from predictive_scaling.errors import NoHistory, PredictiveScalingError
from predictive_scaling.fleet_spec import Mode
from predictive_scaling.histories import histories, unusable_store
from predictive_scaling.lead_time import Boot, learned
from predictive_scaling.ledger.gates import Gate
from predictive_scaling.ledger.records import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime, timedelta

    from airflow.sdk import Context

    from forecasting.evidence import Evidence, Past
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.fleets import Fleet
    from predictive_scaling.histories import History
    from predictive_scaling.ledger import Ledger
    from predictive_scaling.ledger.gates import Gates
    from predictive_scaling.ledger.records import TaskRun
    from predictive_scaling.settings import Settings
    from predictive_scaling.storage import Storage

Finding = tuple[Verdict, "Evidence | None"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """What a review found of one fleet, and where the fleet stood before it; `before` is None the first time."""

    fleet: str
    verdict: Verdict
    before: Gate | None
    after: Gate

    @property
    def moved(self) -> bool:
        """Whether the fleet stands elsewhere than before, or there again on other metrics."""
        before, after = self.before, self.after
        if before is None or before.measured_by != after.measured_by:
            return True
        return before.standing.stage is not after.standing.stage

    def __str__(self) -> str:
        standing = self.after.standing
        passed = "passes" if self.verdict.passed else f"fails ({standing.failures} in a row)"
        where = f"{standing.stage} since {standing.since:%Y-%m-%d %H:%M} UTC"
        if self.moved:
            where = f"{self.before.standing.stage if self.before else 'new'} -> {standing.stage}"
        return f"{self.fleet}: {passed}, {where}: {self.verdict.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Where a review looks and writes, and on whose behalf."""

    storage: Storage
    gates: Gates
    ledger: Ledger
    reach: Callable[[FleetSpec], Fleet]
    by: TaskRun


def review(fleets: Sequence[FleetSpec], bench: Bench, *, now: datetime) -> tuple[list[Reviewed], list[str]]:
    """Judge every fleet, move its gate and remember each move; name those of which nothing can be read."""
    boots = {fleet.name: _boot(fleet, bench) for fleet in fleets}
    found, empty = _findings(fleets, boots, bench, now)
    judged = [fleet for fleet in fleets if fleet.name in found]
    return [_settled(fleet, found[fleet.name], boots[fleet.name], bench, now) for fleet in judged], empty


def _known(gate: Gate | None) -> Boot:
    return Boot(gate.boot, gate.launches) if gate else Boot()


def _boot(fleet: FleetSpec, bench: Bench) -> Boot:
    """Learn the boot time from the group's own launches; a group out of reach leaves what is known."""
    known = _known(bench.gates.of(fleet.name))
    try:
        return learned(bench.reach(fleet).activities(), known)
    except PredictiveScalingError:
        return known


def _findings(
    fleets: Sequence[FleetSpec], boots: Mapping[str, Boot], bench: Bench, now: datetime
) -> tuple[dict[str, Finding], list[str]]:
    read = bench.storage.each(lambda fleet: _read(fleet, bench.storage, now), fleets)
    loads = {fleet.name: each for fleet, each in zip(fleets, read, strict=True) if isinstance(each, tuple)}
    past = _past([each for of_fleet in loads.values() for each in of_fleet])
    found: dict[str, Finding] = {}
    for fleet, each in zip(fleets, read, strict=True):
        if isinstance(each, Verdict):
            found[fleet.name] = each, None
        elif isinstance(each, tuple):
            found[fleet.name] = _finding(fleet, each, past, boots[fleet.name].time or fleet.policy.lead_time)
    return found, [each for each in read if isinstance(each, str)]


def _read(fleet: FleetSpec, storage: Storage, now: datetime) -> tuple[History, ...] | Verdict | str:
    """Read what a fleet is judged by; or refuse it, or say why nothing can be held against it."""
    try:
        loads = histories(fleet, storage, now=now)
        return tuple(replace(each, load=served(each.load, storage)) for each in _judgeable(fleet, loads))
    except ForecastingError as error:
        return _refused(error)
    except NoHistory as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - whatever a file or its store raises, it is this fleet's alone
        return f"fleet {fleet.name}: {unusable_store(fleet, error)}"


def _judgeable(fleet: FleetSpec, loads: tuple[History, ...]) -> tuple[History, ...]:
    """Give the history of each load; one that is too short to judge by is named."""
    for each in loads:
        try:
            judged_from(each.demand)
        except ForecastingError as error:
            raise _of_load(error, fleet, each) from error
    return loads


def _past(loads: Sequence[History]) -> dict[str, Past | ForecastingError]:
    """Forecast the past of every load, with the engine that serves it; loads of one calendar together."""
    made: dict[str, Past | ForecastingError] = {}
    for group in alike([(each.load, each.demand) for each in loads]):
        made |= forecast_past({load.name: demand for load, demand in group}, **group[0][0].calendar)
    return made


def _finding(
    fleet: FleetSpec, loads: Sequence[History], past: Mapping[str, Past | ForecastingError], boot: timedelta
) -> Finding:
    """Replay a fleet with its own policy."""
    try:
        lived = [_lived(fleet, each, past[each.load.name]) for each in loads]
        evidence = gather(lived, fleet.policy, boot, timezone=fleet.timezone)
    except ForecastingError as error:
        return _refused(error), None
    return judge(evidence, max_extra_cost=fleet.max_extra_cost), evidence


def _lived(fleet: FleetSpec, each: History, past: Past | ForecastingError) -> Load:
    if isinstance(past, ForecastingError):
        raise _of_load(past, fleet, each)
    target = each.load.policy.target_per_instance
    return Load(name=each.name, demand=each.demand, target_per_instance=target, past=past)


def _of_load(error: ForecastingError, fleet: FleetSpec, each: History) -> ForecastingError:
    """Name the load at fault, where there are several."""
    return error.about(each.name) if fleet.also else error


def _refused(error: Exception) -> Verdict:
    return Verdict(passed=False, reason=str(error))


def _settled(fleet: FleetSpec, found: Finding, boot: Boot, bench: Bench, now: datetime) -> Reviewed:
    verdict, evidence = found
    before = bench.gates.of(fleet.name)
    standing = before.on(fleet.measured_by).standing if before else Standing(since=now)
    if before and before.measured_by != fleet.measured_by:
        why = "judged anew, for its load is measured by another metric, or in another account"
        verdict = replace(verdict, reason=f"{verdict.reason}; {why}")
    after = Gate(
        fleet=fleet.name,
        standing=standing.reviewed(verdict, by_itself=fleet.mode is Mode.AUTO, now=now),
        measured_by=fleet.measured_by,
        evidence=evidence.as_mapping() if evidence else None,
        reviewed_at=now,
        boot=boot.time,
        launches=boot.launches,
        actor=bench.by.actor,
    )
    reviewed = Reviewed(fleet=fleet.name, verdict=verdict, before=before, after=after)
    learnt = [_learned(fleet.name, boot, _known(before), bench.by)] if boot.differs_from(_known(before)) else []
    move = [moved(fleet.name, before, after, bench.by)] if reviewed.moved else []
    bench.gates.save(after, *learnt, *move)
    return reviewed


def _learned(fleet: str, boot: Boot, known: Boot, by: TaskRun) -> Event:
    """Tell the ledger that launches take another time than was known."""
    seconds = boot.time.total_seconds() if boot.time is not None else None
    before = {"boot_seconds": known.time.total_seconds()} if known.time is not None else None
    after = {"boot_seconds": seconds, "launches": boot.launches}
    reason = f"nine in ten of {boot.launches} launches were in service within {seconds or 0:.0f} seconds"
    return Event(fleet=fleet, kind=EventKind.LEARNED, by=by, reason=reason, before=before, after=after)


def promote(fleet: FleetSpec, to: Stage, reason: str, bench: Bench, *, now: datetime) -> tuple[Stage, Gate]:
    """Move a fleet by a person's word, once, and remember whose; give where it stood, and its gate now."""
    before = bench.gates.of(fleet.name)
    if before is None:
        msg = f"fleet {fleet.name!r} has not been reviewed: run review_fleets first"
        raise InvalidRequest(msg)
    if bench.by.is_retry and (told := bench.ledger.events(fleet=fleet.name, kind=EventKind.MOVED, by=bench.by)):
        return Stage((told[0].before or {})["stage"]), before
    standing = before.on(fleet.measured_by).standing
    moving = standing.promoted if to is Stage.AUTO else standing.rejected
    after = replace(before, standing=moving(reason, now=now), actor=bench.by.actor)
    bench.gates.save(after, moved(fleet.name, before, after, bench.by))
    return standing.stage, after


def bench_of(context: Context, settings: Settings) -> Bench:
    """Reach what a task reviews with."""
    from predictive_scaling.fleets.auto_scaling import AutoScalingFleet
    from predictive_scaling.ledger.gates import SqlGates
    from predictive_scaling.ledger.store import SqlLedger
    from predictive_scaling.storage import Storage
    from predictive_scaling.task_run import task_run

    ledger = SqlLedger.from_connection()
    ledger.check()
    return Bench(
        storage=Storage.at(settings.storage),
        gates=SqlGates.from_connection(),
        ledger=ledger,
        reach=AutoScalingFleet.of,
        by=task_run(context),
    )


def moved(fleet: str, before: Gate | None, after: Gate, by: TaskRun) -> Event:
    """Tell the ledger of a move at the gate, with the figures it rests on."""
    return Event(
        fleet=fleet,
        kind=EventKind.MOVED,
        by=by,
        before={"stage": before.standing.stage.value} if before else None,
        after={"stage": after.standing.stage.value, "evidence": after.evidence},
        reason=after.standing.reason,
    )


def as_row(reviewed: Reviewed) -> dict[str, Any]:
    """Give what a run's XCom keeps of a fleet."""
    standing = reviewed.after.standing
    return {
        "fleet": reviewed.fleet,
        "stage": standing.stage.value,
        "passed": reviewed.verdict.passed,
        "reason": reviewed.verdict.reason,
        "moved": reviewed.moved,
    }
