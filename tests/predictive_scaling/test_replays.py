"""A fleet's policy and others beside it are tried on its own history; what cannot be is said with its mend."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from forecasting import ForecastingError, Policy
from forecasting.comparison import Outcome
from forecasting.scorecard import Course, scored
from forecasting.synthetic import synthetic_demand
from forecasting.variation import varied
from predictive_scaling.errors import InvalidFleet, NoHistory
from predictive_scaling.fleet_spec import FleetSpec, Load
from predictive_scaling.metric import Metric
from predictive_scaling.replays import Replayed, Trial, replay_fleet
from predictive_scaling.storage import Points, Storage

if TYPE_CHECKING:
    from pathlib import Path

    from forecasting import Demand

WEB = FleetSpec(name="web", group="web", metric=Metric(namespace="A", name="B"), policy=Policy(1, 40, 100.0))


def a_history(folder: Path, *, days: float) -> tuple[Storage, Demand]:
    demand = synthetic_demand(days=days, seed=3)
    storage = Storage.at(f"file://{folder}")
    times = np.array([int(when.timestamp()) for when in demand.times()], dtype=np.int64)
    storage.append(WEB, Points(times, np.array(demand.values)))
    return storage, demand


def an_outcome(policy: str, mode: str, *, short: float, hours: float) -> Outcome:
    course = Course(
        mode=mode,
        since=datetime(2026, 3, 1, tzinfo=UTC),
        tick=timedelta(hours=1),
        boot=timedelta(0),
        needed=np.ones(1, dtype=np.int64),
        ordered=np.ones(1, dtype=np.int64),
    )
    card = replace(scored(course, WEB.policy), under_time_share=short, instance_hours=hours)
    return Outcome(policy=policy, card=card, course=course, monthly_hours=hours, monthly_cost=0.0)


def test_every_mode_is_scored_on_the_same_days_and_paid_at_the_price_given(tmp_path: Path) -> None:
    storage, demand = a_history(tmp_path, days=16)
    trial = Trial(days=0.5, price_per_hour=0.1, modes=("reactive", "steered"))

    replayed = replay_fleet(WEB, storage, trial, now=demand.end)

    reactive, steered = (outcome.card for outcome in replayed.outcomes)
    assert reactive.until - reactive.since == timedelta(hours=12)
    assert (reactive.since, reactive.needed_hours) == (steered.since, steered.needed_hours)
    assert steered.under_time_share <= reactive.under_time_share
    assert steered.cost == pytest.approx(steered.instance_hours * 0.1)
    rows = replayed.as_json()["outcomes"]
    assert [(row["policy"], row["mode"]) for row in rows] == [("web", "reactive"), ("web", "steered")]
    assert [row["monthly_cost"] for row in rows] == [pytest.approx(row["cost"] * 60) for row in rows]
    assert f"{rows[0]['monthly_cost']:,.2f}" in "".join(replayed.table())


def test_policies_stand_beside_the_fleets_own_in_the_table_and_in_what_is_stored(tmp_path: Path) -> None:
    storage, demand = a_history(tmp_path, days=16)
    beside: dict[str, dict[str, Any]] = {"surer": {"quantile": 0.97}, "tight": {"max": 2, "lead_time": "10m"}}
    trial = Trial(days=0.5, modes=("reactive", "steered"), variations=beside)

    replayed = replay_fleet(WEB, storage, trial, now=demand.end)

    stored = json.loads(json.dumps(replayed.as_json(), allow_nan=False))
    assert stored["variations"] == beside
    short = {(row["policy"], row["mode"]): row["under_time_share"] for row in stored["outcomes"]}
    assert list(short) == [(name, mode) for name in ("web", "surer", "tight") for mode in ("reactive", "steered")]
    assert short["surer", "steered"] <= short["web", "steered"] < short["tight", "steered"]
    assert {row["monthly_cost"] for row in stored["outcomes"]} == {None}, "nobody said what an instance costs"
    _, surer, tight, head, *rows, best = replayed.table()
    assert (surer, tight) == ("surer: as web, but quantile 0.97", "tight: as web, but max 2, lead_time 10m")
    assert head.split()[:2] == ["policy", "mode"]
    assert "cost" not in head
    assert [tuple(row.split()[:2]) for row in rows] == list(short)
    assert best.startswith("best: ")


def test_the_price_is_the_fleet_files_unless_the_form_gives_one(tmp_path: Path) -> None:
    storage, demand = a_history(tmp_path, days=16)
    priced = replace(WEB, policy=replace(WEB.policy, price_per_hour=0.5))

    def an_hour(price: float | None) -> list[float]:
        other = {"small": {"price_per_hour": 0.1}}
        trial = Trial(days=0.5, modes=("reactive",), price_per_hour=price, variations=other)
        found = replay_fleet(priced, storage, trial, now=demand.end).as_json()["outcomes"]
        return [row["cost"] / row["instance_hours"] for row in found]

    assert an_hour(None) == pytest.approx([0.5, 0.1])
    assert an_hour(0.2) == pytest.approx([0.2, 0.1])


@pytest.mark.parametrize(
    ("may_cost_more", "best"),
    [
        (0.3, ("richest", "steered")),
        (0.25, ("surer", "steered")),
        (0.1, ("web", "steered")),
        (0.0, ("web", "reactive")),
    ],
)
def test_the_best_is_the_least_short_of_those_that_cost_no_more_than_may_be(
    may_cost_more: float, best: tuple[str, str]
) -> None:
    outcomes = (
        an_outcome("web", "reactive", short=0.1, hours=100),
        an_outcome("web", "steered", short=0.02, hours=110),
        an_outcome("surer", "reactive", short=0.1, hours=100),
        an_outcome("surer", "steered", short=0.01, hours=120),
        an_outcome("richest", "steered", short=0.0, hours=130),
    )
    terms: dict[str, Any] = {
        "fleet": "web",
        "loads": ("B per minute",),
        "boot": timedelta(0),
        "max_extra_cost": may_cost_more,
        "variations": {},
    }

    marked = [row for row in Replayed(**terms, outcomes=outcomes, priced=False).as_json()["outcomes"] if row["best"]]
    assert [(row["policy"], row["mode"]) for row in marked] == [best]
    unknown = Replayed(**terms, outcomes=outcomes[1:2], priced=False)
    assert unknown.best is None, "nobody knows what reacting alone costs"


def test_where_no_instance_was_ever_needed_there_is_no_share_of_the_need(tmp_path: Path) -> None:
    storage, demand = a_history(tmp_path, days=16)
    idle = replace(WEB, policy=replace(WEB.policy, idle_below=1e9))

    replayed = replay_fleet(idle, storage, Trial(days=0.5, modes=("reactive",)), now=demand.end)

    assert replayed.as_json()["outcomes"][0]["over_hours_share"] is None
    assert " -  " in list(replayed.table())[2]


@pytest.mark.parametrize(
    ("variations", "told"),
    [
        ({"surer": {"quantile": 2}}, "policy surer: quantile is 2: give a share between 0 and 1, e.g. 0.9"),
        ({"surer": {"quantil": 0.97}}, "policy surer: key 'quantil' is unknown: did you mean quantile?"),
        ({"late": {"lead_time": "soon"}}, "policy late: lead_time: "),
        ({"low": {"max": "2"}}, "policy low: max is '2': give a whole number"),
        (
            {"low": {"min": 9, "max": 2}},
            "policy low: min_size is 9, above max_size 2: lower the one or raise the other",
        ),
        ({"low": {"min": 41}}, "policy low: min_size is 41, above max_size 40"),
        ({"both": {"min": 1, "min_size": 2}}, "policy both: min_size is given twice, also under its other name"),
        ({"else": {"group": "api"}}, "policy else: group is 'api': it is the fleet's, not the policy's"),
        ({"same": {}}, "policy same: {} changes nothing: give the keys that differ"),
        ({"same": 3}, "policy same: 3 changes nothing: give the keys that differ"),
        ({"dear": {"shortage_cost": 5}}, "policy dear: shortage_cost is 5, price_per_hour 0.0: give both"),
        ({"": {"max": 2}}, "'' is no name of a policy: give 1 to 40 characters"),
        ({"web": {"max": 2}}, "policy web is the fleet's own, which is replayed in any case"),
        ({f"p{number}": {"max": 2} for number in range(6)}, "6 policies to compare with: give at most 5"),
    ],
)
def test_a_policy_that_cannot_be_is_refused_by_name_with_the_mend_before_anything_is_read(
    tmp_path: Path, variations: dict[str, Any], told: str
) -> None:
    nothing_stored = Storage.at(f"file://{tmp_path}")
    with pytest.raises((ForecastingError, InvalidFleet), match=re.escape(told)):
        replay_fleet(WEB, nothing_stored, Trial(variations=variations), now=datetime(2026, 3, 1, tzinfo=UTC))


def test_the_costs_choose_the_quantile_of_a_policy_that_gives_a_shortage_cost_alone() -> None:
    priced = replace(WEB.policy, price_per_hour=1.0)
    chosen = varied(priced, {"shortage_cost": 3})
    assert (priced.quantile, chosen.quantile) == (0.9, 0.75)
    assert varied(chosen, {"price_per_hour": 2}).quantile == 0.6
    assert varied(chosen, {"quantile": 0.95}).quantile == 0.95


def test_freezes_of_a_policy_are_hours_of_the_fleets_own_zone() -> None:
    night = {"start": "2026-03-01T22:00", "end": "2026-03-02T02:00"}
    (freeze,) = varied(WEB.policy, {"freezes": [night]}, timezone="Europe/Berlin").freezes
    assert freeze.start == datetime(2026, 3, 1, 21, tzinfo=UTC)


def test_a_fleet_of_several_loads_is_replayed_with_all_of_them_and_another_target_is_that_of_the_first(
    tmp_path: Path,
) -> None:
    storage, demand = a_history(tmp_path, days=16)
    nightly = Load(metric=Metric(namespace="A", name="Jobs"), target_per_instance=5.0)
    fleet = replace(WEB, also=(nightly,))
    with pytest.raises(NoHistory, match=r"fleet web\+2: no stored value of Jobs"):
        replay_fleet(fleet, storage, Trial(), now=demand.end)
    jobs = np.full(len(demand), 0.0)
    jobs[-36:] = 180.0
    times = np.array([int(when.timestamp()) for when in demand.times()], dtype=np.int64)
    storage.append(fleet.loads[1], Points(times, jobs))
    trial = Trial(days=0.25, modes=("reactive",), variations={"large": {"target_per_instance": 1e6}})

    web, large = (outcome.card for outcome in replay_fleet(fleet, storage, trial, now=demand.end).outcomes)

    (alone,) = replay_fleet(WEB, storage, replace(trial, variations={}), now=demand.end).outcomes
    assert large.needed_hours == pytest.approx(3 * 36 + 3 * 1), "36 for the jobs, and before them one for any request"
    assert alone.card.needed_hours < web.needed_hours
    assert web.worst_shortage >= 20, "nobody foresaw the jobs"
    table = list(replay_fleet(fleet, storage, trial, now=demand.end).table())
    assert table[1] == "web: of B per minute, Jobs per minute, at every moment the one that needs most counts"
    late = replace(fleet, also=(replace(nightly, metric=Metric(namespace="A", name="Late")),))
    storage.append(late.loads[1], Points(times[-36:], jobs[-36:]))
    with pytest.raises(NoHistory, match="the history of its Late per minute began"):
        replay_fleet(late, storage, trial, now=demand.end)


def test_too_little_history_is_said_with_what_to_do(tmp_path: Path) -> None:
    storage, demand = a_history(tmp_path, days=8)
    with pytest.raises(NoHistory, match="ask for fewer days, or wait"):
        replay_fleet(WEB, storage, Trial(days=3), now=demand.end)
