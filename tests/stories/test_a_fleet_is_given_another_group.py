"""The promise: a fleet whose file names another group brings nothing of the former one, and leaves nothing there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest
from living import Life, office_hours
from rights import client_of, keys_of, marked
from sqlalchemy import event
from telling import floors, told

from forecasting.override import OverrideKind
from predictive_scaling.errors import GroupNotFound, NotAllowed
from predictive_scaling.fleets import Sizes
from predictive_scaling.fleets.auto_scaling import AutoScalingFleet
from predictive_scaling.ledger.records import EventKind
from predictive_scaling.overriding import Desk, Wish, impose, resume
from predictive_scaling.raised import Fallback
from predictive_scaling.rollback import roll_back
from predictive_scaling.scale_out import Terms, raise_desired
from predictive_scaling.set_capacity import set_capacity
from predictive_scaling.steer import steer
from predictive_scaling.summary import status_after, status_of_trouble
from predictive_scaling.workplace import Turn, Workplace

if TYPE_CHECKING:
    from pathlib import Path

    import sandbox
    from forecasting.override import Override
    from predictive_scaling.fleets import Observed
    from predictive_scaling.steered import Steered

MONDAY = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)
HOUR, SOON = timedelta(hours=1), timedelta(minutes=10)
AFAR = "999999999999/eu-west-1/web"


@pytest.fixture
def life(cloud: sandbox.Cloud, tmp_path: Path) -> Life:
    """A fleet that is steered on its group `web`, of at most 20, beside a group `shop` of at most 60."""
    cloud.create_fleet("shop", min_size=2, max_size=60, desired=2)
    marked(cloud, "shop")
    life = Life(cloud, tmp_path, MONDAY)
    life.measured(office_hours(20, end=MONDAY))
    life.reviewed()
    steered = life.steered()
    life.statuses.save(status_after(life.spec, steered))
    return life


def desk_of(life: Life) -> Desk:
    return Desk(overrides=life.overrides, ledger=life.ledger, by=life.by)


def held(life: Life, group: Observed | None = None) -> Override:
    """Hold the fleet at 4 until somebody ends it."""
    wish = Wish(kind=OverrideKind.HOLD, reason="an incident", starts_at=life.now, min_size=4)
    made = impose(wish, "web", group or life.reach(life.spec).observe(), desk_of(life), now=life.now)
    life.steered()
    life.pass_by(SOON)
    return made


def moved(life: Life) -> None:
    life.spec = replace(life.spec, group="shop")


def group(life: Life, name: str) -> Observed:
    return life.reach(replace(life.spec, group=name)).observe()


def turned(life: Life, *, dry_run: bool = False) -> Steered:
    """Steer it, and keep its status as a task does."""
    steered = life.steered(dry_run=dry_run)
    life.statuses.save(status_after(life.spec, steered, life.statuses.of("web")))
    return steered


def at(life: Life) -> Workplace:
    reach = partial(client_of, life.cloud, keys=keys_of(life.cloud, "scale", "auto"))
    fleet = AutoScalingFleet(reach("autoscaling"), life.spec.group, reach)
    return Workplace(
        name="web", fleet=fleet, ledger=life.ledger, turn=Turn(by=life.by, now=life.now, patience=timedelta(minutes=15))
    )


def test_what_a_person_laid_on_the_former_group_is_taken_back_there_and_not_laid_on_the_new_one(life: Life) -> None:
    held(life)
    assert life.sizes()[:2] == (4, 4)
    moved(life)

    steered = life.steered()
    assert steered.plan.capacity_at(MONDAY + 7 * HOUR) >= 9
    assert all(action.max_size is None for action in group(life, "shop").actions)
    (concern,) = [each for each in steered.concerns if each.key.startswith("former ")]
    assert "what is left there is being taken back" in concern.text
    assert "not obeyed on shop: hold (min 4, max 4)" in concern.text

    life.pass_by(SOON)
    assert group(life, "shop").max_size == 60
    assert (group(life, "web").min_size, group(life, "web").max_size) == (2, 20)
    assert floors(life.cloud) == {}
    again = life.steered()
    assert not [each for each in again.concerns if each.key.startswith("former ")]
    assert life.overrides.open("web") == ()
    assert "returned" in told(life.ledger)


def test_a_maximum_that_somebody_has_set_there_since_stays(life: Life) -> None:
    held(life)
    moved(life)
    life.cloud.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName="web", MaxSize=8, MinSize=3)
    for _ in range(2):
        life.steered()
        life.pass_by(SOON)
    assert (group(life, "web").min_size, group(life, "web").max_size) == (3, 8)
    assert life.overrides.open("web") == ()


def test_what_cannot_be_taken_back_is_named_with_its_mend_until_a_person_has_ended_it(life: Life) -> None:
    held(life, replace(life.reach(life.spec).observe(), group_id=AFAR))
    for _ in range(2):
        (concern,) = [each for each in life.steered().concerns if each.key.startswith("former ")]
        assert "connection aws_default leads to another account or region" in concern.text
        assert "set its MaxSize back to 20, " in concern.text
        assert concern.text.count("run resume_fleet") == 1
        assert life.sizes()[1] == 20

    resume("web", "mended", desk_of(life), now=life.now)
    assert not [each for each in life.steered().concerns if each.key.startswith("former ")]
    assert life.overrides.open("web") == ()


def test_what_was_scheduled_on_the_former_group_goes_though_nobody_has_laid_anything_on_it(life: Life) -> None:
    life.pass_by(6 * HOUR)
    assert group(life, "web").min_size > 2
    moved(life)
    life.steered()
    life.pass_by(SOON)
    assert (group(life, "web").min_size, floors(life.cloud)) == (2, {})


def test_a_dry_run_leaves_the_former_group_as_it_is(life: Life) -> None:
    held(life)
    moved(life)
    life.steered(dry_run=True)
    life.pass_by(SOON)
    assert group(life, "web").max_size == 4


def test_a_hold_on_the_new_group_returns_to_the_maximum_of_that_group(life: Life) -> None:
    held(life, replace(life.reach(life.spec).observe(), group_id=AFAR))
    moved(life)
    assert held(life).max_before == 60
    assert (group(life, "shop").min_size, group(life, "shop").max_size) == (4, 4)


def test_nothing_of_the_former_group_is_put_back_on_the_new_one(life: Life) -> None:
    set_capacity(life.spec, at(life), Sizes(min_size=3, desired=6), "a sale")
    resized = life.ledger.events(fleet="web", limit=1)[0]
    plan = next(each for each in life.ledger.events(fleet="web") if (each.call or "").startswith("put "))
    moved(life)
    told = r"changed group \d+/us-east-1/web, and the fleet steers \d+/us-east-1/shop by now"
    for undone in (resized, plan):
        with pytest.raises(NotAllowed, match=told):
            roll_back(undone, at(life), "a mistake", force=True)
    assert (group(life, "shop").min_size, group(life, "shop").desired) == (2, 2)


def test_a_raise_of_the_former_group_that_nobody_follows_is_not_given_back_on_the_new_one(life: Life) -> None:
    life.rights = ("scale", "auto")
    life.cloud.shortages.add(limit=life.sizes()[2])
    raise_desired(life.spec, at(life), 3, "a sale", Terms(fallback=Fallback.ROLLBACK))
    moved(life)
    life.cloud.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName="shop", DesiredCapacity=4)
    life.pass_by(HOUR)

    life.steered()
    assert group(life, "shop").desired >= 4
    ended = [each for each in life.ledger.events(fleet="web", kind=EventKind.FAILED) if "ended" in (each.after or {})]
    assert ["the fleet steers another group by now" in (each.error or "") for each in ended] == [True]


def test_bounds_that_we_left_on_the_former_group_are_not_looked_for_on_the_new_one(life: Life) -> None:
    life.pass_by(6 * HOUR)
    moved(life)
    assert not [note for note in life.steered().notes if "somebody else sets it" in note]


@pytest.mark.parametrize("tried", ["by a dry run", "while the former group cannot be reached", "with a misspelt group"])
def test_what_a_first_turn_cannot_take_back_is_taken_back_by_a_later_one(life: Life, tried: str) -> None:
    life.pass_by(6 * HOUR)
    moved(life)
    match tried:
        case "by a dry run":
            turned(life, dry_run=True)
        case "while the former group cannot be reached":
            life.cloud.faults.add(operation="BatchDeleteScheduledAction", error="ServiceUnavailable")
            turned(life)
            life.cloud.faults.clear()
        case _:
            life.spec = replace(life.spec, group="shp")
            with pytest.raises(GroupNotFound) as gone:
                life.steered()
            known = life.statuses.of("web")
            life.statuses.save(status_of_trouble(life.spec, known, str(gone.value), now=life.now))
            moved(life)
    for _ in range(2):
        turned(life)
        life.pass_by(SOON)
    assert (group(life, "web").min_size, floors(life.cloud)) == (2, {})
    assert not [each for each in turned(life).concerns if each.key.startswith("former ")]


def test_what_lies_on_the_former_group_alone_keeps_nobody_from_scaling_the_new_one_by_hand(life: Life) -> None:
    held(life)
    moved(life)
    there = replace(at(life), overrides=life.overrides.open("web"))
    assert "desired 2 -> 6" in set_capacity(life.spec, there, Sizes(desired=6), "a sale")


def test_a_fleet_with_nothing_to_leave_asks_the_database_for_nothing_more(life: Life) -> None:
    asked: list[str] = []
    engine, before = life.ledger._engine, life.statuses.of("web")  # noqa: SLF001 - to see what it is asked
    event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    steer(life.spec, life.around(), now=life.now, before=before)
    assert sum("FROM scaling_override" in each for each in asked) == 1
    assert not [each for each in asked if "FROM scaling_status" in each]
