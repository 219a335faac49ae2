"""The promise: any operation in the ledger can be undone by its number, and nothing of somebody else's with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from aftermath import assert_every_intent_has_one_certain_outcome
from airflow.sdk.exceptions import AirflowFailException
from arranging import a_cloud_of_four
from by_hand import WEB, Desk, a_desk, a_run, at_work, seen, sizes, the_fleet

from forecasting.override import OverrideKind
from predictive_scaling.change import begun, change
from predictive_scaling.errors import WriteRefused
from predictive_scaling.fleets import ScheduledAction, Sizes
from predictive_scaling.ledger.overrides import SqlOverrides
from predictive_scaling.ledger.records import Event, EventKind
from predictive_scaling.ledger.store import SqlLedger
from predictive_scaling.operators import RollbackOperator, ScaleInOperator, SetCapacityOperator
from predictive_scaling.overriding import Desk as OverrideDesk
from predictive_scaling.overriding import Wish, impose
from predictive_scaling.rollback import roll_back
from predictive_scaling.schedule import Naming
from predictive_scaling.set_capacity import set_capacity
from predictive_scaling.sizing import resize_move
from predictive_scaling.workplace import Move

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Four instances, bounds 2..20, on the real day: what is scheduled must be to come for us as for the cloud."""
    with a_cloud_of_four() as cloud:
        desk = a_desk(cloud, tmp_path, monkeypatch)
        cloud.clock(now=datetime.now(UTC), speed=1)
        yield desk


def undo(event: Event, **options: Any) -> RollbackOperator:
    return RollbackOperator(task_id="roll_back", event_id=str(event.id), reason="a mistake", **options)


def resized(desk: Desk, run: int = 1, **asked: int) -> Event:
    """Set sizes; give the event that says so."""
    set_capacity(WEB, at_work(the_fleet(desk.cloud), desk.ledger, run), Sizes(**asked), "a test")
    return desk.ledger.events(fleet="web", limit=1)[0]


def scheduled(desk: Desk) -> dict[str, int | None]:
    return {action.name: action.min_size for action in the_fleet(desk.cloud).observe().actions}


def test_sizes_go_back_and_the_fleet_is_free_again(desk: Desk) -> None:
    event = resized(desk, min_size=3, desired=6)
    assert desk.carry_out(undo(event), run=2)["written"]
    assert sizes(desk.cloud) == (2, 4, 20)
    assert_every_intent_has_one_certain_outcome(desk.ledger)


def test_a_rollback_can_be_rolled_back(desk: Desk) -> None:
    event = resized(desk, desired=6)
    desk.carry_out(undo(event), run=2)
    desk.carry_out(undo(desk.ledger.events(fleet="web", limit=1)[0]), run=3)
    assert sizes(desk.cloud) == (2, 6, 20)


def test_what_is_back_already_is_not_written_again(desk: Desk) -> None:
    event = resized(desk, desired=6)
    desk.carry_out(undo(event), run=2)
    desk.cloud.faults.forget_calls()
    assert desk.carry_out(undo(event), run=3)["written"] is False
    assert "autoscaling.UpdateAutoScalingGroup" not in desk.cloud.calls()


def test_somebody_elses_change_since_is_named_and_kept_unless_forced(desk: Desk) -> None:
    event = resized(desk, desired=6)
    the_fleet(desk.cloud).resize(Sizes(desired=9))
    with pytest.raises(AirflowFailException, match="desired is 9, was left at 6, and was 4 before; tick `force`"):
        desk.carry_out(undo(event), run=2)
    assert sizes(desk.cloud) == (2, 9, 20)
    desk.carry_out(undo(event, force="True"), run=3)
    assert sizes(desk.cloud) == (2, 4, 20)


def test_only_what_the_operation_changed_goes_back(desk: Desk) -> None:
    event = resized(desk, desired=6)
    the_fleet(desk.cloud).resize(Sizes(max_size=15))
    desk.carry_out(undo(event), run=2)
    assert sizes(desk.cloud) == (2, 4, 15), "the other maximum is somebody's decision"


