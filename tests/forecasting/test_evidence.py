from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecasting import Demand, NotEnoughHistory, Policy
from forecasting.evidence import Evidence, Load, forecast_past, gather, judged_from
from forecasting.gate import judge
from forecasting.synthetic import synthetic_demand

BOOT = timedelta(minutes=10)
START = datetime(2026, 1, 5, tzinfo=UTC)
SLOT = timedelta(minutes=15)


def evidence_of(demand: Demand) -> Evidence:
    past = forecast_past({"fleet": demand})["fleet"]
    assert isinstance(past, dict)
    policy = a_policy(demand)
    load = Load(name="requests", demand=demand, target_per_instance=policy.target_per_instance, past=past)
    return gather([load], policy, BOOT)


def a_policy(demand: Demand) -> Policy:
    return Policy(1, 1000, float(np.nanmean(demand.values)) / 20, BOOT, price_per_hour=0.1)


def a_wandering_demand(seed: int) -> Demand:
    rng = np.random.default_rng(seed)
    return Demand(START, SLOT, 1000 * np.exp(np.cumsum(rng.normal(0, 0.02, 96 * 28))))


def test_a_load_with_habits_gives_evidence_for_its_forecast() -> None:
    found = evidence_of(synthetic_demand(days=28, step=SLOT, seed=1))
    assert found.rhythm < 0.3
    assert found.floor.under_time_share < found.reactive.under_time_share
    assert judge(found, max_extra_cost=0.25).passed


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_load_that_wanders_keeps_its_fleet_reactive(seed: int) -> None:
    assert not judge(evidence_of(a_wandering_demand(seed)), max_extra_cost=0.25).passed


def test_reaction_as_safe_is_no_shorter_than_the_floor_and_has_no_more_headroom_than_it_needs() -> None:
    demand = synthetic_demand(days=21, step=SLOT, seed=2)
    found = evidence_of(demand)
    assert found.as_safe.under_time_share <= found.floor.under_time_share
    assert found.margin > 0
    assert found.as_safe.instance_hours > found.reactive.instance_hours


def test_a_policy_that_is_surer_than_most_is_judged_like_any_other() -> None:
    demand = synthetic_demand(days=14, step=SLOT)
    past = forecast_past({"fleet": demand}, engine="seasonal_naive")["fleet"]
    assert isinstance(past, dict)
    policy = a_policy(demand)
    load = Load(name="requests", demand=demand, target_per_instance=policy.target_per_instance, past=past)
    usual, surer = (gather([load], replace(policy, quantile=quantile), BOOT) for quantile in (0.9, 0.99))
    assert surer.floor.instance_hours > usual.floor.instance_hours


def test_two_weeks_are_judged_when_there_are_three_and_one_when_there_are_two() -> None:
    demand = synthetic_demand(days=21, step=SLOT)
    assert demand.end - judged_from(demand) == timedelta(days=14)
    assert demand.end - judged_from(demand.tail(timedelta(days=15))) == timedelta(days=7)


def test_too_little_history_says_how_much_is_there_and_how_much_is_needed() -> None:
    with pytest.raises(NotEnoughHistory, match=r"9\.0 days of history: the gate needs 14, 7 to learn from and 7"):
        judged_from(synthetic_demand(days=9, step=SLOT))


def test_fleets_are_forecast_together_as_they_would_be_alone_and_a_bad_one_spoils_none() -> None:
    good = synthetic_demand(days=15, step=SLOT, seed=3)
    nothing = Demand(good.start, SLOT, np.full(len(good), np.nan))
    together = forecast_past({"good": good, "nothing": nothing})
    alone = forecast_past({"good": good})["good"]
    assert isinstance(together["good"], dict)
    assert isinstance(alone, dict)
    assert together["good"].keys() == alone.keys()
    for now, forecast in together["good"].items():
        np.testing.assert_allclose(forecast.at(0.9), alone[now].at(0.9), rtol=1e-5)
    assert isinstance(together["nothing"], NotEnoughHistory)


def test_no_forecast_of_the_past_knows_what_came_after_it() -> None:
    demand = synthetic_demand(days=15, step=SLOT, seed=4)
    changed = demand.values.copy()
    changed[-48:] *= 10
    first, second = (
        forecast_past({"fleet": Demand(demand.start, SLOT, values)})["fleet"] for values in (demand.values, changed)
    )
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    for now in sorted(first)[:-2]:
        np.testing.assert_array_equal(first[now].at(0.9), second[now].at(0.9))


def test_the_evidence_is_plain_json() -> None:
    import json

    row = json.loads(json.dumps(evidence_of(synthetic_demand(days=14, step=SLOT)).as_mapping()))
    assert row["floor"]["mode"] == "floor"
    courses = {"floor", "reactive", "as_safe"}
    assert set(row) == {"margin", "wape", "flat", "rhythm", "extra_cost", "worth", "deciding"} | courses
