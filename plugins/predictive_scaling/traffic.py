"""Splitting a fleet's traffic as its baseline can bear it: look, decide, write, and look again.

The order is that of `change`: intent, call, outcome. A split holds a lock of its own beside the group's, for neither
is in the other's way; what a dead task left open is ended by a look at the rule.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from forecasting.traffic_split import Split, split
from predictive_scaling.burst import baseline_cpu
from predictive_scaling.change import begun, would
from predictive_scaling.errors import ChangedSince, FleetBusy
from predictive_scaling.findings import findings_of_split, verb_of
from predictive_scaling.ledger.records import EventKind
from predictive_scaling.rollback import BURST, Restored, undo_of
from predictive_scaling.settle import end_by, may_settle
from predictive_scaling.sources import Request
from predictive_scaling.sources.cloudwatch import CloudWatchSource
from predictive_scaling.workplace import Move

if TYPE_CHECKING:
    from predictive_scaling.balancer import Balancer, Flow
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.ledger import Ledger
    from predictive_scaling.ledger.records import Event
    from predictive_scaling.workplace import Workplace

KIND: Final = "split"
MINUTE: Final = timedelta(minutes=1)
LOOK_BACK: Final = timedelta(minutes=11)
"""Where CPU is measured every five minutes only, the newest value may be so old."""
RECENT: Final = 200
"""Events of a fleet among which its last split is looked for: with so many since, it was long ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """One fleet's traffic: the rule that splits it, and where its changes are told."""

    spec: FleetSpec
    balancer: Balancer
    at: Workplace

    @property
    def lock(self) -> str:
        """What an operation on the traffic holds."""
        return f"{self.spec.name}/traffic"


def split_traffic(crossing: Crossing, why_not: str = "") -> str:
    """Move the weights to what the baseline can bear, unless something is against it; say what was done."""
    flow = settled(crossing)
    used, trouble = utilisation(crossing.spec, crossing.at.ledger, crossing.at.turn.now)
    wanted = split(used, healthy=flow.healthy, now_burst=flow.burst, terms=crossing.balancer.burst.terms)
    if trouble:
        wanted = replace(wanted, reason=f"{wanted.reason} ({trouble})")
    if wanted.burst == flow.burst:
        return f"{flow.burst}% to the burst, as it is: {wanted.reason}"
    return _moved(crossing, flow, wanted, why_not)


def restore_split(event: Event, crossing: Crossing, reason: str, *, force: bool = False, why_not: str = "") -> Restored:
    """Put the weights back as they were before the event's operation, unless somebody else has moved them since."""
    flow = settled(crossing)
    undo = undo_of(event, crossing.at.ledger)
    before, after = undo.before[BURST], undo.after[BURST]
    if flow.burst not in {before, after} and not force:
        msg = (
            f"fleet {crossing.spec.name}: split anew since: {flow.burst}% go to the burst, {after}% were left to it, "
            f"and {before}% before; tick `force` to put it back all the same"
        )
        raise ChangedSince(msg)
    lines = [f"rolling back operation {undo.operation_id}: {undo.story}"]
    if flow.burst == before:
        return Restored(operation_id=undo.operation_id, written=False, lines=(*lines, "all is as it was before"))
    wanted = Split(burst=before, reason=f"roll back: {reason}")
    lines += [_moved(crossing, flow, wanted, why_not)]
    lines += ["the next run of split_traffic splits anew: pause that DAG to keep it so"]
    return Restored(operation_id=undo.operation_id, written=not why_not, lines=tuple(lines))


def settled(crossing: Crossing) -> Flow:
    """Look at the rule; what a dead task left open is ended by what the look shows."""
    held = crossing.at.ledger.open_operation(crossing.lock)
    if held and not may_settle(held, crossing.at.turn):
        raise FleetBusy(held.hold)
    flow = crossing.balancer.look()
    if held:
        end_by(held, lambda intent: findings_of_split(intent, flow.burst), crossing.at)
    return flow


def utilisation(spec: FleetSpec, ledger: Ledger, now: datetime) -> tuple[float | None, str]:
    """Give the baseline's CPU in the last five measured minutes since its traffic was split anew, or say why not."""
    changed = _last_split(spec.name, ledger)
    since = max(now - LOOK_BACK, changed + MINUTE) if changed else now - LOOK_BACK
    measured = replace(spec, metric=baseline_cpu(spec.group, MINUTE), also=())
    answer = CloudWatchSource().read([Request(fleet=measured, since=since)], until=now)
    points = answer.points.get(spec.name)
    if points is None or not len(points):
        fresh = f"since it was split at {changed:%H:%M}" if changed and changed > now - LOOK_BACK else "of late"
        return None, answer.problems.get(spec.name, f"CloudWatch has no CPU of group {spec.group} {fresh}")
    lately = points.values[points.times > points.times[-1] - 5 * MINUTE.total_seconds()]
    return float(lately.mean()) / 100, ""


def _last_split(fleet: str, ledger: Ledger) -> datetime | None:
    """When the weights were last moved: what was measured before belongs to other weights."""
    events = ledger.events(fleet=fleet, limit=RECENT)
    return next((each.at for each in events if each.kind is EventKind.APPLIED and verb_of(each.call) == KIND), None)


def _moved(crossing: Crossing, flow: Flow, wanted: Split, why_not: str) -> str:
    """Write the weights, and see that they are there."""
    told = f"burst {flow.burst}% -> {wanted.burst}%"
    move = Move(
        call=f"{KIND} to {wanted.burst}%",
        reason=f"{told}: {wanted.reason}",
        before={BURST: flow.burst},
        after={BURST: wanted.burst},
        send=lambda _: crossing.balancer.put(wanted.burst, flow),
    )
    if why_not:
        would([move], why_not, crossing.at)
        return f"wrote nothing of {told}: {wanted.reason}; {why_not}"
    made = begun(KIND, [move], crossing.at, lock=crossing.lock)
    seen = crossing.balancer.look()
    made.judged([findings_of_split(intent, seen.burst) for intent in made.intents])
    return f"wrote {told}: {wanted.reason}; read back and verified"
