"""A day of the four example fleets, compressed: three kinds of queue workers, and accelerated ones with a warm pool.

Their groups are built from their blueprints in the sandbox, whose clock runs as fast as it can. Messages come with the
habits of a day; the product pulls, forecasts and plans each hour, and looks at the load every half a minute. What an
instance has before it may wait as long as the file's `target_per_instance` takes it, and for new instances their
`lead_time` besides: no message should wait longer, but for the first after there was no instance at all.

Then the queue workers live the same day once more, measured by what comes to their queues instead of by what they hold.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from math import exp
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import yaml

import sandbox
from forecasting.duration import format_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from predictive_scaling.circumstances import Circumstances
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.lookout import Lookout

FLEETS: Final = Path(__file__).parents[1] / "include" / "fleets"
START: Final = datetime(2026, 3, 3, 0, 0, tzinfo=UTC)
TICK: Final = timedelta(seconds=15)
LOOK: Final = timedelta(seconds=30)
PLAN: Final = timedelta(hours=1)
HISTORY: Final = timedelta(days=14)
SHARE: Final = 0.7
"""Of the target, what stood before an instance in the past: nobody knows, it gives the history its size."""
BATCH: Final = 10
HALF_A_DAY: Final = 43_200
"""Seconds; the longest that SQS hides a message, for it counts real ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One example fleet: where its files are, and how many instances its work keeps busy at an hour of the day."""

    name: str
    folder: Path
    busy: Callable[[float], float]
    drain: timedelta | None = None  # measured by what comes; what waits is worked off in this time


def _hill(hour: float, *, at: float, width: float) -> float:
    return exp(-0.5 * ((hour - at) / width) ** 2)


STAGE: Final = FLEETS / "stages" / "500"
KINDS: Final = (
    Kind(name="messaging", folder=STAGE, busy=lambda hour: 0.3 + 2.2 * _hill(hour, at=14, width=4)),
    Kind(
        name="video",
        folder=STAGE,
        busy=lambda hour: 2.4 * (_hill(hour, at=10, width=1.2) + _hill(hour, at=19, width=1.5)),
    ),
    Kind(name="ai-cpu", folder=STAGE, busy=lambda hour: 1.8 * _hill(hour, at=13, width=2.5)),
    Kind(name="ai-gpu", folder=FLEETS / "gpu", busy=lambda hour: 0.4 + 3.0 * _hill(hour, at=15, width=3)),
)
DRAINED: Final = tuple(replace(kind, drain=timedelta(minutes=10)) for kind in KINDS if kind.folder == STAGE)
WELL: Final = 0.8
"""Of what an instance can do in a minute, what it should be given."""


@dataclass(slots=True)
class Work:
    """One fleet with its queue: what waits, who works, and how long it took."""

    spec: FleetSpec
    kind: Kind
    processing: timedelta
    queue: str
    sqs: Any
    waiting: deque[datetime] = field(default_factory=deque)
    in_hand: deque[tuple[datetime, str]] = field(default_factory=deque)
    free_at: dict[str, datetime] = field(default_factory=dict)
    without_anybody: datetime | None = None
    longest: timedelta = timedelta()
    longest_from_zero: timedelta = timedelta()
    late: int = 0
    waits: list[float] = field(default_factory=list)
    instances: timedelta = timedelta()

    @property
    def allowed(self) -> timedelta:
        """How long a message may wait by the fleet's file."""
        before = self.kind.drain or self.spec.policy.target_per_instance * self.processing
        return before + self.spec.policy.lead_time

    def arrive(self, now: datetime, random: np.random.Generator) -> None:
        """Send what came since the last tick."""
        hour = (now - START) / timedelta(hours=1) % 24
        came = int(random.poisson(self.kind.busy(hour) * (TICK / self.processing)))
        for first in range(0, came, BATCH):
            rows = [{"Id": str(n), "MessageBody": "x"} for n in range(first, min(first + BATCH, came))]
            self.sqs.send_message_batch(QueueUrl=self.queue, Entries=rows)
        self.waiting.extend([now] * came)

    def go_on(self, now: datetime, group: dict[str, Any]) -> None:
        """Let every instance in service finish what it has, and take what it has time for until the next tick."""
        self._finish(now)
        there = [each["InstanceId"] for each in group["Instances"] if each["LifecycleState"] == "InService"]
        self.instances += TICK * len(group["Instances"])
        self.free_at = {each: max(self.free_at.get(each, now), now) for each in there}
        if not there:
            self.without_anybody = now
        ends: list[datetime] = []
        while self.waiting and self.free_at and (who := min(self.free_at, key=lambda each: self.free_at[each])):
            began = self.free_at[who]
            if began >= now + TICK:
                break
            self._waited(began - self.waiting[0], self.waiting.popleft())
            self.free_at[who] = began + self.processing
            ends.append(self.free_at[who])
        self._take(ends)

    @property
    def done(self) -> int:
        """How many messages were begun."""
        return len(self.waits)

    def _waited(self, wait: timedelta, since: datetime) -> None:
        self.waits.append(wait.total_seconds())
        if self.without_anybody is not None and since <= self.without_anybody:
            self.longest_from_zero = max(self.longest_from_zero, wait)
            return
        self.longest = max(self.longest, wait)
        self.late += wait > self.allowed

    def _take(self, ends: list[datetime]) -> None:
        """Receive so many messages, to be deleted when they are done."""
        left = deque(sorted(ends))
        while left:
            most = min(len(left), BATCH)
            answer = self.sqs.receive_message(
                QueueUrl=self.queue, MaxNumberOfMessages=most, VisibilityTimeout=HALF_A_DAY
            )
            self.in_hand.extend((left.popleft(), each["ReceiptHandle"]) for each in answer["Messages"])

    def _finish(self, now: datetime) -> None:
        over = [handle for end, handle in self.in_hand if end <= now]
        self.in_hand = deque(each for each in self.in_hand if each[0] > now)
        for first in range(0, len(over), BATCH):
            rows = [{"Id": str(n), "ReceiptHandle": each} for n, each in enumerate(over[first : first + BATCH])]
            self.sqs.delete_message_batch(QueueUrl=self.queue, Entries=rows)

    def row(self, changes: int, actions: int) -> str:
        """Sum up the day."""
        waits = (self.longest, self.allowed, self.longest_from_zero)
        each_second = [float(np.percentile(self.waits, 99)), *(each.total_seconds() for each in waits)]
        seconds = " | ".join(f"{each:,.0f}" for each in each_second)
        hours = self.instances / timedelta(hours=1)
        return f"| {self.spec.name} | {self.done:,} | {seconds} | {self.late} | {hours:.1f} | {changes} | {actions} |"


