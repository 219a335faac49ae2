"""Up at once, down after a while of quiet, never in when nothing is seen, and no flapping whatever the load does."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from forecasting import Policy, Step
from forecasting.decision import Action, Fallback, Rules, StepRule
from predictive_scaling.fleet_spec import FleetSpec, Load
from predictive_scaling.fleets import Observed
from predictive_scaling.metric import Metric
from predictive_scaling.reaction import AGAIN, Memory, Reaction, Sight, Watched, reactions
from predictive_scaling.sources import Seen

if TYPE_CHECKING:
    from collections.abc import Callable

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
LOOK = timedelta(seconds=30)
WINDOW = timedelta(minutes=5)


def a_spec(rules: Rules | None = None, **policy: object) -> FleetSpec:
    bounds = Policy(1, 20, 100.0, stabilisation=WINDOW, **policy)  # type: ignore[arg-type]
    return FleetSpec(name="web", group="web", metric=Metric(namespace="A", name="B"), policy=bounds, reaction=rules)


@dataclass
class Group:
    """A group that does at once what is asked of it, looked at twice a minute."""

    spec: FleetSpec = field(default_factory=a_spec)
    desired: int = 5
    floor: int = 1
    most: int = 20
    now: datetime = MONDAY
    memory: Memory = field(default_factory=Memory)
    changes: list[tuple[datetime, int]] = field(default_factory=list)
    reason: str = ""

    def look(self, load: float | None, problem: str = "", *, age: timedelta = timedelta(0)) -> Reaction | None:
        self.now += LOOK
        seen = None if load is None else Seen(value=load, at=self.now - age)
        group = Observed(min_size=self.floor, max_size=self.most, desired=self.desired, in_service=self.desired)
        sight = Sight(load=self.spec, seen=seen, problem=problem)
        watched = Watched(spec=self.spec, group=group, sights=(sight,))
        found = next(iter(reactions([watched], self.memory, self.now)), None)
        self.reason = self.memory.told["web"]
        if found:
            self.changes.append((self.now, found.capacity - self.desired))
            self.desired = found.capacity
        return found

    def live(self, load: Callable[[float], float], hours: float) -> None:
        for look in range(int(hours * timedelta(hours=1) / LOOK)):
            self.look(load(look * LOOK / timedelta(minutes=1)))

    @property
    def reversals(self) -> list[timedelta]:
        """How soon after a change one in the other direction followed."""
        pairs = zip(self.changes, self.changes[1:], strict=False)
        return [later - earlier for (earlier, change), (later, back) in pairs if change * back < 0]


def test_a_rising_load_is_answered_at_the_first_look() -> None:
    group = Group()
    found = group.look(830)
    assert found is not None
    assert (found.capacity, found.out) == (9, True)
    assert found.reason == "load 166% of what 5 serve well: 9 needed"


def test_a_falling_load_is_answered_when_it_has_stayed_low_for_the_whole_window() -> None:
    group = Group()
    group.look(500)
    looks = 0
    while group.look(200) is None:
        looks += 1
    assert group.desired == 2
    assert looks * LOOK >= WINDOW - LOOK


def test_after_a_time_without_sight_the_whole_window_is_awaited_again() -> None:
    group = Group()
    for load in [500.0] * 20 + [None] * 60:
        group.look(load)
    group.look(100)
    assert group.desired == 5
    blind_until = group.now
    while group.desired == 5:
        group.look(100)
    assert WINDOW <= group.now - blind_until <= WINDOW + 2 * LOOK


def test_looks_further_apart_than_the_window_lower_a_fleet_too() -> None:
    group = Group()
    for load in (500, 100, 100):
        group.now += timedelta(minutes=20)
        group.look(load)
    assert group.desired == 1


def test_a_clock_that_is_put_back_keeps_nothing_from_being_asked_for() -> None:
    group = Group()
    group.look(830)
    group.desired = 5
    group.now -= timedelta(days=1)
    assert group.look(830) is not None
    group.live(lambda _: 100, hours=0.2)
    assert group.desired == 1


def test_a_fleet_is_never_taken_below_the_floor_of_its_plan() -> None:
    group = Group(floor=4)
    group.live(lambda _: 100, hours=0.5)
    assert group.desired == 4


def test_nor_above_the_groups_own_maximum() -> None:
    group = Group(most=7)
    group.look(5000)
    assert group.desired == 7


def test_a_group_that_may_have_fewer_than_the_file_wants_is_asked_for_no_more_than_it_may_have() -> None:
    spec = replace(a_spec(), policy=Policy(4, 20, 100.0, stabilisation=WINDOW))
    few = Group(spec=spec, floor=0, most=2, desired=0)
    few.look(830)
    assert few.desired == 2
    assert Group(spec=spec, floor=0, most=0, desired=0).look(830) is None


@pytest.mark.parametrize(
    ("load", "age"), [(None, timedelta(0)), (50.0, timedelta(minutes=11)), (math.nan, timedelta(0))]
)
def test_without_a_fresh_load_nothing_is_taken_away(load: float | None, age: timedelta) -> None:
    group = Group()
    for _ in range(60):
        group.look(load, "prometheus does not answer", age=age)
    assert group.desired == 5
    assert "nothing is taken away unseen; prometheus does not answer" in group.reason


def test_a_fleet_without_sight_goes_to_the_size_a_person_chose_for_that_and_no_lower() -> None:
    rules = Rules(fallbacks=(Fallback.HIGHER,), static=8)
    group = Group(spec=a_spec(rules))
    group.look(None)
    assert group.desired == 8
    bigger = Group(spec=a_spec(rules), desired=12)
    bigger.look(None)
    assert bigger.desired == 12


def test_steps_change_by_what_they_say() -> None:
    rules = Rules(steps=(StepRule(above=1.0, below=1.5, change=1), StepRule(above=1.5, change=4)))
    group = Group(spec=a_spec(rules))
    group.look(600)
    assert group.desired == 6
    group.look(1200)
    assert group.desired == 10


def test_a_fleet_rises_by_no_more_than_a_step_within_its_cooldown() -> None:
    group = Group(spec=a_spec(max_step_up=3, cooldown_up=timedelta(minutes=4)))
    group.live(lambda _: 1900, hours=0.25)
    assert [change for _, change in group.changes] == [3] * 4
    apart = [later - earlier for (earlier, _), (later, _) in zip(group.changes, group.changes[1:], strict=False)]
    assert min(apart) >= timedelta(minutes=4)
    group.look(1900)
    assert group.reason.endswith("19 needed; risen by 3 within 0:04:00, at most 3 may be")


def test_lowerings_are_as_far_apart_as_the_file_says_whoever_made_the_last() -> None:
    group = Group(spec=a_spec(max_step_down=1, cooldown_down=timedelta(minutes=12)), desired=9)
    group.look(200)
    group.desired = 8  # somebody else took one away
    group.live(lambda _: 200, hours=1)
    assert [change for _, change in group.changes] == [-1] * 4
    apart = [later - earlier for (earlier, _), (later, _) in zip(group.changes, group.changes[1:], strict=False)]
    assert {minutes // timedelta(minutes=1) for minutes in apart} == {12}
    assert group.changes[0][0] >= MONDAY + timedelta(minutes=12)
    group.look(200)
    assert "changed a while ago, to be lowered from" in group.reason


def test_what_came_a_moment_ago_is_not_taken_away_where_nothing_may_be_reversed() -> None:
    group = Group(spec=a_spec(no_reversal=timedelta(minutes=30)))
    group.look(900)
    rose = group.changes[0][0]
    group.live(lambda _: 100, hours=1)
    fell = next(when for when, change in group.changes if change < 0)
    assert timedelta(minutes=30) <= fell - rose <= timedelta(minutes=32)
    group.look(1900)
    assert group.desired == 19, "a rise waits for nothing"


def test_what_was_asked_for_a_moment_ago_is_not_asked_for_again() -> None:
    spec, memory = a_spec(), Memory()
    group = Observed(min_size=1, max_size=20, desired=5, in_service=5)
    asked: list[Reaction] = []
    for look in range(6):
        now = MONDAY + look * LOOK
        sight = Sight(load=spec, seen=Seen(value=800, at=now))
        asked += reactions([Watched(spec=spec, group=group, sights=(sight,))], memory, now)
    assert [each.decided_at - MONDAY for each in asked] == [0 * LOOK, AGAIN, 2 * AGAIN]


def several(cpu: float | None, memory: float | None, *, desired: int = 5) -> tuple[Watched, datetime]:
    """A fleet that needs an instance for each 100 of CPU, and one for each 50 of memory, seen just now."""
    more = Load(metric=Metric(namespace="A", name="Memory"), target_per_instance=50.0)
    spec = replace(a_spec(), also=(more,))
    seen = [None if value is None else Seen(value=value, at=MONDAY) for value in (cpu, memory)]
    sights = tuple(Sight(load=load, seen=each) for load, each in zip(spec.loads, seen, strict=True))
    group = Observed(min_size=1, max_size=20, desired=desired, in_service=desired)
    return Watched(spec=spec, group=group, sights=sights), MONDAY


def test_of_several_loads_the_one_that_needs_most_is_answered() -> None:
    watched, now = several(cpu=830, memory=600)
    decision = watched.decided((), now)
    assert (decision.action, decision.capacity, decision.wanted) == (Action.OUT, 12, 12)
    assert decision.reason == "Memory per minute: load 240% of what 5 serve well: 12 needed"


def test_nothing_is_taken_away_while_one_load_needs_it_or_is_not_seen() -> None:
    quiet = [(MONDAY - 2 * WINDOW, 1), (MONDAY - LOOK, 1)]
    assert several(cpu=100, memory=50)[0].decided(quiet, MONDAY).action is Action.IN
    assert several(cpu=100, memory=245)[0].decided(quiet, MONDAY).action is Action.HOLD
    blind = several(cpu=100, memory=None)[0].decided(quiet, MONDAY)
    assert (blind.action, blind.capacity, blind.wanted) == (Action.HOLD, 5, None)
    assert blind.reason.startswith("Memory per minute: the metric is missing: fallback current says 5")


def drained(coming: float | None, waiting: float, *, desired: int = 5) -> Watched:
    """A fleet that works off what waits beside what comes; how much comes may be unknown."""
    spec = a_spec()
    seen = Seen(value=coming or 0.0, at=MONDAY, backlog=waiting)
    sights = [Sight(load=spec, seen=seen)]
    if coming is None:
        sights.append(Sight(load=spec, problem="CloudWatch gave nothing of late"))
    group = Observed(min_size=0, max_size=20, desired=desired, in_service=desired)
    return Watched(spec=spec, group=group, sights=tuple(sights))


def test_what_has_piled_up_is_worked_off_beside_what_comes() -> None:
    decision = drained(coming=400, waiting=300).decided((), MONDAY)
    assert (decision.action, decision.capacity) == (Action.OUT, 7)
    assert decision.reason == "load 140% of what 5 serve well: 7 needed, 300 of 700 for what waits"


def test_a_load_seen_in_part_wakes_a_fleet_and_takes_nothing_from_it() -> None:
    woken = drained(coming=None, waiting=1, desired=0).decided((), MONDAY)
    assert (woken.action, woken.capacity) == (Action.OUT, 1)
    quiet = [(MONDAY - 2 * WINDOW, 1), (MONDAY - LOOK, 1)]
    assert drained(coming=100, waiting=1).decided(quiet, MONDAY).action is Action.IN
    held = drained(coming=None, waiting=1).decided(quiet, MONDAY)
    assert (held.action, held.capacity, held.wanted) == (Action.HOLD, 5, None)
    assert held.reason.endswith("; CloudWatch gave nothing of late")


def test_a_reaction_survives_the_way_to_another_process() -> None:
    found = Group().look(830)
    assert found is not None
    assert Reaction.from_json(found.as_json()) == found


@pytest.mark.parametrize("period", [1, 4, 9, 30])
def test_a_square_wave_turns_the_fleet_round_at_most_once_a_window(period: float) -> None:
    group = Group()
    group.live(lambda minute: 900 if minute % period < period / 2 else 300, hours=6)
    assert all(apart >= WINDOW for apart in group.reversals if apart)
    assert group.desired >= 3


@pytest.mark.parametrize("period", [3, 12, 45])
def test_a_saw_tooth_never_turns_the_fleet_down_within_a_window_of_up(period: float) -> None:
    group = Group()
    group.live(lambda minute: 300 + 700 * (minute % period) / period, hours=6)
    ups = [when for when, change in group.changes if change > 0]
    downs = [when for when, change in group.changes if change < 0]
    assert all(down - max((up for up in ups if up < down), default=MONDAY) >= WINDOW - LOOK for down in downs)


def test_noise_at_the_threshold_changes_next_to_nothing() -> None:
    random = np.random.default_rng(1)
    group = Group()
    group.live(lambda _: float(500 * (1 + random.normal(0, 0.04))), hours=12)
    assert len(group.changes) <= 4


def test_what_is_foreseen_may_waver_and_the_fleet_does_not() -> None:
    spec, memory, desired = a_spec(), Memory(), 8
    changes = []
    for look in range(60):
        now = MONDAY + look * LOOK
        group = Observed(min_size=1, max_size=20, desired=desired, in_service=desired)
        step = Step(now, 8 + look % 3, "p90 of what is to come")
        watched = Watched(spec=spec, group=group, sights=(Sight(load=spec, seen=Seen(value=400, at=now)),), ahead=step)
        for found in reactions([watched], memory, now):
            changes.append(found.capacity - desired)
            desired = found.capacity
    assert sum(changes) == 2
    assert min(changes) > 0
