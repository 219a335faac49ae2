"""Content for the sandbox: three fleets for the demo, or any number of them for load tests, with 28 days of history."""

from __future__ import annotations

import random
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from moto.autoscaling.models import FakeAutoScalingGroup, autoscaling_backends
from moto.cloudwatch.models import cloudwatch_backends
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ec2.models import ec2_backends
from moto.elbv2.models import elbv2_backends
from moto.sqs.models import sqs_backends

from sandbox.agenda import Tick
from sandbox.group_instances import sizes
from sandbox.load import DAY, HOUR, Bump, Floats, Shape, Spike, instances_of_a_reactive_fleet, load
from sandbox.metrics import Metric, store_of
from sandbox.world import WORLD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sandbox.metrics import MetricStore

HISTORY = timedelta(days=28)
WARM_UP = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
FIVE_MINUTES = timedelta(minutes=5)
WEB_SHOP_BALANCER = "app/web-shop/50dc6c495c0c9188"
JOB_QUEUE = "batch-video-jobs"
WRITABLE = {"predictive-scaling": "yes"}
"""The policies of `include/iam` allow writes to groups that bear it alone."""

WEB_SHOP = Shape(
    base=1_450,
    bumps=(
        Bump(hour=11.5, width_hours=2.6, height=4_300),
        Bump(hour=20.0, width_hours=2.0, height=6_900),
    ),
    timezone="Europe/Berlin",
    weekend=0.8,
    noise=0.04,
    seed=11,
)
"""Requests per minute."""

API_CHECKOUT = Shape(
    base=220,
    bumps=(
        Bump(hour=12.5, width_hours=2.2, height=620),
        Bump(hour=18.5, width_hours=2.6, height=760),
    ),
    timezone="America/New_York",
    weekend=0.65,
    noise=0.05,
    seed=22,
)
"""Percent of one instance's processor, over the whole fleet."""

BATCH_VIDEO = Shape(
    base=-9,
    bumps=(Bump(hour=2.5, width_hours=1.7, height=95), Bump(hour=14.0, width_hours=1.2, height=18)),
    timezone="UTC",
    weekend=1.3,
    noise=0.08,
    wander=0.12,
    seed=33,
)
"""Jobs under way; by day there are none."""

CHECKOUT_BOUNDS = (2, 24)
CHECKOUT_TARGET_PERCENT = 55.0
REQUESTS_PER_INSTANCE = 600
JOBS_PER_INSTANCE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetPlan:
    """What to build for one fleet."""

    name: str
    min_size: int
    max_size: int
    desired: int
    instance_type: str = "m6i.large"
    balanced: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)


class Builder:
    """Builds fleets straight in moto's backends of one region, and reaches their metrics."""

    def __init__(self, region: str) -> None:
        """Take the region."""
        self._autoscaling = autoscaling_backends[DEFAULT_ACCOUNT_ID][region]
        self._ec2 = ec2_backends[DEFAULT_ACCOUNT_ID][region]
        self._elbv2 = elbv2_backends[DEFAULT_ACCOUNT_ID][region]
        self._sqs = sqs_backends[DEFAULT_ACCOUNT_ID][region]
        self.metrics: MetricStore = store_of(cloudwatch_backends[DEFAULT_ACCOUNT_ID][region])
        self._image = next(iter(self._ec2.describe_images())).id
        self._subnets = sorted(
            self._ec2.get_default_subnets().values(), key=lambda subnet: str(subnet.availability_zone)
        )

    def fleet(self, plan: FleetPlan) -> FakeAutoScalingGroup:
        """Create a launch template, perhaps a target group, and the Auto Scaling group."""
        data = {"ImageId": self._image, "InstanceType": plan.instance_type}
        template = self._ec2.create_launch_template(plan.name, "made by the sandbox", data, {})
        group = self._autoscaling.create_auto_scaling_group(
            name=plan.name,
            availability_zones=[],
            desired_capacity=plan.desired,
            max_size=plan.max_size,
            min_size=plan.min_size,
            launch_config_name="",
            launch_template={"LaunchTemplateId": template.id, "Version": "$Default"},
            vpc_zone_identifier=",".join(str(subnet.id) for subnet in self._subnets[:2]),
            default_cooldown=None,
            health_check_period=None,
            health_check_type=None,
            load_balancers=[],
            target_group_arns=[self._target_group(plan.name)] if plan.balanced else [],
            placement_group=None,
            termination_policies=[],
            tags=[_tag("Name", plan.name), *(_tag(key, value) for key, value in plan.tags.items())],
        )
        group.enable_metrics_collection(list(sizes(group)))
        return group

    def _target_group(self, name: str) -> str:
        vpc = self._subnets[0].vpc_id
        settings: dict[str, Any] = {"protocol": "HTTP", "port": 80, "vpc_id": vpc, "target_type": "instance"}
        return self._elbv2.create_target_group(name=name, **settings).arn

    def queue(self, name: str) -> None:
        """Create a queue."""
        self._sqs.create_queue(name, {})