class Product:
    """The product at work: what its tasks and its watch do, at the cloud's own time."""

    def __init__(self, cloud: sandbox.Cloud, folder: Path, specs: Sequence[FleetSpec], engine: str) -> None:
        from predictive_scaling.sources.routed import RoutedSource, shipped_sources

        self._cloud, self._engine = cloud, engine
        self.around = _circumstances(folder, specs)
        self._lookout = _lookout(folder / "fleets")
        self._source = RoutedSource(shipped_sources())

    def plan(self) -> None:
        """Do what `pull_metrics`, `forecast_demand` and `apply_plans` do each hour."""
        from predictive_scaling.demand_forecast import forecast_fleets
        from predictive_scaling.fleet_folder import read_fleets
        from predictive_scaling.pull import pull
        from predictive_scaling.steer import steer

        now = self._cloud.now()
        specs = [replace(spec, engine=self._engine) for spec in read_fleets(self._lookout.folder).fleets]
        for told in pull(specs, self._source, self.around.storage, now=now):
            assert told.problem is None, told
        for made in forecast_fleets(specs, self.around.storage, now=now):
            assert made.problem is None, made
        for spec in specs:
            steer(spec, self.around, now=now)

    def look(self) -> None:
        """Do what the watch does every half a minute."""
        from predictive_scaling.answering import answer_all

        now = self._cloud.now()
        asked, _ = self._lookout.look(now)
        for told in answer_all(asked, self._lookout.watched, self.around, now=now):
            assert not told.failed, told.told

    def written(self, fleet: str) -> tuple[int, int]:
        """Count the changes of desired and the scheduled actions that the ledger tells of."""
        from predictive_scaling.findings import verb_of
        from predictive_scaling.ledger.records import EventKind

        events = self.around.ledger.events(fleet=fleet, limit=100_000)
        applied = [event for event in events if event.kind is EventKind.APPLIED and event.call]
        changes = sum(verb_of(event.call) == "resize" for event in applied)
        return changes, sum(len(event.after or {}) for event in applied if verb_of(event.call) == "put")


