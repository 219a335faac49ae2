"""A fleet's policy is tried on its own history, and too little history is said."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from forecasting import Policy
from forecasting.synthetic import synthetic_demand
from predictive_scaling.errors import NoHistory
from predictive_scaling.fleet_spec import FleetSpec
from predictive_scaling.metric import Metric
from predictive_scaling.replays import Trial, replay_fleet
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


def test_every_mode_is_scored_on_the_same_days_and_paid_at_the_price_given(tmp_path: Path) -> None:
    storage, demand = a_history(tmp_path, days=16)
    trial = Trial(days=0.5, price_per_hour=0.1, modes=("reactive", "hybrid"))

    replayed = replay_fleet(WEB, storage, trial, now=demand.end)

    reactive, hybrid = replayed.cards
    assert reactive.until - reactive.since == timedelta(hours=12)
    assert (reactive.since, reactive.needed_hours) == (hybrid.since, hybrid.needed_hours)
    assert hybrid.under_time_share <= reactive.under_time_share
    assert hybrid.cost == pytest.approx(hybrid.instance_hours * 0.1)
    assert len(list(replayed.table())) == 4
    assert [row["mode"] for row in replayed.as_json()["modes"]] == ["reactive", "hybrid"]


def test_too_little_history_is_said_with_what_to_do(tmp_path: Path) -> None:
    storage, demand = a_history(tmp_path, days=8)
    with pytest.raises(NoHistory, match="ask for fewer days, or wait"):
        replay_fleet(WEB, storage, Trial(days=3), now=demand.end)
