"""The promise: what the load asks for is done at once, unless a person, a budget or another owner is against it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from living import Life, a_spec
from meanwhile import Meanwhile
from rights import marked
from telling import told

from forecasting import Step
from forecasting.override import OverrideKind
from predictive_scaling.answering import Answer, answer_all
from predictive_scaling.fleet_spec import Mode
from predictive_scaling.ledger.overrides import EVERY_FLEET
from predictive_scaling.ledger.records import Event, EventKind, Operation, TaskRun
from predictive_scaling.ledger.store import SqlLedger
from predictive_scaling.overriding import Wish, impose
from predictive_scaling.reaction import Memory, Reaction, Watched, kept, reactions
from predictive_scaling.status import Status

if TYPE_CHECKING:
    from pathlib import Path

    import sandbox

MONDAY = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
BUDGET = "budgets:\n  - {name: web, fleets: [web], hourly: 0.6}\n"


def a_life(cloud: sandbox.Cloud, folder: Path, mode: Mode = Mode.AUTO, **policy: object) -> Life:
    """Arrange a group of three that may have twenty; the watch looks at it."""
    life = Life(cloud, folder, MONDAY, a_spec(mode, **policy), rights=("scale",))
    cloud.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName="web", DesiredCapacity=3)
    life.by = a_watch(MONDAY)
    return life


def a_watch(now: datetime) -> TaskRun:
    return TaskRun(actor="the load watch", dag_id="react_to_load", run_id=f"look {now}", task_id="watch 1-of-1")


def answered(life: Life, capacity: int, *, dry_run: bool = False) -> Answer:
    """Look, and let the load ask for so many."""
    group = life.reach(life.spec).observe()
    asked = Reaction(
        fleet="web",
        before=group.desired,
        capacity=capacity,
        out=capacity > group.desired,
        reason="load 300%",
        decided_at=life.now,
    )
    watched = {"web": Watched(spec=life.spec, group=group)}
    (found,) = answer_all([asked], watched, life.around(dry_run=dry_run), now=life.now)
    return found


def at_least(size: int) -> Step:
    return Step(MONDAY, size, f"{size} are foreseen")


def desired(life: Life) -> int:
    return life.reach(life.spec).observe().desired


def test_the_group_grows_and_the_ledger_says_who_did_it_and_why(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path)
    found = answered(life, 9)

    assert (found.written, found.told) == (True, "wrote desired 3 -> 9; read back and verified")
    assert desired(life) == 9
    assert told(life.ledger) == ["intent", "applied"]
    applied = life.ledger.events(fleet="web")[0]
    assert (applied.by.actor, applied.after) == ("the load watch", {"desired": 9})


def test_the_page_and_other_budgets_know_the_new_size_and_that_no_turn_was_had(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    life = a_life(cloud, tmp_path)
    turn = Status(fleet="web", at=MONDAY - HOUR, group="web", mode="auto", unit="B", desired=3, in_service=3)
    life.statuses.save(turn)
    answered(life, 9)

    status = life.statuses.of("web")
    assert status is not None
    assert (status.desired, status.seen_at, status.at) == (9, MONDAY, MONDAY - HOUR)


def test_a_change_that_the_page_cannot_be_told_of_is_made_all_the_same(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path)
    life.statuses.save(Status(fleet="web", at=MONDAY - HOUR, group="web", mode="auto", unit="B", desired=3))
    with life.ledger._engine.begin() as connection:  # noqa: SLF001 - a database that keeps the page as it is
        refusal = "BEFORE UPDATE ON scaling_status BEGIN SELECT RAISE(ABORT, 'no'); END"
        connection.exec_driver_sql(f"CREATE TRIGGER refuse {refusal}")
    assert answered(life, 9).written
    assert told(life.ledger) == ["intent", "applied"]


def test_a_group_that_has_got_there_since_is_left_alone(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path)
    group = life.reach(life.spec).observe()
    asked = Reaction(fleet="web", before=3, capacity=9, out=True, reason="load 300%", decided_at=MONDAY)
    for words in ("wrote desired 3 -> 9", "nothing to do at 9: it was decided at 3"):
        (found,) = answer_all([asked], {"web": Watched(spec=life.spec, group=group)}, life.around(), now=life.now)
        assert found.told.startswith(words)
        group = life.reach(life.spec).observe()
    assert told(life.ledger) == ["intent", "applied"]


def test_a_person_who_stopped_the_fleet_is_heeded(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path)
    wish = Wish(kind=OverrideKind.STOP, reason="an incident", starts_at=MONDAY, ends_at=MONDAY + HOUR)
    impose(wish, "web", life.reach(life.spec).observe(), life.around().desk, now=MONDAY)

    found = answered(life, 9)
    assert (found.written, found.wants_a_run, desired(life)) == (False, False, 3)
    assert "an incident" in found.told

    life.now += 2 * HOUR
    assert answered(life, 9).written


def test_a_stop_laid_down_after_the_last_question_is_heeded_too(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path)
    plain, desk = life.reach, life.around().desk

    def stopped() -> None:
        wish = Wish(kind=OverrideKind.STOP, reason="an incident", starts_at=MONDAY, ends_at=MONDAY + HOUR)
        impose(wish, EVERY_FLEET, None, desk, now=MONDAY)

    life.reach = lambda spec: Meanwhile(plain(spec), "before:claim:1", stopped)  # type: ignore[method-assign,assignment,return-value]
    found = answered(life, 9)

    assert (found.written, desired(life)) == (False, 3)
    assert found.told.startswith("fleet web: decided meanwhile: stop by the load watch")
    assert told(life.ledger) == ["intent", "failed"]
    assert life.ledger.open_operation("web") is None
    life.reach = plain  # type: ignore[method-assign]
    assert "an incident" in answered(life, 9).told


def test_a_fleet_that_a_person_froze_is_left_alone_from_that_moment_on(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path)
    group = life.reach(life.spec).observe()
    wish = Wish(kind=OverrideKind.FREEZE, reason="an incident", starts_at=MONDAY, ends_at=MONDAY + HOUR)
    impose(wish, "web", group, life.around().desk, now=MONDAY)

    for capacity in (9, 2):
        found = answered(life, capacity)
        assert (found.wants_a_run, desired(life)) == (False, 3)
        assert "an incident" in found.told

    life.now += 2 * HOUR
    assert answered(life, 9).written


def test_a_person_who_bounds_the_fleet_is_gone_along_with(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path)
    wish = Wish(kind=OverrideKind.BOUNDS, reason="a licence", starts_at=MONDAY, max_size=5)
    impose(wish, "web", life.reach(life.spec).observe(), life.around().desk, now=MONDAY)
    assert answered(life, 9).written
    assert desired(life) == 5
    assert any("a licence" in (event.reason or "") for event in life.ledger.events(fleet="web"))


def test_a_fleet_on_trial_and_a_dry_run_write_nothing_and_say_what_they_would(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    trial = answered(a_life(cloud, tmp_path, Mode.OBSERVE), 9)
    life = a_life(cloud, tmp_path)
    dry = answered(life, 9, dry_run=True)

    assert "mode is observe" in trial.told
    assert "this is a dry run" in dry.told
    assert desired(life) == 3
    assert told(life.ledger) == ["observed", "observed"]
    assert all("would resize" in event.reason for event in life.ledger.events(fleet="web"))


def test_the_budget_has_the_last_word_on_a_raise_and_none_on_a_lowering(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    (tmp_path / "budgets.yaml").write_text(BUDGET)
    life = a_life(cloud, tmp_path, price_per_hour=0.1)

    raised = answered(life, 9)
    assert (raised.written, desired(life)) == (True, 6)
    assert "budgeted" in told(life.ledger)
    assert life.ledger.events(fleet="web", kind=EventKind.INTENT)[0].reason.endswith("; $0.30 an hour more")

    (tmp_path / "budgets.yaml").write_text(BUDGET.replace("0.6", "0.3"))
    lowered = answered(life, 9)
    assert (lowered.written, desired(life)) == (True, 3)
    assert lowered.reaction.reason == "not paid for any more: load 300%"
    assert answered(life, 9).told.startswith("nothing to do at 3")
    assert answered(life, 2).written
    assert desired(life) == 2


def test_where_money_is_short_the_fleet_that_is_shortest_of_capacity_gets_it(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    (tmp_path / "budgets.yaml").write_text("budgets:\n  - {name: both, fleets: [calm, web], hourly: 1.0}\n")
    life = a_life(cloud, tmp_path, price_per_hour=0.1)
    calm = replace(life.spec, name="calm", group="calm")
    cloud.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="calm",
        LaunchTemplate={"LaunchTemplateName": "web"},
        AvailabilityZones=["us-east-1a"],
        MinSize=2,
        MaxSize=20,
        DesiredCapacity=3,
    )
    marked(cloud, "calm")
    seen = Status(fleet="calm", at=MONDAY, group="calm", mode="auto", unit="B", desired=3, in_service=3)
    life.statuses.save(seen)
    around = life.around()
    around = replace(around, cost_gate=replace(around.cost_gate, fleets={"calm": calm, "web": life.spec}))
    watched = {each.name: Watched(spec=each, group=life.reach(each).observe()) for each in (calm, life.spec)}
    asked = [
        Reaction(fleet=name, before=3, capacity=capacity, out=True, reason="load", decided_at=MONDAY)
        for name, capacity in (("calm", 4), ("web", 9))
    ]

    first, second = answer_all(asked, watched, around, now=MONDAY)
    assert (first.reaction.fleet, first.written, desired(life)) == ("web", True, 7)
    assert (second.reaction.fleet, second.written, second.failed) == ("calm", False, False)


def test_what_is_held_above_the_floor_is_paid_for_hour_by_hour_and_let_go_when_the_days_money_is_spent(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    (tmp_path / "budgets.yaml").write_text("budgets:\n  - {name: web, fleets: [web], daily: 10}\n")
    life = a_life(cloud, tmp_path, price_per_hour=0.1)
    life.ledger = SqlLedger(life.ledger._engine, clock=lambda: life.now)  # noqa: SLF001 - the same, in the story's time
    sizes, memory = [], Memory()
    for _ in range(18):
        watched = {"web": Watched(spec=life.spec, group=life.reach(life.spec).observe(), ahead=at_least(9))}
        every = watched.values()
        asked = [*reactions(every, memory, life.now), *kept(every, memory, life.now)]
        answer_all(asked, watched, life.around(), now=life.now)
        sizes.append(desired(life))
        life.pass_by(HOUR)

    assert sizes[:8] == [9] * 8
    assert 9 < 0.1 * sum(sizes) + 0.2 <= 10, "until midnight the floor of two is committed"
    lowered = next(
        each for each in life.ledger.events(fleet="web", limit=100) if "not paid for any more" in each.reason
    )
    assert "clamped at the cap, daily 2026-03-02" in lowered.reason


def test_what_another_deployment_holds_is_not_touched(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path)
    life.reach(life.spec).claim("green")

    found = answered(life, 9)
    assert found.failed
    assert "deployment 'green' holds the group" in found.told
    assert desired(life) == 3


def test_a_refused_write_is_told_and_left_to_a_run(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path)
    cloud.faults.add(
        service="autoscaling", operation="UpdateAutoScalingGroup", error="AccessDenied", status=403, count=1
    )

    first = answered(life, 9)
    assert (first.failed, first.wants_a_run, desired(life)) == (True, True, 3)
    assert "AccessDenied" in first.told
    assert answered(life, 9).written


def test_what_a_watch_that_died_left_open_is_ended_by_the_next_one(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path)
    intent = Event(
        fleet="web",
        kind=EventKind.INTENT,
        reason="set desired 3 -> 5",
        by=life.by,
        call="resize to its load",
        before={"desired": 3},
        after={"desired": 5},
    )
    life.ledger.open(Operation(fleet="web", kind="react", key="of a dead one", by=life.by), intent)

    life.by = a_watch(MONDAY + timedelta(seconds=30))
    assert answered(life, 9).written
    assert life.ledger.open_operation("web") is None
    assert told(life.ledger) == ["intent", "failed", "intent", "applied"]


def test_what_a_task_holds_is_left_to_the_task(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path)
    task = replace(life.by, dag_id="apply_plans", task_id="apply", try_number=1)
    intent = Event(fleet="web", kind=EventKind.INTENT, reason="its plan", by=task, call="put 1 of 1", after={})
    life.ledger.open(Operation(fleet="web", kind="apply", key="of a task", by=task), intent)

    found = answered(life, 9)
    assert found.failed
    assert "apply_plans" in found.told
    assert desired(life) == 3


def test_the_trouble_of_one_fleet_stops_no_other(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path)
    group = life.reach(life.spec).observe()
    lost = replace(life.spec, name="lost", group="not-there")
    asked = [
        Reaction(fleet=name, before=3, capacity=9, out=True, reason="load 300%", decided_at=MONDAY)
        for name in ("lost", "web")
    ]
    watched = {spec.name: Watched(spec=spec, group=group) for spec in (lost, life.spec)}

    first, second = answer_all(asked, watched, life.around(), now=MONDAY)
    assert (first.failed, second.written, desired(life)) == (True, True, 9)


def test_nor_does_trouble_of_a_kind_that_nobody_foresaw(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path)
    with life.ledger._engine.begin() as connection:  # noqa: SLF001 - a database that refuses one fleet's rows
        refusal = "BEFORE INSERT ON scaling_event WHEN NEW.fleet = 'lost' BEGIN SELECT RAISE(ABORT, 'no'); END"
        connection.exec_driver_sql(f"CREATE TRIGGER refuse {refusal}")
    group = life.reach(life.spec).observe()
    lost = replace(life.spec, name="lost")
    watched = {spec.name: Watched(spec=spec, group=group) for spec in (lost, life.spec)}
    asked = [
        Reaction(fleet=name, before=3, capacity=9, out=True, reason="load 300%", decided_at=MONDAY)
        for name in ("lost", "web")
    ]

    first, second = answer_all(asked, watched, life.around(), now=MONDAY)
    assert (first.failed, second.written, desired(life)) == (True, True, 9)
    assert "IntegrityError" in first.told
    assert life.ledger.open_operation("web") is None


def test_what_was_decided_of_another_size_or_a_while_ago_is_left_to_the_next_look(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    life = a_life(cloud, tmp_path)
    old = Reaction(fleet="web", before=3, capacity=2, out=False, reason="load 10%", decided_at=MONDAY)
    answered(life, 9)

    def repeated() -> Answer:
        watched = {"web": Watched(spec=life.spec, group=life.reach(life.spec).observe())}
        return answer_all([old], watched, life.around(), now=life.now)[0]

    assert repeated().told.startswith("nothing to do at 9: it was decided at 3")
    old = replace(old, before=9)
    life.now += timedelta(minutes=11)
    assert repeated().told.startswith("nothing to do at 9: it was decided 11 minutes ago")
    assert desired(life) == 9


def test_a_maximum_that_somebody_lowered_meanwhile_leaves_nothing_to_write(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    life = a_life(cloud, tmp_path)
    cloud.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName="web", MaxSize=3)
    cloud.faults.forget_calls()
    found = answered(life, 9)
    assert found.told.startswith("nothing to do at 3")
    assert "autoscaling.UpdateAutoScalingGroup" not in cloud.calls()