@dataclass(slots=True)
class Day:
    """The fleets, the product, and the hours to live through."""

    cloud: sandbox.Cloud
    product: Product
    works: list[Work]

    def live(self, hours: float) -> None:
        """Let them pass, tick by tick."""
        random = np.random.default_rng(1)
        autoscaling = self.cloud.client("autoscaling")
        end = self.cloud.now() + timedelta(hours=hours)
        while (now := self.cloud.now()) < end:
            if not (now - START) % PLAN:
                self.product.plan()
            for work in self.works:
                work.arrive(now, random)
            if not (now - START) % LOOK:
                self.product.look()
            answer = autoscaling.describe_auto_scaling_groups()
            groups = {row["AutoScalingGroupName"]: row for row in answer["AutoScalingGroups"]}
            for work in self.works:
                work.go_on(now, groups[work.spec.group])
            self.cloud.advance(TICK.total_seconds())


def measure(_traces: Path | None) -> None:
    """Print how long messages waited, and what it took."""
    for words, kinds in (("as their files say", KINDS), ("by what comes, drained within 10 minutes", DRAINED)):
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder, sandbox.in_process() as cloud:
            os.environ |= environment(Path(folder))
            day = a_day(cloud, Path(folder), kinds)
            day.live(24)
            waits = "p99 wait s | longest | allowed | from zero | too late"
            print(f"| {words} | messages | {waits} | hours | changes | actions |")
            print("|---" * 10 + "|")
            for work in day.works:
                print(work.row(*day.product.written(work.spec.name)), flush=True)
        print(f"\n24 hours took {time.monotonic() - began:.0f} s.\n")


def a_day(cloud: sandbox.Cloud, folder: Path, kinds: Sequence[Kind], *, begin: float = 0, engine: str = "auto") -> Day:
    """Build the groups from their blueprints, give them a past, and stand at an hour of the day."""
    cloud.clock(now=START + timedelta(hours=begin) - timedelta(minutes=30), speed=0)
    cloud.configure(boot_seconds=180)
    works = [_built(cloud, folder, kind) for kind in kinds]
    product = Product(cloud, folder, [work.spec for work in works], engine)
    _pass_the_gate(works)
    cloud.advance(1800)
    return Day(cloud=cloud, product=product, works=works)


def environment(folder: Path) -> dict[str, str]:
    """Make a ledger and the folder of the fleet files; give what leads the product to them."""
    from predictive_scaling.ledger.connection import engine_for
    from predictive_scaling.ledger.tables import metadata

    (folder / "fleets").mkdir()
    address = f"sqlite:///{folder}/ledger.db"
    metadata.create_all(engine_for(address))
    keys = {"aws_access_key_id": "sandbox", "aws_secret_access_key": "sandbox", "region_name": sandbox.cloud.REGION}
    ledger = {"conn_type": "generic", "extra": {"sqlalchemy_url": address}}
    return {
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        "AIRFLOW_CONN_AWS_DEFAULT": json.dumps({"conn_type": "aws", "extra": keys}),
        "AIRFLOW_CONN_SCALING_LEDGER": json.dumps(ledger),
        "AIRFLOW__PREDICTIVE_SCALING__STORAGE": f"file://{folder}/storage",
        "AIRFLOW__PREDICTIVE_SCALING__FLEETS_FOLDER": str(folder / "fleets"),
    }