def _tag(key: str, value: str) -> dict[str, Any]:
    return {"Key": key, "Value": value, "PropagateAtLaunch": True}


def _grid(end: datetime, step: timedelta) -> Floats:
    """Return the starts of the steps of the last 28 days, the last one ending by `end`."""
    seconds = step.total_seconds()
    last = end.timestamp() // seconds * seconds
    return np.arange(last - HISTORY.total_seconds(), last, seconds)


def _without_gap(times: Floats, now: datetime) -> Floats:
    """Leave out two hours, nine days ago, in which nothing was reported."""
    start = now.timestamp() // HOUR * HOUR - 9 * DAY
    return times[(times < start) | (times >= start + 2 * HOUR)]


def _spikes(now: datetime) -> tuple[Spike, ...]:
    """Return the rush of five days ago: 50 minutes, two and a half times the load."""
    return (Spike(start=now.timestamp() // HOUR * HOUR - 5 * DAY + 600, seconds=3_000, factor=2.5),)


def seed_demo(now: datetime, region: str = "us-east-1") -> None:
    """Fill the sandbox with the three fleets of the demo and 28 days of their history up to now.

    The clock is taken back an hour while they are built, so that at `now` they serve and are healthy.
    """
    builder = Builder(region)
    with _long_ago(now):
        _web_shop(builder, now)
        _api_checkout(builder, now)
        _batch_video(builder, now)


@contextmanager
def _long_ago(now: datetime) -> Iterator[None]:
    """Let what is built inside have been there for an hour at `now`: booted, healthy, and measured each minute."""
    with WORLD.lock:
        speed, settings = WORLD.clock.speed, WORLD.settings
        WORLD.configure({"boot_seconds": 0})
        WORLD.set_clock(now=now - WARM_UP, speed=0)
        yield
        WORLD.catch_up()
        WORLD.settings = settings
        WORLD.advance(WARM_UP.total_seconds())
        WORLD.set_clock(now=now, speed=speed)


def _web_shop(builder: Builder, now: datetime) -> None:
    group = builder.fleet(FleetPlan(name="web-shop", min_size=3, max_size=24, desired=6, balanced=True, tags=WRITABLE))
    metric = Metric("AWS/ApplicationELB", "RequestCount", (("LoadBalancer", WEB_SHOP_BALANCER),))
    requests = partial(load, WEB_SHOP, spikes=_spikes(now))
    times = _without_gap(_grid(now - WARM_UP, MINUTE), now)
    builder.metrics.write(metric, times, np.round(requests(times=times)), "Count")
    grid = _grid(now - WARM_UP, FIVE_MINUTES)
    _sizes_history(builder, group, grid, requests(times=grid) / REQUESTS_PER_INSTANCE)
    _go_on(builder, metric, MINUTE, lambda times: np.round(requests(times=times)), "Count")


def _api_checkout(builder: Builder, now: datetime) -> None:
    demand = partial(load, API_CHECKOUT, spikes=_spikes(now))
    grid = _grid(now - WARM_UP, FIVE_MINUTES)
    instances = instances_of_a_reactive_fleet(
        demand(times=grid), per_instance=CHECKOUT_TARGET_PERCENT, bounds=CHECKOUT_BOUNDS, late=2
    )
    low, high = CHECKOUT_BOUNDS
    group = builder.fleet(
        FleetPlan(
            name="api-checkout", min_size=low, max_size=high, desired=int(instances[-1]), balanced=True, tags=WRITABLE
        )
    )
    metric = Metric("AWS/EC2", "CPUUtilization", (("AutoScalingGroupName", "api-checkout"),))
    reported = np.isin(grid, _without_gap(grid, now))
    builder.metrics.write(metric, grid[reported], utilisation(demand(times=grid), instances)[reported], "Percent")
    _sizes_history(builder, group, grid, instances)

    def now_used(times: Floats) -> Floats:
        return utilisation(demand(times=times), np.array([float(sizes(group)["GroupInServiceInstances"])]))

    _go_on(builder, metric, FIVE_MINUTES, now_used, "Percent")


def utilisation(loads: Floats, instances: Floats) -> Floats:
    """Return the average processor use in percent of a fleet that carries a load, at most 100."""
    return np.minimum(loads / np.maximum(instances, 1.0), 100.0)


def _batch_video(builder: Builder, now: datetime) -> None:
    builder.queue(JOB_QUEUE)
    group = builder.fleet(
        FleetPlan(name="batch-video", min_size=0, max_size=30, desired=1, instance_type="g4dn.xlarge", tags=WRITABLE)
    )
    metric = Metric("Video", "JobsInProgress", (("Queue", JOB_QUEUE),))
    grid = _grid(now - WARM_UP, FIVE_MINUTES)
    jobs = partial(load, BATCH_VIDEO, spikes=_spikes(now))
    times = _without_gap(grid, now)
    builder.metrics.write(metric, times, np.round(jobs(times=times)), "Count")
    _sizes_history(builder, group, grid, jobs(times=grid) / JOBS_PER_INSTANCE)
    _go_on(builder, metric, FIVE_MINUTES, lambda times: np.round(jobs(times=times)), "Count")


def _sizes_history(builder: Builder, group: FakeAutoScalingGroup, times: Floats, instances: Floats) -> None:
    """Write the AWS/AutoScaling metrics that the group would have had with so many instances."""
    low, high = float(group.min_size or 0), float(group.max_size or 0)
    served = np.clip(np.ceil(instances), low, high)
    for name, values in (
        ("GroupInServiceInstances", served),
        ("GroupDesiredCapacity", served),
        ("GroupMinSize", np.full(len(times), low)),
        ("GroupMaxSize", np.full(len(times), high)),
    ):
        metric = Metric("AWS/AutoScaling", name, (("AutoScalingGroupName", group.name),))
        builder.metrics.write(metric, times, values)


def _go_on(builder: Builder, metric: Metric, period: timedelta, values: Callable[[Floats], Floats], unit: str) -> None:
    """Keep publishing a metric: at the end of each period, for the period that has just passed."""

    def publish(now: datetime) -> None:
        times = np.array([(now - period).timestamp()])
        builder.metrics.write(metric, times, values(times), unit)

    WORLD.add_tick(Tick(period, publish))


ZONES = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "UTC", "Australia/Sydney")


def fleet_shape(number: int) -> Shape:
    """Return the shape of the load of one of many fleets; no two are alike."""
    dice = random.Random(number)  # noqa: S311 - repeatable on purpose
    base = 10 ** dice.uniform(2, 3.5)
    peaks = dice.choice((1, 1, 2))
    return Shape(
        base=base,
        bumps=tuple(
            Bump(hour=dice.uniform(6, 22), width_hours=dice.uniform(1.5, 4), height=base * dice.uniform(0.5, 5))
            for _ in range(peaks)
        ),
        timezone=dice.choice(ZONES),
        weekend=dice.uniform(0.3, 1.4),
        growth_per_week=dice.uniform(-0.003, 0.006),
        noise=dice.uniform(0.02, 0.15),
        wander=dice.uniform(0.0, 0.1),
        seed=1000 + 10 * number,
    )


def seed_fleets(count: int, now: datetime, region: str = "us-east-1") -> None:
    """Add fleets fleet-0001, fleet-0002, … each with one instance and 28 days of the metric Load/Requests."""
    builder = Builder(region)
    grid = _grid(now, FIVE_MINUTES)
    WORLD.configure({"max_groups": max(WORLD.settings.max_groups, count + 100)})
    shapes = {f"fleet-{number:04d}": fleet_shape(number) for number in range(1, count + 1)}
    metrics = {name: Metric("Load", "Requests", (("Fleet", name),)) for name in shapes}
    with _long_ago(now):
        for name, shape in shapes.items():
            builder.fleet(FleetPlan(name=name, min_size=1, max_size=100, desired=1, tags=WRITABLE))
            builder.metrics.write(metrics[name], grid, np.round(load(shape, grid)), "Count")

    def publish(instant: datetime) -> None:
        times = np.array([(instant - FIVE_MINUTES).timestamp()])
        for name, shape in shapes.items():
            builder.metrics.write(metrics[name], times, np.round(load(shape, times)), "Count")

    WORLD.add_tick(Tick(FIVE_MINUTES, publish))
