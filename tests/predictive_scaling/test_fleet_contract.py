"""The contract of a fleet, kept by the Auto Scaling group and by the one in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from by_hand import the_fleet
from rights import marked

import sandbox
from predictive_scaling.errors import GroupNotFound, WriteRefused
from predictive_scaling.fleets import HELD_BY, Fleet, Observed, ScheduledAction, Sizes
from predictive_scaling.fleets.auto_scaling import AutoScalingFleet
from predictive_scaling.fleets.memory import MemoryFleet

if TYPE_CHECKING:
    from collections.abc import Iterator

NINE = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


@pytest.fixture(params=["memory", "auto scaling"])
def fleet(request: pytest.FixtureRequest) -> Iterator[Fleet]:
    """A fleet of two, bounds 2..20, with nothing scheduled, on a Monday at eight."""
    if request.param == "memory":
        yield MemoryFleet(Observed(min_size=2, max_size=20, desired=2, in_service=2))
        return
    with sandbox.running() as cloud:
        cloud.clock(now=NINE - timedelta(hours=1), speed=0)
        cloud.create_fleet("web", min_size=2, max_size=20, desired=2)
        marked(cloud)
        cloud.advance(600)
        yield the_fleet(cloud)


def an_action(hour: int = 0, capacity: int = 5, name: str | None = None) -> ScheduledAction:
    return ScheduledAction(name=name or f"a{hour}", start=NINE + timedelta(hours=hour), min_size=capacity)


def test_it_is_seen_as_it_is(fleet: Fleet) -> None:
    seen = fleet.observe()
    assert (seen.min_size, seen.max_size, seen.desired, seen.in_service, seen.actions) == (2, 20, 2, 2, ())


def test_what_is_put_is_seen(fleet: Fleet) -> None:
    receipt = fleet.put([an_action(0), an_action(1, 7)])
    assert receipt.request_id
    assert receipt.refused == {}
    assert sorted(fleet.observe().actions, key=lambda action: action.name) == [an_action(0), an_action(1, 7)]


def test_putting_the_same_name_replaces_it(fleet: Fleet) -> None:
    fleet.put([an_action(0, 5)])
    fleet.put([an_action(0, 8)])
    assert fleet.observe().actions == (an_action(0, 8),)


def test_a_size_that_a_put_does_not_give_stays_as_it_was(fleet: Fleet) -> None:
    fleet.put([replace(an_action(), max_size=9)])
    fleet.put([an_action(capacity=6)])
    (seen,) = fleet.observe().actions
    assert (seen.min_size, seen.max_size) == (6, 9)


def test_a_start_that_is_taken_is_refused_by_name_and_the_others_are_accepted(fleet: Fleet) -> None:
    fleet.put([an_action(0)])
    receipt = fleet.put([an_action(0, name="same-start"), an_action(1)])
    assert list(receipt.refused) == ["same-start"]
    assert {action.name for action in fleet.observe().actions} == {"a0", "a1"}


def test_what_is_deleted_is_gone_and_what_was_gone_already_is_no_trouble(fleet: Fleet) -> None:
    fleet.put([an_action(0), an_action(1)])
    receipt = fleet.delete(["a0", "never-there"])
    assert receipt.refused == {}
    assert [action.name for action in fleet.observe().actions] == ["a1"]


def test_each_instance_is_seen(fleet: Fleet) -> None:
    seen = fleet.observe()
    assert len({instance.id for instance in seen.instances}) == 2
    assert all(instance.serving and instance.zone and instance.type for instance in seen.instances)
    assert (seen.staying_units, seen.serving_units) == (2, 2)


def test_a_closer_look_sees_the_same_fleet(fleet: Fleet) -> None:
    near, far = fleet.examine().observed, fleet.observe()
    assert near.sizes == far.sizes
    assert [instance.id for instance in near.instances] == [instance.id for instance in far.instances]
    assert near.serving_units == 2


def test_sizes_that_are_given_are_set_and_the_others_stay(fleet: Fleet) -> None:
    assert fleet.resize(Sizes(desired=5)).request_id
    assert fleet.observe().sizes == Sizes(min_size=2, max_size=20, desired=5)
    fleet.resize(Sizes(min_size=3, max_size=9))
    assert fleet.observe().sizes == Sizes(min_size=3, max_size=9, desired=5)
    assert fleet.observe().staying_units == 5


def test_a_bound_that_excludes_the_desired_capacity_moves_it(fleet: Fleet) -> None:
    fleet.resize(Sizes(min_size=4))
    assert fleet.observe().sizes == Sizes(min_size=4, max_size=20, desired=4)


def test_sizes_that_contradict_each_other_are_refused_and_change_nothing(fleet: Fleet) -> None:
    with pytest.raises(WriteRefused):
        fleet.resize(Sizes(desired=21))
    assert fleet.observe().sizes == Sizes(min_size=2, max_size=20, desired=2)


def test_an_instance_that_is_let_go_leaves_and_is_not_replaced(fleet: Fleet) -> None:
    fleet.resize(Sizes(desired=3))
    (first, *_) = fleet.observe().instances
    assert fleet.retire(first.id).request_id
    after = fleet.observe()
    assert after.desired == 2
    assert first.id not in {instance.id for instance in after.instances if not instance.leaving}
    assert fleet.retire(first.id).refused == {}, "one that is gone counts as let go"


def test_none_is_let_go_below_the_minimum(fleet: Fleet) -> None:
    (first, *_) = fleet.observe().instances
    with pytest.raises(WriteRefused):
        fleet.retire(first.id)
    assert fleet.observe().staying_units == 2


def test_the_last_to_claim_a_fleet_holds_it_and_nothing_else_changes(fleet: Fleet) -> None:
    before = fleet.observe()
    assert fleet.claim("blue").request_id
    assert fleet.claim("green").request_id
    after = fleet.observe()
    assert after.tags == {**before.tags, HELD_BY: "green"}
    assert after.sizes == before.sizes


def test_a_fleet_without_policies_tells_of_none(fleet: Fleet) -> None:
    assert list(fleet.policies()) == []


@pytest.mark.parametrize("call", ["DescribeAutoScalingGroups", "DescribeScheduledActions"])
def test_a_group_that_is_deleted_between_two_reads_of_a_look_is_gone_and_not_out_of_reach(call: str) -> None:
    with sandbox.running() as cloud:
        cloud.create_fleet("web", min_size=2, max_size=20, desired=2)
        autoscaling = cloud.client("autoscaling")
        other = cloud.client("autoscaling")

        def delete(**_: object) -> None:
            if other.describe_auto_scaling_groups()["AutoScalingGroups"]:
                other.delete_auto_scaling_group(AutoScalingGroupName="web", ForceDelete=True)

        autoscaling.meta.events.register(f"after-call.auto-scaling.{call}", delete)
        with pytest.raises(GroupNotFound, match="'web' does not exist"):
            AutoScalingFleet(autoscaling, "web", cloud.client).examine()
