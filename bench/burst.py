"""A burst of 5,000 messages and a ramp of GPU load: our reaction beside AWS's own target tracking, in the same run.

Each load has two groups in the sandbox, alike but for who moves them. Instances take 120 s to boot, and work on one
message a second, or are as busy as they should be at 70 % of their GPU. Enough is what keeps them within a tenth of
their target. The burst comes just after a look. One more table shows whether any load makes a fleet flap.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol

import sandbox
from bench.flapping import print_flapping
from demo.cloud_api import CREDENTIALS, REGION

if TYPE_CHECKING:
    from predictive_scaling.ledger.store import SqlLedger
    from predictive_scaling.lookout import Lookout
    from predictive_scaling.reaction import Reaction

START: Final = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
TICK: Final = timedelta(seconds=10)
LOOK: Final = timedelta(seconds=30)
QUIET: Final = timedelta(minutes=10)
LONG: Final = timedelta(minutes=90)
BOOT: Final = 120
LEAST, MOST = 2, 50
TOLERANCE: Final = 1.1
OURS, AWS = "ours", "target tracking"
QUEUE: Final = """\
name: {group}
group: {group}
metric: {{source: sqs, queue: {group}}}
target_per_instance: 20
min: 2
max: 50
mode: auto
reaction: {{}}
"""
GPU: Final = """\
name: {group}
group: {group}
metric: {{namespace: CWAgent, name: nvidia_smi_utilization_gpu, dimensions: {{AutoScalingGroupName: {group}}},
  statistic: Average, per_instance: true, period: 1m}}
target_per_instance: 70
min: 2
max: 50
mode: auto
reaction: {{}}
"""


class Load(Protocol):
    """What comes to one group, and what its instances make of it."""

    group: str
    longest_wait: float | None

    def pass_by(self, since_start: timedelta, now: datetime, serving: int) -> int:
        """Let a tick pass with so many instances; give how many are needed."""


@dataclass(slots=True)
class Queue:
    """One message a second, and 5,000 at once."""

    cloud: sandbox.Cloud
    group: str
    longest_wait: float | None = 0.0
    address: str = ""
    waiting: int = 0

    BURST: ClassVar[int] = 5000

    def pass_by(self, since_start: timedelta, now: datetime, serving: int) -> int:
        """Send what comes, then work on as many as the instances can."""
        seconds = int(TICK.total_seconds())
        if not self.address:
            self.address = self.cloud.client("sqs").create_queue(QueueName=self.group)["QueueUrl"]
        self._send(seconds + (self.BURST if since_start == QUIET else 0), now)
        needed = min(max(ceil(self.waiting / 20 / TOLERANCE), LEAST), MOST)
        self._work(serving * seconds, now)
        return needed

    def _send(self, count: int, now: datetime) -> None:
        sqs = self.cloud.client("sqs")
        for first in range(0, count, 10):
            rows = [{"Id": str(n), "MessageBody": now.isoformat()} for n in range(first, min(first + 10, count))]
            sqs.send_message_batch(QueueUrl=self.address, Entries=rows)
        self.waiting += count

    def _work(self, count: int, now: datetime) -> None:
        sqs = self.cloud.client("sqs")
        while count > 0:
            found = sqs.receive_message(QueueUrl=self.address, MaxNumberOfMessages=min(count, 10)).get("Messages", ())
            if not found:
                return
            rows = [{"Id": str(n), "ReceiptHandle": each["ReceiptHandle"]} for n, each in enumerate(found)]
            sqs.delete_message_batch(QueueUrl=self.address, Entries=rows)
            waits = ((now - datetime.fromisoformat(each["Body"])).total_seconds() for each in found)
            self.longest_wait = max(self.longest_wait or 0.0, *waits)
            self.waiting -= len(found)
            count -= len(found)


@dataclass(slots=True)
class Gpus:
    """The work of two instances, rising to that of twenty within twenty minutes, and back after as many."""

    cloud: sandbox.Cloud
    group: str
    longest_wait: float | None = None

    HIGH: ClassVar[float] = 20.0
    RAMP: ClassVar[timedelta] = timedelta(minutes=20)

    def pass_by(self, since_start: timedelta, now: datetime, serving: int) -> int:
        """Publish, once a minute, how busy the instances are; a full one says 100."""
        up, down = ((since_start - QUIET - at) / self.RAMP for at in (timedelta(0), 2 * self.RAMP))
        work = LEAST * 0.95 + (self.HIGH - LEAST) * (min(max(up, 0), 1) - min(max(down, 0), 1))
        if not now.second:
            percent = min(100.0, 70 * work / serving) if serving else 100.0
            dimensions = [{"Name": "AutoScalingGroupName", "Value": self.group}]
            datum = {"MetricName": "nvidia_smi_utilization_gpu", "Dimensions": dimensions, "Value": percent}
            when = now - timedelta(minutes=1)
            self.cloud.client("cloudwatch").put_metric_data(
                Namespace="CWAgent", MetricData=[{**datum, "Timestamp": when}]
            )
        return max(ceil(work / TOLERANCE), LEAST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One group at one tick."""

    seconds: float
    needed: int
    desired: int
    serving: int


