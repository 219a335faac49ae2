"""Who else moves a group is named, with the mend; and what we wrote last is known from the ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from predictive_scaling.errors import NotAllowed
from predictive_scaling.fleet_spec import Ownership
from predictive_scaling.fleets import HELD_BY, Observed, ScalingPolicy, ScheduledAction, Sizes
from predictive_scaling.fleets.memory import MemoryFleet
from predictive_scaling.ledger.records import Event, EventKind, TaskRun
from predictive_scaling.ownership import Claim, hold, judge, judge_policies, last_written
from predictive_scaling.permission import May, Permission
from predictive_scaling.schedule import Naming

NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
PLAN = Permission(May.PLAN)


def a_group(*actions: ScheduledAction, held_by: str = "", suspended: tuple[str, ...] = ()) -> Observed:
    tags = {HELD_BY: held_by} if held_by else {}
    return Observed(min_size=2, max_size=20, desired=2, in_service=2, actions=actions, tags=tags, suspended=suspended)


def a_claim(how: Ownership = Ownership.REFUSE, written: Sizes | None = None) -> Claim:
    return Claim(deployment="blue", naming=Naming("ps", "web"), how=how, written=written or Sizes())


def an_action(name: str, *, min_size: int | None = 4, desired: int | None = None) -> ScheduledAction:
    return ScheduledAction(name=name, start=NOW + HOUR, min_size=min_size, desired=desired)


def an_event(number: int, call: str, after: dict[str, object], *, at: datetime = NOW, **more: object) -> Event:
    kind = more.pop("kind", EventKind.APPLIED)
    before = more.pop("before", {})
    return Event(
        id=number,
        fleet="web",
        kind=kind,  # type: ignore[arg-type]
        reason="x",
        by=TaskRun(actor="ada"),
        call=call,
        before=before,  # type: ignore[arg-type]
        after=after,
        at=at,
    )


def test_a_group_of_ours_alone_has_no_rivals() -> None:
    ours = an_action(Naming("ps", "web").of(NOW + HOUR))
    assert judge(a_group(ours, held_by="blue"), a_claim(), NOW) == ()


@pytest.mark.parametrize(
    ("group", "says", "stops"),
    [
        (a_group(held_by="green"), "deployment 'green' holds the group, and we are 'blue'", True),
        (a_group(an_action("green-web-20260105T0900Z")), "another deployment, or another fleet of ours", True),
        (a_group(suspended=("ScheduledActions",)), "nothing we schedule is carried out", True),
        (a_group(suspended=("Launch",)), "process Launch is suspended", False),
        (a_group(suspended=("AlarmNotification",)), "reactive policies do not act", False),
        (a_group(an_action("nightly")), "set the same bounds: nightly", False),
        (a_group(an_action("nightly", min_size=None, desired=3)), "set the desired capacity: nightly", False),
    ],
)
def test_each_kind_of_rival_is_named_with_its_mend(group: Observed, says: str, stops: bool) -> None:  # noqa: FBT001
    (rival,) = judge(group, a_claim(), NOW)
    assert says in str(rival)
    assert rival.mend
    assert rival.stops is stops


def test_bounds_that_somebody_else_moved_are_told() -> None:
    (rival,) = judge(a_group(), a_claim(written=Sizes(min_size=6)), NOW)
    assert "min is 2 and we left it at 6" in rival.what
    assert not judge(a_group(), a_claim(written=Sizes(min_size=2, max_size=20)), NOW)


def test_only_a_predictive_policy_that_acts_is_a_rival() -> None:
    predicts = ScalingPolicy(name="native", kind="PredictiveScaling", predicts=True)
    harmless = (
        ScalingPolicy(name="cpu", kind="TargetTrackingScaling"),
        ScalingPolicy(name="native", kind="PredictiveScaling"),
        ScalingPolicy(name="native", kind="PredictiveScaling", predicts=True, enabled=False),
    )
    (rival,) = judge_policies((*harmless, predicts))
    assert rival.stops
    assert "'native'" in rival.what


def test_the_first_write_is_preceded_by_a_claim_that_is_read_back() -> None:
    fleet = MemoryFleet(a_group())
    held = hold(fleet, fleet.observe(), a_claim(), PLAN, now=NOW)
    assert (held.permitted, fleet.observe().tags, fleet.writes) == (PLAN, {HELD_BY: "blue"}, 1)
    hold(fleet, fleet.observe(), a_claim(), PLAN, now=NOW)
    assert fleet.writes == 1, "it is claimed once"


def test_a_group_of_another_deployment_is_refused_left_or_taken_over_as_the_file_says() -> None:
    fleet = MemoryFleet(a_group(held_by="green"))
    with pytest.raises(NotAllowed, match="deployment 'green' holds the group"):
        hold(fleet, fleet.observe(), a_claim(), PLAN, now=NOW)
    held = hold(fleet, fleet.observe(), a_claim(Ownership.YIELD), PLAN, now=NOW)
    assert held.permitted.may is May.NOTHING
    assert "we stand back" in held.permitted.reason
    assert fleet.writes == 0
    assert hold(fleet, fleet.observe(), a_claim(Ownership.TAKE_OVER), PLAN, now=NOW).permitted is PLAN
    assert fleet.observe().tags[HELD_BY] == "blue"


def test_where_nothing_may_be_written_nothing_is_claimed_and_nobody_is_refused() -> None:
    fleet = MemoryFleet(a_group(held_by="green"))
    for may in (May.NOTHING, May.TAKE_BACK):
        held = hold(fleet, fleet.observe(), a_claim(), Permission(may, "a dry run"), now=NOW)
        assert held.permitted.may is May.NOTHING, "another deployment's floor is not ours to return"
        assert "green" in held.notes[0]
    assert fleet.writes == 0


def test_a_claim_that_somebody_overwrote_at_once_is_noticed() -> None:
    class Contested(MemoryFleet):
        def observe(self) -> Observed:
            seen = super().observe()
            if self.writes == 1:
                super().claim("green")
            return seen if self.writes < 2 else super().observe()

    fleet = Contested(a_group())
    with pytest.raises(NotAllowed, match="deployment 'green' claimed the group while we did"):
        hold(fleet, fleet.observe(), a_claim(), PLAN, now=NOW)


def test_what_we_wrote_last_is_told_by_the_ledger() -> None:
    early, late = NOW - 2 * HOUR, NOW - HOUR
    nine = {"start": (NOW - HOUR / 2).isoformat(), "min": 5}
    events = [
        an_event(1, "resize sizes", {"min": 3, "max": 12, "desired": 4}, at=early),
        an_event(2, "put 1 of 1", {"a": nine, "b": {"start": (NOW + HOUR).isoformat(), "min": 9}}, at=late),
    ]
    batch = an_event(3, "put 1 of 1", {"c": {**nine, "min": 7}, "d": {**nine, "min": 8}}, at=late)
    assert last_written([*events, batch.failed("refused")], NOW) == Sizes(min_size=5, max_size=12)
    assert last_written([*events, batch.failed("refused in part", made=["c"])], NOW) == Sizes(min_size=7, max_size=12)
    removed = an_event(4, "delete 1 of 1", {}, at=late, before={"a": nine})
    assert last_written([*events, removed], NOW) == Sizes(min_size=3, max_size=12)


def test_nothing_is_certain_while_an_action_is_due() -> None:
    due = {"start": (NOW - timedelta(minutes=1)).isoformat(), "min": 5}
    assert last_written([an_event(1, "put 1 of 1", {"a": due}, at=NOW - HOUR)], NOW) == Sizes()
