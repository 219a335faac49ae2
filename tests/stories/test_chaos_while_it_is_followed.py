"""The promise: what happens to the cloud while a change is followed is noticed, told, and ends in a whole fleet."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from aftermath import assert_nothing_is_left, launches_and_ends
from airflow.sdk.exceptions import AirflowFailException
from arranging import a_cloud_of_four
from by_hand import Desk, a_desk, seen, sizes, the_fleet
from meanwhile import once

from predictive_scaling.errors import CloudUnavailable
from predictive_scaling.operators import ScaleInOperator, ScaleOutOperator
from sandbox import interruptions
from sandbox.world import WORLD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import sandbox

EVERY = timedelta(seconds=0.05)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Four instances behind a load balancer; a second is a minute and a half of the cloud."""
    with a_cloud_of_four(balanced=True, boot_jitter=0) as cloud:
        desk = a_desk(cloud, tmp_path, monkeypatch)
        cloud.clock(speed=90)
        yield desk


def add(amount: int) -> ScaleOutOperator:
    return ScaleOutOperator(
        task_id="add", fleet="web", amount=amount, reason="a sale", every=EVERY, timeout=timedelta(minutes=2)
    )


def remove(amount: int) -> ScaleInOperator:
    return ScaleInOperator(
        task_id="remove", fleet="web", amount=amount, reason="it is over", every=EVERY, timeout=timedelta(minutes=2)
    )


def delete(cloud: sandbox.Cloud) -> None:
    cloud.client("autoscaling").delete_auto_scaling_group(AutoScalingGroupName="web", ForceDelete=True)
    cloud.advance(900)


def test_an_instance_that_dies_while_it_drains_is_gone_all_the_same_and_not_replaced(desk: Desk) -> None:
    cloud = desk.cloud
    arn = the_fleet(cloud).observe().target_groups[0]
    cloud.client("elbv2").modify_target_group_attributes(
        TargetGroupArn=arn, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "900"}]
    )
    before = launches_and_ends(cloud)

    def draining() -> list[str]:
        return [each.id for each in seen(cloud).instances if each.leaving]

    def die() -> None:
        (victim,) = draining()
        with WORLD.lock:
            interruptions.kill(victim)

    death = once(lambda: bool(draining()), die)
    result = desk.carry_out(remove(1))
    death.join()
    cloud.advance(900)
    assert len(result["retired"]) == 1
    assert sizes(cloud) == (2, 3, 20)
    assert seen(cloud).serving_units == 3
    assert launches_and_ends(cloud)[0] == before[0], "nothing was launched in its place"
    assert_nothing_is_left(desk.ledger)


def test_an_instance_that_dies_while_others_are_awaited_is_waited_for_again(desk: Desk) -> None:
    cloud = desk.cloud
    oldest = seen(cloud).instances[0].id

    def die() -> None:
        with WORLD.lock:
            interruptions.kill(oldest)

    death = once(lambda: the_fleet(cloud).observe().desired == 6, die)
    assert desk.carry_out(add(2))["to"] == 6
    death.join()
    assert seen(cloud).serving_units == 6
    assert oldest not in {each.id for each in seen(cloud).instances}
    assert_nothing_is_left(desk.ledger)


def test_five_minutes_of_throttling_while_waiting_only_take_longer(desk: Desk) -> None:
    desk.cloud.faults.add(service="autoscaling", error="Throttling", seconds=300, skip=10)
    assert desk.carry_out(add(2))["to"] == 6
    assert sizes(desk.cloud) == (2, 6, 20)
    assert_nothing_is_left(desk.ledger)


@pytest.mark.parametrize("operator", [add(2), remove(1)], ids=["scale-out", "scale-in"])
def test_a_group_deleted_while_a_change_is_followed_ends_it(
    desk: Desk, operator: ScaleOutOperator | ScaleInOperator
) -> None:
    cloud = desk.cloud
    gone = once(lambda: the_fleet(cloud).observe().desired != 4, lambda: delete(cloud))
    with pytest.raises((AirflowFailException, CloudUnavailable), match="web"):
        desk.carry_out(operator)
    gone.join()
    with pytest.raises(AirflowFailException, match="'web' does not exist"):
        desk.carry_out(operator, attempt=2)
    assert_nothing_is_left(desk.ledger)
