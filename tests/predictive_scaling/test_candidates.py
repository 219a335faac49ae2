"""Who is let go: the unhealthy, then the oldest; never a protected one, never the last that serves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from predictive_scaling.candidates import Choice, Limits, candidates
from predictive_scaling.fleets import Instance, Observed

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
MANY = Limits(at_once=100, per_hour=100)


def an_instance(number: int, *, age: int = 1, lifecycle: str = "InService", protected: bool = False) -> Instance:
    launched = NOON - timedelta(hours=age)
    return Instance(id=f"i-{number}", zone="a", lifecycle=lifecycle, protected=protected, launched_at=launched)


def a_fleet_of(*instances: Instance, min_size: int = 0) -> Observed:
    staying = sum(instance.staying for instance in instances)
    return Observed(min_size=min_size, max_size=99, desired=staying, in_service=staying, instances=instances)


def ids(choice: Choice) -> list[str]:
    return [instance.id for instance, _ in choice.chosen]


def test_the_oldest_go_first_and_their_age_is_the_reason() -> None:
    choice = candidates(a_fleet_of(an_instance(1, age=1), an_instance(2, age=9), an_instance(3, age=5)), 2, MANY)
    assert ids(choice) == ["i-2", "i-3"]
    assert choice.chosen[0][1] == "the oldest, launched 01-05 03:00 UTC"


def test_an_unhealthy_one_goes_before_an_old_one_and_a_drained_one_before_both_healthy() -> None:
    sick = replace(an_instance(1), healthy=False)
    absent = replace(an_instance(2), targets=("unhealthy",))
    choice = candidates(a_fleet_of(an_instance(3, age=9), absent, sick, an_instance(4)), 3, MANY)
    assert ids(choice) == ["i-1", "i-2", "i-3"]
    assert choice.chosen[1][1] == "not serving: unhealthy in its target groups"


def test_a_protected_one_is_spared_with_its_reason() -> None:
    choice = candidates(a_fleet_of(an_instance(1, age=9, protected=True), an_instance(2), an_instance(3)), 3, MANY)
    assert ids(choice) == ["i-2", "i-3"]
    assert [why for _, why in choice.spared] == ["protected from scale-in"]


def test_the_last_that_serves_stays_whatever_is_asked() -> None:
    sick = replace(an_instance(1), healthy=False)
    choice = candidates(a_fleet_of(sick, an_instance(2)), 2, MANY)
    assert ids(choice) == ["i-1"]
    assert [why for _, why in choice.spared] == ["the last one that serves"]


def test_units_count_towards_the_minimum_and_not_instances() -> None:
    heavy = [replace(an_instance(number), weight=4) for number in range(3)]
    fleet = Observed(min_size=6, max_size=99, desired=12, in_service=3, instances=tuple(heavy))
    choice = candidates(fleet, 2, MANY)
    assert ids(choice) == ["i-0"]
    assert [why for _, why in choice.spared] == ["its 4 units are more than the 2 above the minimum"] * 2


def test_what_held_the_number_down_is_named() -> None:
    fleet = a_fleet_of(*map(an_instance, range(9)), min_size=6)
    assert candidates(fleet, 5, MANY).bound == "3 of 5 may go: the group's minimum is 6, of 9"
    few = Limits(at_once=2, per_hour=100)
    assert candidates(fleet, 5, few).bound == "2 of 5 may go: 2 may leave at once, and 0 are leaving"
    late = Limits(at_once=100, per_hour=20, last_hour=20)
    assert candidates(fleet, 5, late).bound == "0 of 5 may go: 20 may leave an hour, and 20 did"
    assert candidates(fleet, 2, MANY).bound == ""


def test_those_on_their_way_out_count_against_the_number_at_once() -> None:
    leaving = an_instance(1, lifecycle="Terminating:Wait")
    choice = candidates(a_fleet_of(leaving, *map(an_instance, range(2, 6))), 3, Limits(at_once=2, per_hour=9))
    assert len(choice.chosen) == 1


instances = st.builds(
    Instance,
    id=st.uuids().map(str),
    lifecycle=st.sampled_from(["InService", "InService", "Pending", "Pending:Wait", "Terminating", "Standby"]),
    healthy=st.booleans(),
    protected=st.booleans(),
    targets=st.sampled_from([(), ("healthy",), ("initial",), ("healthy", "draining")]),
)


@given(st.lists(instances, max_size=12), st.integers(0, 12), st.integers(0, 6), st.integers(1, 6), st.integers(0, 9))
def test_the_promises_hold_for_every_fleet(
    present: list[Instance], wanted: int, min_size: int, at_once: int, last_hour: int
) -> None:
    fleet = a_fleet_of(*present, min_size=min_size)
    choice = candidates(fleet, wanted, Limits(at_once=at_once, per_hour=8, last_hour=last_hour))
    chosen = {instance.id for instance, _ in choice.chosen}
    assert len(chosen) <= min(wanted, at_once, max(8 - last_hour, 0), max(fleet.desired - min_size, 0))
    assert not any(instance.protected or not instance.in_service for instance, _ in choice.chosen)
    served = any(instance.serving for instance in present)
    assert not served or any(instance.serving and instance.id not in chosen for instance in present)
    assert all(why for _, why in (*choice.chosen, *choice.spared))