def test_desired_goes_back_no_lower_than_a_floor_that_rose_since(desk: Desk) -> None:
    event = resized(desk, desired=6)
    the_fleet(desk.cloud).resize(Sizes(min_size=5))
    desk.carry_out(undo(event), run=2)
    assert sizes(desk.cloud) == (5, 5, 20)


def test_capacity_that_was_let_go_is_asked_for_again(desk: Desk) -> None:
    desk.cloud.clock(speed=300)
    removed = ScaleInOperator(task_id="remove", fleet="web", amount=2, reason="x", every=timedelta(seconds=0.05))
    desk.carry_out(removed)
    event = next(event for event in desk.ledger.events(fleet="web") if event.call)
    desk.carry_out(undo(event), run=2)
    desk.cloud.advance(300)
    assert (sizes(desk.cloud), len(seen(desk.cloud).instances)) == ((2, 4, 20), 4)


def test_scheduled_actions_come_back_and_new_ones_go(desk: Desk) -> None:
    noon = (desk.cloud.now() + timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    kept = ScheduledAction(name="by-a-person", start=noon, min_size=7)
    old = ScheduledAction(name="ps-web-old", start=noon + timedelta(hours=1), min_size=5)
    new = ScheduledAction(name="ps-web-new", start=noon + timedelta(hours=2), min_size=8)
    fleet = the_fleet(desk.cloud)
    fleet.put([kept, old])
    was, is_now = {old.name: old.as_json()}, {new.name: new.as_json()}
    moves = [
        Move(call="put 1 of 1", reason="plan", before={}, after=is_now, send=lambda to: to.put([new])),
        Move(call="delete 1 of 1", reason="plan", before=was, after={}, send=lambda to: to.delete([old.name])),
    ]
    change("apply_plan", moves, at_work(fleet, desk.ledger))
    assert scheduled(desk) == {"by-a-person": 7, "ps-web-new": 8}

    desk.carry_out(undo(desk.ledger.events(fleet="web", limit=1)[0]), run=2)

    assert scheduled(desk) == {"by-a-person": 7, "ps-web-old": 5}
    assert_every_intent_has_one_certain_outcome(desk.ledger)


def test_an_action_goes_back_to_leaving_a_size_alone(desk: Desk) -> None:
    noon = (desk.cloud.now() + timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    fleet, old = the_fleet(desk.cloud), an_action(noon, 5)
    fleet.put([old])
    change("apply_plan", [putting("put 1 of 1", [replace(old, max_size=9)], [old])], at_work(fleet, desk.ledger))

    desk.carry_out(undo(desk.ledger.events(fleet="web", limit=1)[0]), run=2)

    assert fleet.observe().actions == (old,)
    assert_every_intent_has_one_certain_outcome(desk.ledger)


def test_what_changed_nothing_cannot_be_put_back(desk: Desk) -> None:
    dry = SetCapacityOperator(task_id="set", fleet="web", reason="x", desired=5, only_plan=True)
    desk.carry_out(dry)
    with pytest.raises(AirflowFailException, match="belongs to no operation: it changed nothing"):
        desk.carry_out(undo(desk.ledger.events(fleet="web", limit=1)[0]), run=2)
    with pytest.raises(AirflowFailException, match="no event 4711 in the ledger"):
        desk.carry_out(RollbackOperator(task_id="roll_back", event_id=4711, reason="x"))
    with pytest.raises(AirflowFailException, match="event_id 'seven' is not a whole number"):
        desk.carry_out(RollbackOperator(task_id="roll_back", event_id="seven", reason="x"))


def test_an_operation_that_was_refused_has_nothing_to_put_back(desk: Desk) -> None:
    desk.cloud.faults.add(service="autoscaling", operation="Update.*", error="AccessDenied", status=403)
    with pytest.raises(Exception, match="AccessDenied"):
        resized(desk, desired=6)
    desk.cloud.faults.clear()
    (event, *_) = desk.ledger.events(fleet="web")
    assert event.kind is EventKind.FAILED
    with pytest.raises(AirflowFailException, match="none of its calls was applied"):
        desk.carry_out(undo(event), run=2)


def test_a_dry_run_says_what_would_go_back(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    event = resized(desk, desired=6)
    assert desk.carry_out(undo(event, only_plan=True), run=2)["written"] is False
    assert sizes(desk.cloud) == (2, 6, 20)
    assert desk.ledger.events(fleet="web", limit=1)[0].kind is EventKind.OBSERVED
    assert "would resize back to what it was; this is a dry run" in capsys.readouterr().out


def test_a_fleet_on_trial_is_not_written_to(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "fleets" / "web.yaml"
    file.write_text(file.read_text().replace("mode: auto", "mode: observe"))
    with pytest.raises(AirflowFailException, match=r"fleet web: the fleet.s mode is observe"):
        desk.carry_out(SetCapacityOperator(task_id="set", fleet="web", reason="x", desired=5))
    assert sizes(desk.cloud) == (2, 4, 20)


def test_what_a_dead_task_left_open_is_looked_for_before_it_is_put_back(desk: Desk) -> None:
    an_hour_ago = SqlLedger(desk.ledger._engine, clock=lambda: datetime.now(UTC) - timedelta(hours=1))  # noqa: SLF001
    at = at_work(the_fleet(desk.cloud), an_hour_ago)
    begun("set_capacity", [resize_move("to given sizes", "a test", at.fleet.observe(), Sizes(desired=6))], at)
    desk.carry_out(undo(desk.ledger.events(fleet="web", limit=1)[0]), run=2)
    assert sizes(desk.cloud) == (2, 4, 20)
    assert_every_intent_has_one_certain_outcome(desk.ledger)


def test_an_action_that_was_carried_out_since_is_nobodys_change(desk: Desk) -> None:
    soon = (desk.cloud.now() + timedelta(minutes=3)).replace(second=0, microsecond=0)
    was, is_now = ([an_action(soon, size), an_action(soon + timedelta(days=1), size)] for size in (3, 4))
    fleet = the_fleet(desk.cloud)
    fleet.put(was)
    change("apply_plan", [putting("put 1 of 1", is_now, was)], at_work(fleet, desk.ledger))
    desk.cloud.advance(600)
    at = at_work(fleet, desk.ledger, 2)

    roll_back(
        desk.ledger.events(fleet="web", limit=1)[0], replace(at, turn=replace(at.turn, now=desk.cloud.now())), "x"
    )

    assert scheduled(desk) == {was[1].name: 3}


def test_what_goes_beyond_a_persons_word_is_not_put_back_while_it_holds(desk: Desk) -> None:
    tomorrow = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(days=1)
    fleet, name = the_fleet(desk.cloud), Naming("ps", "web").of(tomorrow)
    fleet.put([ScheduledAction(name=name, start=tomorrow, min_size=11)])
    gone = Move(
        call="delete 1 of 1",
        reason="the plan no longer asks for it",
        before={name: fleet.observe().actions[0].as_json()},
        after={},
        send=lambda fleet: fleet.delete([name]),
    )
    change("apply_plan", [gone], at_work(fleet, desk.ledger))
    removed = desk.ledger.events(fleet="web", limit=1)[0]
    resized(desk, 2, desired=6)
    lowered = resized(desk, 3, desired=4)
    overrides = SqlOverrides(desk.ledger._engine)  # noqa: SLF001 - one database for all tables
    wish = Wish(kind=OverrideKind.HOLD, reason="an incident", starts_at=datetime.now(UTC), min_size=2)
    table = OverrideDesk(overrides=overrides, ledger=desk.ledger, by=a_run(4))
    hold = impose(wish, "web", fleet.observe(), table, now=datetime.now(UTC))

    for event, told in ((removed, "min 11 of"), (lowered, "desired 6 of")):
        with pytest.raises(AirflowFailException, match=rf"{told}.*would go beyond hold \(min 2, max 2\) by ada"):
            desk.carry_out(undo(event, force="True"), run=5)
    assert scheduled(desk) == {}

    overrides.end(hold, by="ada", at=datetime.now(UTC))
    desk.carry_out(undo(removed), run=6)
    assert scheduled(desk) == {name: 11}


def test_what_is_left_of_a_fleet_whose_file_is_gone_can_be_put_back_once_its_file_is_back(
    desk: Desk, tmp_path: Path
) -> None:
    event = resized(desk, desired=6)
    file = tmp_path / "fleets" / "web.yaml"
    file.rename(tmp_path / "web.yaml")
    with pytest.raises(AirflowFailException, match="fleet 'web' has no usable file any more: put back the one it had"):
        desk.carry_out(undo(event), run=2)
    (tmp_path / "web.yaml").rename(file)
    assert desk.carry_out(undo(event), run=2)["written"]


def test_a_plan_goes_back_though_both_are_too_many_for_aws_together(desk: Desk) -> None:
    noon = (desk.cloud.now() + timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    old, new = ([an_action(noon + timedelta(minutes=2 * at + odd), 5) for at in range(80)] for odd in (0, 1))
    fleet = the_fleet(desk.cloud)
    moves = [
        *(putting(f"put {at} of 4", part) for at, part in enumerate((old[:50], old[50:]), 1)),
        *(removing(f"delete {at} of 2", part) for at, part in enumerate((old[:50], old[50:]), 1)),
        *(putting(f"put {at} of 4", part) for at, part in enumerate((new[:50], new[50:]), 3)),
    ]
    for run, part in enumerate((moves[:2], moves[2:]), 1):
        done = begun("apply_plan", part, at_work(fleet, desk.ledger, run))
        done.judged([])
    desk.carry_out(undo(desk.ledger.events(fleet="web", limit=1)[0]), run=3)
    assert sorted(scheduled(desk)) == sorted(action.name for action in old)


def test_of_a_batch_that_aws_took_in_part_that_part_goes_back(desk: Desk) -> None:
    noon = (desk.cloud.now() + timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    sale, early, late = (an_action(noon + timedelta(hours=at), 5 + at) for at in (0, 0, 1))
    fleet = the_fleet(desk.cloud)
    fleet.put([replace(sale, name="a-sale")])
    with pytest.raises(WriteRefused, match=f"refused part of `put 1 of 1`: {early.name}: AlreadyExists"):
        change("apply_plan", [putting("put 1 of 1", [early, late])], at_work(fleet, desk.ledger))
    event = desk.ledger.events(fleet="web", limit=1)[0]
    assert (event.kind, event.after) == (EventKind.FAILED, {late.name: late.as_json()})
    assert scheduled(desk) == {"a-sale": 5, late.name: 6}

    desk.carry_out(undo(event), run=2)

    assert scheduled(desk) == {"a-sale": 5}


@pytest.mark.parametrize("digits", [25, 5000])
def test_a_number_too_long_for_any_ledger_is_refused_in_words(desk: Desk, digits: int) -> None:
    with pytest.raises(AirflowFailException, match=r"event_id '9+' is not a whole number"):
        desk.carry_out(RollbackOperator(task_id="roll_back", event_id="9" * digits, reason="x"))


def an_action(start: datetime, floor: int) -> ScheduledAction:
    return ScheduledAction(name=Naming("ps", "web").of(start), start=start, min_size=floor)


def putting(call: str, actions: list[ScheduledAction], before: Sequence[ScheduledAction] = ()) -> Move:
    was, is_now = as_json(before), as_json(actions)
    return Move(call=call, reason="plan", before=was, after=is_now, send=lambda to: to.put(actions))


def removing(call: str, actions: list[ScheduledAction]) -> Move:
    names = [action.name for action in actions]
    return Move(call=call, reason="plan", before=as_json(actions), after={}, send=lambda to: to.delete(names))


def as_json(actions: Sequence[ScheduledAction]) -> dict[str, Any]:
    return {action.name: action.as_json() for action in actions}
