"""The promise: a scale-out whose task died for good is ended by the next run on its fleet, whatever that run is for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from aftermath import assert_nothing_is_left, raises_without_an_end
from arranging import a_cloud_of_four
from by_hand import WEB, at_work, seen, sizes, the_fleet
from deeds import DEEDS, scale_in
from meanwhile import Meanwhile
from telling import a_fleet, a_ledger

from forecasting import Plan, Step
from predictive_scaling.apply import Order, apply_plan
from predictive_scaling.errors import CloudUnavailable, GroupNotFound, OutcomeUnknown
from predictive_scaling.fleets import Sizes
from predictive_scaling.raised import FOLLOWED, Fallback
from predictive_scaling.scale_out import Terms, raise_desired
from predictive_scaling.schedule import Naming
from predictive_scaling.settle import settle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import sandbox
    from predictive_scaling.fleets import Fleet
    from predictive_scaling.ledger.store import SqlLedger
    from predictive_scaling.workplace import Workplace

PATIENCE = timedelta(minutes=15)
SOON, LATE = timedelta(minutes=5), FOLLOWED + PATIENCE + timedelta(seconds=1)


@pytest.fixture
def cloud() -> Iterator[sandbox.Cloud]:
    with a_cloud_of_four() as running:
        yield running


def abandoned(cloud: sandbox.Cloud, ledger: SqlLedger, fallback: Fallback = Fallback.KEEP) -> None:
    """Raise by two, and die with no retry left while waiting for them."""
    raise_desired(WEB, at_work(the_fleet(cloud), ledger), 2, "a sale", Terms(fallback=fallback))
    assert raises_without_an_end(ledger)


def a_while_later(cloud: sandbox.Cloud, ledger: SqlLedger, later: timedelta = LATE, run: int = 2) -> Workplace:
    at = at_work(the_fleet(cloud), ledger, run)
    return replace(at, turn=replace(at.turn, now=at.turn.now + later))


def apply_a_plan(at: Workplace, *, write: bool = True) -> None:
    """Take the hourly turn: a plan that asks for what is there."""
    plan = Plan((Step(at.turn.now, 2, "the floor"), Step(at.turn.now + timedelta(hours=3), 2, "the floor")))
    naming = Naming("ps", "web")
    order = Order(fleet="web", plan=plan, forecast_id=None, naming=naming, turn=at.turn, write=write, why_not="a trial")
    apply_plan(order, settle("web", at.fleet, at.ledger, at.turn), at.fleet, at.ledger)


def half_given_back(cloud: sandbox.Cloud, ledger: SqlLedger, moment: str, limit: int = 5) -> None:
    """Abandon a raise of which not all came, and let the turn that gives it back break off at a moment."""
    cloud.shortages.add(limit=limit)
    abandoned(cloud, ledger, Fallback.ROLLBACK)
    cloud.advance(900)

    def break_off() -> None:
        raise ConnectionResetError

    fleet: Fleet = Meanwhile(the_fleet(cloud), moment, break_off)
    with pytest.raises(OutcomeUnknown):
        apply_a_plan(replace(a_while_later(cloud, ledger), fleet=fleet))


def test_one_whose_instances_came_is_found_done(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path)
    abandoned(cloud, ledger)
    cloud.advance(900)
    apply_a_plan(a_while_later(cloud, ledger), write=False)
    (end, *_) = [event for event in ledger.events(fleet="web") if event.call is None and event.after]
    assert (end.kind.value, (end.after or {})["ended"]) == ("applied", "done")
    assert sizes(cloud) == (2, 6, 20)
    assert_nothing_is_left(ledger)


@pytest.mark.parametrize(
    ("fallback", "desired", "story"),
    [
        (Fallback.KEEP, 5, "kept 1 that came; desired is 5, it was 4 before"),
        (Fallback.ROLLBACK, 4, "let go 1 that came; desired is 4, it was 4 before"),
    ],
)
def test_what_did_not_come_is_given_back_as_its_person_chose(
    cloud: sandbox.Cloud, tmp_path: Path, fallback: Fallback, desired: int, story: str
) -> None:
    ledger = a_ledger(tmp_path)
    before = {instance.id for instance in seen(cloud).instances}
    cloud.shortages.add(limit=5)
    abandoned(cloud, ledger, fallback)
    cloud.advance(900)

    apply_a_plan(a_while_later(cloud, ledger))

    assert sizes(cloud) == (2, desired, 20)
    staying = {instance.id for instance in seen(cloud).instances if instance.staying}
    assert before <= staying, "of those that were there before, none went"
    assert len(staying) == desired
    told = [str(event.error) for event in ledger.events(fleet="web")]
    assert any("nobody follows it any more: 5 of 6 serve" in each and story in each for each in told)
    assert_nothing_is_left(ledger)


def test_before_its_time_is_over_and_in_a_dry_run_it_is_left_alone(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path)
    cloud.shortages.add(limit=4)
    abandoned(cloud, ledger)
    cloud.advance(900)
    apply_a_plan(a_while_later(cloud, ledger, SOON))
    apply_a_plan(a_while_later(cloud, ledger), write=False)
    assert sizes(cloud) == (2, 6, 20)
    apply_a_plan(a_while_later(cloud, ledger))
    assert sizes(cloud) == (2, 4, 20)
    assert_nothing_is_left(ledger)


def test_somebody_elses_number_since_ends_it_and_stays(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    for number, told in ((3, "somebody else set desired to 3"), (9, "somebody else raised desired to 9")):
        folder = tmp_path / str(number)
        folder.mkdir()
        ledger = a_ledger(folder)
        the_fleet(cloud).resize(Sizes(desired=4))
        abandoned(cloud, ledger)
        the_fleet(cloud).resize(Sizes(desired=number))
        apply_a_plan(a_while_later(cloud, ledger))
        assert sizes(cloud)[1] == number
        assert told in str([event.error for event in ledger.events(fleet="web")])
        assert_nothing_is_left(ledger)


def test_somebody_elses_number_ends_even_one_that_was_being_given_back(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path)
    half_given_back(cloud, ledger, "after:resize:1", limit=4)
    the_fleet(cloud).resize(Sizes(desired=9))

    apply_a_plan(a_while_later(cloud, ledger, 3 * LATE, run=3))

    assert sizes(cloud) == (2, 9, 20)
    assert_nothing_is_left(ledger)


def test_letting_instances_go_begins_with_what_another_left_behind(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path)
    cloud.shortages.add(limit=4)
    abandoned(cloud, ledger)
    cloud.advance(900)
    scale_in(a_while_later(cloud, ledger))
    assert sizes(cloud) == (2, 2, 20)
    assert_nothing_is_left(ledger)


@pytest.mark.parametrize("moment", ["before:resize:1", "after:resize:1", "before:retire:1", "after:retire:1"])
def test_giving_back_may_break_off_anywhere_and_is_gone_on_with(
    cloud: sandbox.Cloud, tmp_path: Path, moment: str
) -> None:
    ledger = a_ledger(tmp_path)
    half_given_back(cloud, ledger, moment)
    apply_a_plan(a_while_later(cloud, ledger, 3 * LATE, run=3))
    assert sizes(cloud) == (2, 4, 20)
    cloud.advance(900)
    assert len(seen(cloud).instances) == 4
    assert_nothing_is_left(ledger)


def test_without_the_right_to_give_it_back_planning_goes_on_and_the_ledger_says_so(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    ledger = a_ledger(tmp_path)
    cloud.shortages.add(limit=4)
    abandoned(cloud, ledger)
    apply_a_plan(replace(a_while_later(cloud, ledger), fleet=a_fleet(cloud)))  # which may schedule, and not resize
    assert "it could not be given back" in str([event.error for event in ledger.events(fleet="web")])
    assert_nothing_is_left(ledger)


def test_a_throttled_account_only_puts_it_off(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path)
    cloud.shortages.add(limit=4)
    abandoned(cloud, ledger)
    cloud.faults.add(service="autoscaling", error="Throttling", seconds=300)
    with pytest.raises(CloudUnavailable, match="Throttling"):
        apply_a_plan(a_while_later(cloud, ledger))
    cloud.advance(300)
    apply_a_plan(a_while_later(cloud, ledger, run=3))
    assert sizes(cloud) == (2, 4, 20)
    assert_nothing_is_left(ledger)


@pytest.mark.parametrize("deed", ["scale_out", "scale_in"])
@pytest.mark.parametrize("moment", ["before:observe:2", "after:observe:2"])
def test_a_group_deleted_on_the_way_leaves_nothing_open(
    cloud: sandbox.Cloud, tmp_path: Path, deed: str, moment: str
) -> None:
    ledger = a_ledger(tmp_path)

    def delete() -> None:
        cloud.client("autoscaling").delete_auto_scaling_group(AutoScalingGroupName="web", ForceDelete=True)
        cloud.advance(900)

    if moment.startswith("before"):
        with pytest.raises(GroupNotFound):
            DEEDS[deed](at_work(Meanwhile(the_fleet(cloud), moment, delete), ledger))
    else:
        DEEDS[deed](at_work(Meanwhile(the_fleet(cloud), moment, delete), ledger))

    with pytest.raises(GroupNotFound, match="'web' does not exist"):
        DEEDS[deed](at_work(the_fleet(cloud), ledger, attempt=2))

    assert_nothing_is_left(ledger)