def _built(cloud: sandbox.Cloud, folder: Path, kind: Kind) -> Work:
    """Make the group and the queue of one kind, and a past of its queue."""
    from predictive_scaling.blueprint_file import blueprint_path, read_blueprint
    from predictive_scaling.ensure import Builder, ensure
    from predictive_scaling.fleet_file import read_fleet
    from predictive_scaling.ledger.records import TaskRun
    from predictive_scaling.ledger.store import SqlLedger

    file = kind.folder / f"{kind.name}.yaml"
    blueprint = read_blueprint(blueprint_path(kind.folder, kind.name))
    processing = blueprint.processing or timedelta(seconds=1)
    own = folder / "fleets" / file.name
    own.write_text(_drained(file.read_text(), kind.drain, processing) if kind.drain else file.read_text())
    spec = read_fleet(own)
    by = TaskRun(actor="bench", dag_id="ensure_fleet", run_id="first", task_id="ensure")
    ensure(spec, blueprint, Builder(reach=cloud.client, ledger=SqlLedger.from_connection(), by=by))
    sqs = cloud.client("sqs")
    queue = sqs.create_queue(QueueName=_queue(spec))["QueueUrl"]
    work = Work(spec=spec, kind=kind, processing=processing, queue=queue, sqs=sqs)
    since = cloud.now() - HISTORY
    for metric, values in _past(work, since).items():
        of = {"QueueName": _queue(spec)}
        cloud.write_metric("AWS/SQS", metric, of, start=since, step=timedelta(minutes=1), values=values)
    return work


def _drained(file: str, drain: timedelta, processing: timedelta) -> str:
    """Write a fleet file of a queue's depth as one of what comes to it."""
    keys = yaml.safe_load(file)
    metric = {**keys["metric"], "drain": format_duration(drain)}
    return yaml.safe_dump({**keys, "metric": metric, "target_per_instance": WELL * (timedelta(minutes=1) / processing)})


def _queue(spec: FleetSpec) -> str:
    from predictive_scaling.fleet_check import queue_of

    return str(queue_of(spec))


def _past(work: Work, since: datetime) -> dict[str, list[float]]:
    """Give how many messages were being worked on, how many waited, and how many came, minute by minute."""
    random = np.random.default_rng(2)
    minutes = np.arange(int(HISTORY / timedelta(minutes=1)))
    hours = ((since - START) / timedelta(hours=1) + minutes / 60) % 24
    busy = np.array([work.kind.busy(hour) for hour in hours.tolist()]) * random.normal(1, 0.1, len(minutes))
    busy = np.maximum(busy, 0)
    found = {
        "ApproximateNumberOfMessagesNotVisible": busy,
        "ApproximateNumberOfMessagesVisible": busy * SHARE * work.spec.policy.target_per_instance,
        "NumberOfMessagesSent": random.poisson(busy * (timedelta(minutes=1) / work.processing)),
    }
    return {name: [float(each) for each in np.round(values)] for name, values in found.items()}


def _circumstances(folder: Path, specs: Sequence[FleetSpec]) -> Circumstances:
    from predictive_scaling.around import around
    from predictive_scaling.ledger.records import TaskRun
    from predictive_scaling.settings import Settings

    by = TaskRun(actor="bench", dag_id="day", run_id="day", task_id=str(folder), map_index=-1, try_number=1)
    return around(by, Settings.from_airflow(), specs)


def _lookout(fleets: Path) -> Lookout:
    from predictive_scaling.fleet_spec import Shard
    from predictive_scaling.lookout import Lookout

    return Lookout(folder=fleets, shard=Shard.parse("1-of-1"))


def _pass_the_gate(works: Sequence[Work]) -> None:
    """The day is about what forecasts do, not about whether they may."""
    from forecasting.gate import Stage, Standing
    from predictive_scaling.ledger.gates import Gate, SqlGates

    passed = Standing(stage=Stage.AUTO, since=START, reason="for the measurement")
    for work in works:
        spec = work.spec
        gate = Gate(fleet=spec.name, standing=passed, actor="bench", measured_by=spec.measured_by, reviewed_at=START)
        SqlGates.from_connection().save(gate)
