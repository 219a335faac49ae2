"""A policy holds together, however it was written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting import InvalidPolicy, Policy
from forecasting.freeze import Freeze

if TYPE_CHECKING:
    from pathlib import Path


def a_mapping(**changes: Any) -> dict[str, Any]:
    return {"min": 2, "max": 40, "target_per_instance": 600} | changes


def test_the_four_first_fields_are_positional() -> None:
    policy = Policy(2, 40, 600.0, timedelta(minutes=7))
    assert (policy.min_size, policy.max_size, policy.target_per_instance) == (2, 40, 600.0)
    assert policy.lead_time == timedelta(minutes=7)
    assert policy.quantile == 0.9


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"min": -1}, "min_size is -1"),
        ({"min": 41}, "min_size is 41, above max_size 40"),
        ({"max": 2.5}, "max_size is 2.5: give a whole number"),
        ({"max": "many"}, "max is 'many': give a whole number"),
        ({"target_per_instance": 0}, "target_per_instance is 0"),
        ({"target_per_instance": float("nan")}, "target_per_instance is nan"),
        ({"quantile": 90}, "quantile is 90: give a share between 0 and 1"),
        ({"near_quantile": 1}, "near_quantile is 1: give a share between 0 and 1"),
        ({"tolerance": -0.1}, "tolerance is -0.1"),
        ({"headroom": -1}, "headroom is -1"),
        ({"price_per_hour": -1}, "price_per_hour is -1"),
        ({"granularity": "90s"}, "granularity is .* give whole minutes"),
        ({"granularity": "7m"}, "granularity is .* divide a day"),
        ({"lead_time": "soon"}, "lead_time: 'soon' is not a duration"),
        ({"lead_time": "2d"}, "lead_time is .* 0 to 24 hours"),
        ({"min_size": 3}, "given twice"),
        ({"max_step_up": 0}, "max_step_up is 0: give 1 or more"),
        ({"units": 1.5}, "units is 1.5"),
        ({"cooldown_up": "2d"}, "cooldown_up is .* 0 to 24 hours"),
        ({"breach_max": 40}, "breach_max is 40: give more than max_size 40"),
        ({"idle_below": -1}, "idle_below is -1"),
        ({"shortage_cost": 2}, "shortage_cost is 2, price_per_hour 0.0: give both"),
        ({"freezes": [{"start": "2026-01-05T22:00Z"}]}, "freezes is .*: list each as"),
        ({"freezes": [{"start": "2026-01-05T22:00Z", "end": "2026-01-05T21:00Z"}]}, "freeze ends at .*: swap them"),
        ({"target_per_instanc": 3}, "'target_per_instanc' is unknown: did you mean target_per_instance?"),
        ({"zzz": 3}, "'zzz' is unknown: a policy has min_size"),
    ],
)
def test_a_wrong_field_is_named_with_its_value_and_the_mend(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidPolicy, match=words):
        Policy.from_mapping(a_mapping(**changes))


def test_a_missing_field_is_named() -> None:
    with pytest.raises(InvalidPolicy, match="target_per_instance is missing"):
        Policy.from_mapping({"min": 1, "max": 2})


def test_a_fleet_file_is_a_policy_file(tmp_path: Path) -> None:
    path = tmp_path / "web.yaml"
    path.write_text(
        "name: web\ngroup: web-asg\nmetric: {name: RequestCount}\nmode: observe\ntimezone: Europe/Berlin\n"
        "min: 2\nmax: 40\ntarget_per_instance: 600\nlead_time: 00:06:00\nevents: []\n"
    )
    assert Policy.from_yaml(path) == Policy(2, 40, 600, timedelta(minutes=6))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("min: [", "cannot be read as YAML"),
        ("- 1", "holds list, not keys"),
        ("min: 1\nmax: 0\ntarget_per_instance: 1", "min_size is 1"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    with pytest.raises(InvalidPolicy, match=words) as refused:
        Policy.from_yaml(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert str(refused.value).count(str(path)) == 1
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("demand", "instances"), [(0, 0), (1, 1), (600, 1), (600.1, 2), (8_400, 14), (8_420, 15)])
def test_instances_are_counted_up(demand: float, instances: int) -> None:
    assert Policy(0, 40, 600).needed(demand) == instances


def test_headroom_is_added_before_counting() -> None:
    assert Policy(0, 40, 100, headroom=0.2).needed(1_000) == 12


@settings(deadline=None)
@given(st.integers(0, 10**7), st.integers(1, 10**4), st.sampled_from([0.0, 0.1, 0.25]), st.integers(1, 8))
def test_the_instances_counted_serve_the_demand_and_one_fewer_would_not(
    demand: int, target: int, headroom: float, units: int
) -> None:
    policy = Policy(0, 10**9, target, headroom=headroom, units=units)
    count = policy.needed(demand)
    assert count % units == 0
    assert policy.counted(np.array([0.0, float(demand)])).tolist() == [0, count]
    assert count * target >= demand * (1 + headroom) * (1 - 1e-9)
    assert count == 0 or (count - units) * target < demand * (1 + headroom)


def test_a_little_demand_may_need_nobody() -> None:
    policy = Policy(0, 10, 100, idle_below=5)
    assert [policy.needed(demand) for demand in (0, 5, 5.1, 101)] == [0, 0, 1, 2]


def test_costs_choose_the_quantile() -> None:
    policy = Policy.from_mapping(a_mapping(price_per_hour=0.1, shortage_cost=1.9))
    assert policy.quantile == pytest.approx(0.95)
    assert policy.costed


def test_the_next_minutes_are_foreseen_as_surely_as_the_plan_unless_told_otherwise() -> None:
    assert Policy.from_mapping(a_mapping(quantile=0.8)).foreseen == 0.8
    assert Policy.from_mapping(a_mapping(quantile=0.8, near_quantile=0.9)).foreseen == 0.9


def test_a_quantile_given_by_hand_goes_before_costs() -> None:
    policy = Policy.from_mapping(a_mapping(price_per_hour=0.1, shortage_cost=1.9, quantile=0.8))
    assert policy.quantile == 0.8
    assert not policy.costed


def test_no_cost_asks_for_more_certainty_than_a_forecast_has() -> None:
    assert Policy(1, 9, 100, price_per_hour=0.01, shortage_cost=500).at_cost().quantile == 0.99


def test_the_times_of_a_freeze_are_the_fleet_s_own_where_they_name_no_zone() -> None:
    freeze = {"start": datetime(2026, 1, 5, 23), "end": "2026-01-06"}  # noqa: DTZ001  (as YAML gives it)
    policy = Policy.from_mapping(a_mapping(timezone="Europe/Berlin", freezes=[freeze]))
    assert policy.freezes == (Freeze(datetime(2026, 1, 5, 22, tzinfo=UTC), datetime(2026, 1, 5, 23, tzinfo=UTC)),)


@given(st.floats(0, 1e15), st.floats(1e-9, 1e15), st.integers(1, 10**9), st.floats(0, 10))
def test_instances_are_counted_alike_one_by_one_and_together(
    demand: float, target: float, units: int, headroom: float
) -> None:
    """However far the demand is beyond the target: a count ends at a billion, and nothing overflows."""
    policy = Policy(0, 10**9, target, units=units, headroom=headroom)
    assert policy.counted(np.array([demand])).tolist() == [policy.needed(demand)]


def test_freezes_are_read_in_any_zone() -> None:
    policy = Policy.from_mapping(
        a_mapping(freezes=[{"start": "2026-01-05T23:00+01:00", "end": "2026-01-06T02:00Z"}], max_step_up=3)
    )
    assert policy.freezes == (Freeze(datetime(2026, 1, 5, 22, tzinfo=UTC), datetime(2026, 1, 6, 2, tzinfo=UTC)),)
    assert policy.max_step_up == 3
