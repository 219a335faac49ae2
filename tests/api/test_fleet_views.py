"""A fleet is shown as it is: the worst first, and what is unknown said to be unknown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from pydantic import TypeAdapter, ValidationError

from forecasting import Policy
from forecasting.approval import Matter, Question
from forecasting.cost_meter import Reading
from forecasting.override import Override, OverrideKind
from predictive_scaling.api.fleet_files import FleetFiles
from predictive_scaling.api.fleet_routes import Name
from predictive_scaling.api.fleet_views import State, costs, fleet_detail, fleet_row, fleet_rows, in_order, matching
from predictive_scaling.concerns import of_rivals
from predictive_scaling.fleet_folder import FleetFolder
from predictive_scaling.fleet_spec import FleetSpec, Mode
from predictive_scaling.metric import Metric
from predictive_scaling.ownership import Rival, RivalKind
from predictive_scaling.status import Status

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
METRIC = Metric(namespace="Web", name="Requests")
FILE = "name: {0}\ngroup: {0}\nmetric: {{namespace: Web, name: Requests}}\ntarget_per_instance: 10\nmin: 1\nmax: 5\n"


def a_fleet(name: str = "web", mode: Mode = Mode.AUTO) -> FleetSpec:
    return FleetSpec(name=name, group=name, metric=METRIC, policy=Policy(1, 9, 100.0), mode=mode)


def a_status(name: str = "web", **more: object) -> Status:
    known = Status(fleet=name, at=NOW, group=name, mode="auto", unit="Requests", in_service=3, price_per_hour=0.1)
    return replace(known, **more)  # type: ignore[arg-type]


def an_override(
    kind: OverrideKind, fleet: str = "web", hours: int = 1, at: datetime = NOW - timedelta(hours=2)
) -> Override:
    return Override(
        id="1",
        fleet=fleet,
        kind=kind,
        reason="a release",
        actor="ada",
        starts_at=at,
        ends_at=NOW + timedelta(hours=hours),
        min_size=3,
        created_at=at,
    )


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (a_status(), State.AUTO),
        (a_status(stage="approve"), State.APPROVE),
        (a_status(stage="suspended"), State.SUSPENDED),
        (a_status(problem="the group does not exist"), State.PROBLEM),
        (a_status(at=NOW - timedelta(hours=4)), State.STALE),
        (a_status(at=NOW - timedelta(hours=4), problem="no rights"), State.PROBLEM),
        (None, State.UNSEEN),
    ],
)
def test_a_problem_comes_before_age_and_age_before_the_mode(status: Status | None, state: State) -> None:
    row = fleet_row(a_fleet(), status, now=NOW)
    assert row.state is state
    assert row.state_reason


@pytest.mark.parametrize(
    ("kind", "fleet", "hours", "state"),
    [
        (OverrideKind.FREEZE, "web", 1, State.PAUSED),
        (OverrideKind.NO_SCALE_IN, "web", 1, State.PAUSED),
        (OverrideKind.HOLD, "web", 1, State.HELD),
        (OverrideKind.STOP, "*", 1, State.PAUSED),
        (OverrideKind.FREEZE, "other", 1, State.AUTO),
        (OverrideKind.FREEZE, "web", -1, State.AUTO),
    ],
)
def test_a_persons_word_that_holds_is_the_state_and_says_whose_it_is(
    kind: OverrideKind, fleet: str, hours: int, state: State
) -> None:
    row = fleet_row(a_fleet(), a_status(), now=NOW, overrides=[an_override(kind, fleet, hours)])
    assert row.state is state
    assert ("by ada" in row.state_reason) == (state is not State.AUTO)


def test_trouble_is_told_before_an_override_and_a_stop_before_a_hold() -> None:
    hold, stop = an_override(OverrideKind.HOLD), an_override(OverrideKind.STOP, "*", at=NOW - timedelta(hours=3))
    assert fleet_row(a_fleet(), a_status(problem="no rights"), now=NOW, overrides=[hold]).state is State.PROBLEM
    assert fleet_row(a_fleet(), a_status(), now=NOW, overrides=[hold, stop]).state_reason.startswith(
        "stop (min 3) by ada"
    )


def test_a_fleet_that_waits_says_for_what_and_until_when_unless_something_worse_holds() -> None:
    due = NOW + timedelta(hours=1)
    question = Question(
        id="q",
        fleet="web",
        matter=Matter.RAISE,
        reasons=("14 at Sun 13:00 UTC, above 10",),
        size=16,
        asked_at=NOW,
        due_at=due,
    )
    row = fleet_row(a_fleet(), a_status(), now=NOW, questions=[question, replace(question, fleet="other")])
    assert (row.state, row.waits_until) == (State.WAITING, due)
    assert row.state_reason == (
        "waits for approval: Raise web up to 16 instances? 14 at Sun 13:00 UTC, above 10; "
        "until 2026-03-01 13:00 UTC, then approved"
    )
    assert fleet_row(a_fleet(), a_status(problem="no rights"), now=NOW, questions=[question]).state is State.PROBLEM
    assert fleet_row(a_fleet("api"), a_status("api"), now=NOW, questions=[question]).waits_until is None


def test_a_fleet_whose_file_is_gone_is_still_shown() -> None:
    folder = FleetFolder(fleets=(a_fleet("api"),), problems=())
    rows = fleet_rows(folder, [a_status("web")], now=NOW)
    assert [(row.name, row.state) for row in rows] == [("api", State.UNSEEN), ("web", State.NO_FILE)]


def test_a_fleet_that_was_given_up_leaves_the_list_when_nothing_of_it_can_stand_any_more() -> None:
    known, broken = (FleetFolder(fleets=(a_fleet("api"),), problems=problems) for problems in ((), ("web.yaml: x",)))
    within, after = NOW + timedelta(hours=47), NOW + timedelta(hours=48)
    hold = an_override(OverrideKind.HOLD)

    assert "at the longest until Tue 12:00 UTC" in fleet_rows(known, [a_status("web")], now=within)[1].state_reason
    assert [row.name for row in fleet_rows(known, [a_status("web")], now=after)] == ["api"]
    assert len(fleet_rows(broken, [a_status("web")], now=after)) == 2, "the broken file may be its own"
    assert len(fleet_rows(known, [a_status("web")], now=after, overrides=[hold])) == 2, "its return is still to come"


def test_a_word_that_was_laid_on_another_group_holds_this_one_not() -> None:
    hold = an_override(OverrideKind.HOLD)
    for group, state in (("1/r/web", State.HELD), ("1/r/former/web", State.AUTO)):
        laid = replace(hold, group_id=group)
        assert fleet_row(a_fleet(), a_status(), now=NOW, overrides=[laid]).state is state


def test_a_fleet_without_a_file_that_is_held_says_how_it_is_let_go() -> None:
    held = replace(an_override(OverrideKind.HOLD), ends_at=None)
    nothing = FleetFolder(fleets=(), problems=())
    (row,) = fleet_rows(nothing, [a_status()], now=NOW + timedelta(days=9), overrides=[held])
    assert row.state is State.NO_FILE
    assert "a release: it stays until its file is put back and resume_fleet has ended it" in row.state_reason


def test_the_cost_is_that_of_the_instances_in_service_and_unknown_without_a_price() -> None:
    assert fleet_row(a_fleet(), a_status(), now=NOW).cost_per_hour == 0.3
    assert fleet_row(a_fleet(), a_status(price_per_hour=0.0), now=NOW).cost_per_hour is None


def test_a_fleet_that_counts_in_weights_says_how_many_units_an_instance_is() -> None:
    weighted = replace(a_fleet(), policy=Policy(4, 40, 100.0, units=4))
    for status in (a_status(desired=12, planned=12), None):
        assert fleet_row(weighted, status, now=NOW).units == 4, "its three instances are the twelve units planned"
    assert fleet_row(a_fleet(), a_status(), now=NOW).units == 1


def test_sorting_puts_the_worst_state_first_and_the_unknown_last_either_way() -> None:
    folder = FleetFolder(fleets=tuple(a_fleet(name) for name in ("a", "b", "c")), problems=())
    rows = fleet_rows(folder, [a_status("a", wape=0.2), a_status("b", problem="broken", wape=0.1)], now=NOW)
    assert [row.name for row in in_order(rows, "state", descending=False)] == ["b", "c", "a"]
    assert [row.name for row in in_order(rows, "wape", descending=False)] == ["b", "a", "c"]
    assert [row.name for row in in_order(rows, "wape", descending=True)] == ["a", "b", "c"]


def test_a_search_looks_at_name_group_and_reason() -> None:
    folder = FleetFolder(fleets=(a_fleet("api"), a_fleet("web")), problems=())
    rows = fleet_rows(folder, [a_status("web", problem="Throttled by AWS")], now=NOW)
    assert [row.name for row in matching(rows, text="throttled", state=None)] == ["web"]
    assert [row.name for row in matching(rows, text="", state=State.UNSEEN)] == ["api"]


def test_fleet_files_are_read_again_only_when_one_has_changed(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(FILE.format("web"))
    files = FleetFiles(tmp_path)
    first = files.now()
    assert files.now() is first
    (tmp_path / "api.yaml").write_text(FILE.format("api"))
    assert [fleet.name for fleet in files.now().fleets] == ["api", "web"]


def test_what_an_editor_leaves_beside_the_fleet_files_hides_none_of_them(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(FILE.format("web"))
    (tmp_path / ".#web.yaml").symlink_to("ada@laptop.4711")
    assert [fleet.name for fleet in FleetFiles(tmp_path).now().fleets] == ["web"]


def test_what_a_fleet_costs_is_read_from_its_meter_as_if_it_went_on() -> None:
    read = Reading(
        at=NOW - timedelta(hours=2), since=NOW - timedelta(days=9), instances=3, price=0.1, day=1.0, month=20.0
    )
    row = fleet_row(a_fleet(), a_status(meter=read.as_json()), now=NOW)
    assert (row.cost_today, row.cost_month) == (1.6, 20.6)
    assert fleet_row(a_fleet(), a_status(), now=NOW).cost_month is None


def test_what_is_gone_ran_on_for_a_day_and_stays_in_the_sum_of_the_month() -> None:
    now = NOW + timedelta(days=9)
    read = Reading(
        at=now - timedelta(days=3), since=now - timedelta(days=9), instances=2, price=0.5, day=4.0, month=20.0
    )
    gone = a_status("gone", at=read.at, meter=read.as_json())
    seen = a_status(meter=replace(read, at=now, month=3.0).as_json())
    rows = [fleet_row(a_fleet(), seen, now=now)]
    assert costs(rows, [gone, seen], now=now) == {"cost_today": 4.0, "cost_month": 3.0 + 20.0 + 24 * 2 * 0.5}
    assert costs([fleet_row(a_fleet(), a_status(), now=now)], [a_status()], now=now) == {}


def test_what_a_turn_found_to_hear_of_is_told_in_a_word_each_and_a_conflict_in_full() -> None:
    rivals = [
        Rival(kind=RivalKind.ACTIONS, what="somebody else's actions set the same bounds", mend="delete them"),
        Rival(kind=RivalKind.PROCESS, what="the group's process Launch is suspended", mend="resume it"),
    ]
    keys = (*(each.key for each in of_rivals(rivals)), "launches", "override 5d0c", "of a later version")
    notes = (*map(str, rivals), "a unit costs $1")
    status = a_status(concerns=keys, notes=notes)
    row = fleet_row(a_fleet(), status, now=NOW)
    assert row.concerns == ["conflict", "launches fail", "override ends"]
    assert fleet_detail(row, a_fleet(), status, None).conflicts == list(notes[:2])
    assert fleet_detail(row, a_fleet(), a_status(notes=notes), None).conflicts == []


def test_a_file_that_says_observe_goes_before_whatever_its_forecast_is_trusted_with() -> None:
    trusted = a_status(stage="approve")
    assert fleet_row(a_fleet(), trusted, now=NOW).state is State.APPROVE
    assert fleet_row(a_fleet(mode=Mode.OBSERVE), trusted, now=NOW).state is State.OBSERVE


def test_a_name_that_no_database_can_hold_is_refused() -> None:
    name = TypeAdapter(Name)
    assert name.validate_python("web") == "web"
    for odd in ("we\0b", "web\n"):
        with pytest.raises(ValidationError, match="String should match pattern"):
            name.validate_python(odd)