@dataclass(slots=True)
class Run:
    """One group with its load, and how it went."""

    way: str
    load: Load
    moments: list[Moment] = field(default_factory=list)

    def row(self) -> str:
        """Sum it up, from the moment the load began to rise."""
        risen = [each for each in self.moments if each.seconds >= 0]
        most = max(each.needed for each in risen)
        acted = next((each.seconds for each in risen if each.desired > LEAST), None)
        enough = next((each.seconds for each in risen if each.serving >= most), None)
        desired = max(each.desired for each in risen)
        hours = sum(max(each.desired, each.serving) for each in risen) * TICK / timedelta(hours=1)
        short = sum(each.serving < each.needed for each in risen) * TICK / timedelta(minutes=1)
        seconds = " | ".join("-" if each is None else f"{each:.0f}" for each in (acted, enough, self.load.longest_wait))
        return f"| {self.way} | {seconds} | {short:.1f} | {desired} / {most} | {reversals(risen)} | {hours:.1f} |"


def reversals(moments: list[Moment]) -> int:
    """Count how often the desired capacity turned round; once is up and down again."""
    moves = [later.desired - before.desired for before, later in pairwise(moments) if later.desired != before.desired]
    return sum((one > 0) != (two > 0) for one, two in pairwise(moves))


def measure(_traces: Path | None) -> None:
    """Print a table for each load, then whether any load makes a fleet flap."""
    with tempfile.TemporaryDirectory() as folder, sandbox.running() as cloud:
        os.environ |= {"AIRFLOW_HOME": folder, "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR"}
        cloud.clock(now=START, speed=0)
        cloud.configure(boot_seconds=BOOT, boot_jitter=0)
        runs = _arranged(cloud, Path(folder))
        _live(cloud, runs, _Watch(cloud, Path(folder)))
    for title, some in (("queue: 0 -> 5,000 messages at once", runs[:2]), ("GPU: 2 -> 20 in 20 minutes", runs[2:])):
        print(f"\n{title}\n")
        print(
            "| way | first call s | enough in service s | longest wait s | short min | most desired / needed "
            "| reversals | instance hours |"
        )
        print("|---" * 8 + "|")
        for run in some:
            print(run.row(), flush=True)
    print_flapping()


def _arranged(cloud: sandbox.Cloud, folder: Path) -> list[Run]:
    """Make the four groups; a fleet file for those of ours, a policy for the others."""
    fleets = folder / "fleets"
    fleets.mkdir()
    runs = []
    for name, file, metrics in (("mail", QUEUE, _backlog), ("gpu", GPU, _use)):
        for way in (OURS, AWS):
            group = f"{name}-{way.split()[0]}"
            cloud.create_fleet(group, min_size=LEAST, max_size=MOST, desired=LEAST)
            if way == OURS:
                (fleets / f"{group}.yaml").write_text(file.format(group=group))
            else:
                _track(cloud, group, *metrics(group))
            runs.append(Run(way, Queue(cloud, group) if file is QUEUE else Gpus(cloud, group)))
    return runs


def _track(cloud: sandbox.Cloud, group: str, target: float, metric: dict[str, Any]) -> None:
    cloud.client("autoscaling").put_scaling_policy(
        AutoScalingGroupName=group,
        PolicyName="follow",
        PolicyType="TargetTrackingScaling",
        EstimatedInstanceWarmup=BOOT,
        TargetTrackingConfiguration={"TargetValue": target, "CustomizedMetricSpecification": metric},
    )


