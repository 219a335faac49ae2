"""The synthetic load: a pure function of time, and the fleets that carry it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

import sandbox
from sandbox.load import Bump, Shape, Spike, gauss, instances_of_a_reactive_fleet, load, utc_offsets
from sandbox.seed import seed_fleets

NOW = datetime(2026, 11, 20, 15, 32, 40, tzinfo=UTC)


def history(cloud: sandbox.Cloud, fleet: str) -> list[float]:
    metric = {"Namespace": "Load", "MetricName": "Requests", "Dimensions": [{"Name": "Fleet", "Value": fleet}]}
    answer = cloud.client("cloudwatch").get_metric_data(
        MetricDataQueries=[{"Id": "m", "MetricStat": {"Metric": metric, "Period": 300, "Stat": "Sum"}}],
        StartTime=NOW - timedelta(days=28),
        EndTime=cloud.now(),
    )
    (result,) = answer["MetricDataResults"]
    return list(result["Values"])


def test_many_fleets_have_a_month_of_load_that_differs() -> None:
    with sandbox.running() as cloud:
        cloud.clock(now=NOW, speed=0)
        seed_fleets(3, NOW)
        names = ["fleet-0001", "fleet-0002", "fleet-0003"]
        groups = cloud.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
        assert [group["AutoScalingGroupName"] for group in groups] == names
        cloud.advance(600)
        histories = [history(cloud, name) for name in names]
        assert {len(values) for values in histories} == {28 * 288 + 2}
        assert len({round(sum(values)) for values in histories}) == 3


SHAPE = Shape(
    base=100,
    bumps=(Bump(hour=20, width_hours=1, height=900),),
    timezone="Europe/Berlin",
    noise=0,
    wander=0,
    weekend=0.5,
)


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_the_load_follows_local_time_through_daylight_saving() -> None:
    evenings = np.array([at("2026-03-27T20:00+01:00"), at("2026-03-30T20:00+02:00")])
    assert load(SHAPE, evenings) == pytest.approx([1000, 1000])
    assert utc_offsets("Europe/Berlin", evenings).tolist() == [3600, 7200]


def test_the_weekend_and_a_spike_change_the_load() -> None:
    saturday = np.array([at("2026-03-28T20:00+01:00")])
    assert load(SHAPE, saturday) == pytest.approx([550])
    spike = Spike(start=float(saturday[0]), seconds=600, factor=3)
    assert load(SHAPE, saturday, (spike,)) == pytest.approx([1650])
    assert load(SHAPE, saturday + 600, (spike,)) == pytest.approx(load(SHAPE, saturday + 600))


def test_the_load_at_an_instant_does_not_depend_on_what_else_is_asked() -> None:
    noisy = Shape(base=100, bumps=SHAPE.bumps, timezone="UTC", noise=0.2, seed=4)
    times = np.arange(0, 86_400, 300, dtype=float)
    assert load(noisy, times)[100:101] == pytest.approx(load(noisy, times[100:101]))
    assert load(noisy, times).min() >= 0


def test_the_noise_is_normal() -> None:
    noise = gauss(9, np.arange(100_000, dtype=float))
    assert abs(noise.mean()) < 0.02
    assert abs(noise.std() - 1) < 0.02
    assert abs(np.corrcoef(noise[1:], noise[:-1])[0, 1]) < 0.02


def test_a_reactive_fleet_is_late_on_the_way_up_and_hesitates_on_the_way_down() -> None:
    loads = np.array([1.0] * 4 + [5.0] * 4 + [1.0] * 12)
    counts = instances_of_a_reactive_fleet(loads, per_instance=1, bounds=(1, 4), late=2)
    assert counts.tolist() == [1] * 6 + [4] * 10 + [1] * 4
