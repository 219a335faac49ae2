"""The promise: a wait is nothing but its arguments, so a triggerer that dies or a cloud that stutters ends nothing."""

from __future__ import annotations

import asyncio
import json
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSensorTimeout, TaskDeferred
from by_hand import WEB, a_desk, the_fleet
from rights import marked

import sandbox
from predictive_scaling.fleets import Sizes
from predictive_scaling.sensors import FleetServesSensor
from predictive_scaling.triggers.fleet import FleetTrigger
from predictive_scaling.waits import InServiceWait, ServesWait

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sandbox.Cloud]:
    """Two instances serve, a third is asked for, and time stands still."""
    with sandbox.running() as running:
        running.create_fleet("web", min_size=2, max_size=20, desired=2, balanced=True)
        marked(running)
        running.advance(900)
        a_desk(running, tmp_path, monkeypatch)
        running.clock(speed=0)
        the_fleet(running).resize(Sizes(desired=3))
        yield running


def a_trigger(seconds: float = 60) -> FleetTrigger:
    until = datetime.now(UTC) + timedelta(seconds=seconds)
    return FleetTrigger.of(WEB, InServiceWait(goal=3), every=0.02, until=until)


def made_again(trigger: FleetTrigger) -> FleetTrigger:
    path, kwargs = trigger.serialize()
    assert path == "predictive_scaling.triggers.fleet.FleetTrigger"
    return FleetTrigger(**json.loads(json.dumps(kwargs)))


async def event_of(trigger: FleetTrigger) -> dict[str, Any]:
    async for event in trigger.run():
        payload: dict[str, Any] = event.payload
        return payload
    raise AssertionError


def test_one_that_is_made_again_in_the_middle_ends_as_the_first_would_have(cloud: sandbox.Cloud) -> None:
    first = a_trigger()
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(event_of(first), 1))
    cloud.advance(600)
    assert asyncio.run(event_of(made_again(first)))["ended"] == "done"


def test_looks_that_fail_are_told_and_the_next_one_counts(cloud: sandbox.Cloud) -> None:
    cloud.faults.add(service="autoscaling", operation="Describe.*", error="AccessDenied", status=403, count=3)
    cloud.advance(600)
    assert asyncio.run(event_of(a_trigger()))["ended"] == "done"


def test_when_the_time_is_up_the_last_trouble_is_in_the_reason(cloud: sandbox.Cloud) -> None:
    cloud.faults.add(service="autoscaling", operation="Describe.*", error="AccessDenied", status=403)
    verdict = asyncio.run(event_of(a_trigger(0.2)))
    assert verdict["ended"] == "timed_out"
    assert "could not look, trying again: An error occurred (AccessDenied)" in verdict["reason"]


def test_a_group_that_is_deleted_meanwhile_ends_the_wait_with_a_verdict_and_no_traceback(cloud: sandbox.Cloud) -> None:
    delete = {"AutoScalingGroupName": "web", "ForceDelete": True}
    gone = threading.Timer(0.3, lambda: cloud.client("autoscaling").delete_auto_scaling_group(**delete))
    gone.start()
    verdict = asyncio.run(event_of(a_trigger()))
    gone.join()
    assert (verdict["ended"], verdict["reason"]) == ("overtaken", "Auto Scaling group 'web' is gone")


def test_a_look_costs_three_calls_behind_one_target_group(cloud: sandbox.Cloud) -> None:
    cloud.advance(600)
    cloud.faults.forget_calls()
    asyncio.run(event_of(a_trigger()))
    assert cloud.calls() == {
        "autoscaling.DescribeAutoScalingGroups": 1,
        "autoscaling.DescribeScalingActivities": 1,
        "elbv2.DescribeTargetHealth": 1,
    }


def test_it_ends_no_sooner_than_airflow_has_seen_the_process_of_its_task_end(
    cloud: sandbox.Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    looks: list[int] = []

    async def pass_at_once(seconds: float) -> None:
        pauses.append(seconds)
        looks.append(cloud.calls().get("autoscaling.DescribeAutoScalingGroups", 0))

    cloud.advance(600)
    cloud.faults.forget_calls()
    monkeypatch.setattr("predictive_scaling.triggers.fleet.asyncio.sleep", pass_at_once)
    until = datetime.now(UTC) + timedelta(minutes=1)
    event = asyncio.run(event_of(FleetTrigger.of(WEB, InServiceWait(goal=3), every=15, until=until)))
    assert event["ended"] == "done"
    assert (pauses, looks) == ([10], [0]), "at the first look, all that is awaited serves"


def a_sensor(**options: Any) -> FleetServesSensor:
    given = {"task_id": "wait", "fleet": "web", "at_least": "3", "poke_interval": 0.02, "timeout": 60, **options}
    return FleetServesSensor(**given)


def grow(cloud: sandbox.Cloud) -> None:
    the_fleet(cloud).resize(Sizes(desired=3))
    cloud.advance(600)


def test_a_dag_of_ones_own_waits_until_a_fleet_is_large_enough_though_nobody_asks_for_it_yet(
    cloud: sandbox.Cloud,
) -> None:
    the_fleet(cloud).resize(Sizes(desired=2))
    cloud.advance(600)
    sensor = a_sensor()
    with pytest.raises(TaskDeferred) as waits:
        sensor.execute({})
    trigger = waits.value.trigger
    assert isinstance(trigger, FleetTrigger)
    grow(cloud)
    sensor.resume({}, event=asyncio.run(event_of(made_again(trigger))))
    assert sensor.console.endswith("AutoScalingGroupDetails:id=web;view=activity")
    a_sensor(deferrable=False).execute({})
    a_sensor().execute({})  # it serves already, and nothing is deferred


def test_a_fleet_that_stays_too_small_ends_the_sensor_with_what_was_seen(cloud: sandbox.Cloud) -> None:
    event = asyncio.run(event_of(FleetTrigger.of(WEB, ServesWait(goal=9), every=0.02, until=datetime.now(UTC))))
    with pytest.raises(AirflowSensorTimeout, match=r"9 were to serve.* 2 of 9 serve, 1 on their way.*desired is 3"):
        a_sensor(at_least=9).resume({}, event=event)
    with pytest.raises(AirflowFailException, match="there is no fleet 'wep': choose one of web"):
        a_sensor(fleet="wep").execute({})
    assert the_fleet(cloud).observe().desired == 3, "a sensor changes nothing"