def _backlog(group: str) -> tuple[float, dict[str, Any]]:
    """Give the backlog per instance, as AWS's own guide writes it."""
    messages = _metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", QueueName=group)
    instances = _metric("AWS/AutoScaling", "GroupInServiceInstances", AutoScalingGroupName=group)
    parts = [
        {"Id": "m1", "MetricStat": {"Metric": messages, "Stat": "Sum"}, "ReturnData": False},
        {"Id": "m2", "MetricStat": {"Metric": instances, "Stat": "Average"}, "ReturnData": False},
        {"Id": "e1", "Expression": "m1 / m2", "ReturnData": True},
    ]
    return 20.0, {"Metrics": parts}


def _use(group: str) -> tuple[float, dict[str, Any]]:
    return 70.0, {
        **_metric("CWAgent", "nvidia_smi_utilization_gpu", AutoScalingGroupName=group),
        "Statistic": "Average",
    }


def _metric(namespace: str, name: str, **dimensions: str) -> dict[str, Any]:
    named = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    return {"Namespace": namespace, "MetricName": name, "Dimensions": named}


def _live(cloud: sandbox.Cloud, runs: list[Run], watch: _Watch) -> None:
    """Let time pass, tick by tick; what a tick brings is seen at the next look at the earliest."""
    cloud.advance(BOOT + 60)
    began = cloud.now()
    while (passed := cloud.now() - began) < LONG:
        if not passed % LOOK:
            watch.look()
        groups = cloud.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
        rows = {row["AutoScalingGroupName"]: row for row in groups}
        for run in runs:
            row = rows[run.load.group]
            serving = sum(each["LifecycleState"] == "InService" for each in row["Instances"])
            needed = run.load.pass_by(passed, cloud.now(), serving)
            seconds = (passed - QUIET).total_seconds()
            run.moments.append(Moment(seconds=seconds, needed=needed, desired=row["DesiredCapacity"], serving=serving))
        cloud.advance(TICK.total_seconds())


class _Watch:
    """Our own side: looks as the triggerer does, and writes as the operator does."""

    def __init__(self, cloud: sandbox.Cloud, folder: Path) -> None:
        extra = {"endpoint_url": cloud.url, "region_name": REGION, **CREDENTIALS}
        os.environ["AIRFLOW_CONN_AWS_DEFAULT"] = json.dumps({"conn_type": "aws", "extra": extra})
        address = {"sqlalchemy_url": f"sqlite:///{folder}/ledger.db"}
        os.environ["AIRFLOW_CONN_SCALING_LEDGER"] = json.dumps({"conn_type": "generic", "extra": address})
        self._cloud, self._ledger = cloud, _ledger(folder, cloud)
        self._lookout = _lookout(folder / "fleets")

    def look(self) -> None:
        """Look, and do what is asked for."""
        asked, _ = self._lookout.look(self._cloud.now())
        for reaction in asked:
            self._carry_out(reaction)

    def _carry_out(self, reaction: Reaction) -> None:
        from predictive_scaling.fleet_folder import read_folder
        from predictive_scaling.fleets import Sizes
        from predictive_scaling.fleets.auto_scaling import AutoScalingFleet
        from predictive_scaling.ledger.records import TaskRun
        from predictive_scaling.set_capacity import set_capacity
        from predictive_scaling.workplace import Turn, Workplace

        spec = next(each for each in read_folder(self._lookout.folder).fleets if each.name == reaction.fleet)
        by = TaskRun(actor="bench", dag_id="react_to_load", run_id=f"look {reaction.decided_at}", task_id="react")
        turn = Turn(by=by, now=reaction.decided_at, patience=timedelta(minutes=15))
        at = Workplace(name=spec.name, fleet=AutoScalingFleet.of(spec), ledger=self._ledger, turn=turn)
        set_capacity(spec, at, Sizes(desired=reaction.capacity), reaction.reason)


def _ledger(folder: Path, cloud: sandbox.Cloud) -> SqlLedger:
    from predictive_scaling.ledger.connection import engine_for
    from predictive_scaling.ledger.store import SqlLedger
    from predictive_scaling.ledger.tables import metadata

    engine = engine_for(f"sqlite:///{folder}/ledger.db")
    metadata.create_all(engine)
    return SqlLedger(engine, cloud.now)


def _lookout(fleets: Path) -> Lookout:
    from predictive_scaling.fleet_spec import Shard
    from predictive_scaling.lookout import Lookout

    return Lookout(folder=fleets, shard=Shard.parse("1-of-1"))
