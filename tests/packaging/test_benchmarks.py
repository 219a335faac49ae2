"""The benchmarks measure what they say; what they find is for people to read, and no matter of a test."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

import pytest

from bench.__main__ import MEASUREMENTS
from bench.scaling import Stage
from forecasting.rehearsal import Rehearsal
from forecasting.synthetic import synthetic_demand


@pytest.mark.parametrize("name", MEASUREMENTS)
def test_each_can_be_asked_for_by_its_name(name: str) -> None:
    assert callable(import_module(f"bench.{name}").measure)


def test_a_safety_factor_buys_time_in_which_nothing_is_short_and_is_paid_for_in_idle_hours() -> None:
    demand = synthetic_demand(days=9, level=2_000)
    stage = Stage(rehearsal=Rehearsal(demand, since=demand.end - timedelta(days=2)), target=100.0)

    bare, careful = (stage.score("reactive", timedelta(minutes=10), safety) for safety in (1.0, 1.5))

    assert careful.under_time_share < bare.under_time_share / 2
    assert careful.over_hours_share > bare.over_hours_share
    assert careful.needed_hours == bare.needed_hours
