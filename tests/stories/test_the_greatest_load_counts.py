"""The promise: a fleet of several loads has what the greatest of them needs, and each step says which one asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from living import QUARTER, Life, a_spec, office_hours, wandering

from forecasting import Demand
from forecasting.gate import Stage
from predictive_scaling.demand_forecast import forecast_fleets
from predictive_scaling.errors import NoHistory
from predictive_scaling.fleet_spec import FleetSpec, Load
from predictive_scaling.metric import Metric
from predictive_scaling.review import review
from predictive_scaling.storage import Points

if TYPE_CHECKING:
    from pathlib import Path

    import sandbox

MONDAY = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)
JOBS = Load(metric=Metric(namespace="A", name="Jobs", period=QUARTER), target_per_instance=10.0)


def a_life_of_two_loads(cloud: sandbox.Cloud, folder: Path) -> tuple[Life, FleetSpec]:
    """Arrange a fleet with requests by day and jobs, as many as seven instances do, by night."""
    life = Life(cloud, folder, MONDAY, replace(a_spec(), also=(JOBS,)))
    life.measured(office_hours(21, end=MONDAY))
    hours = (np.arange(21 * 96) / 4 + 5) % 24
    return life, _stored(life, Demand(MONDAY - timedelta(days=21), QUARTER, np.where(hours < 4, 68.0, 3.0)))


def _stored(life: Life, jobs: Demand) -> FleetSpec:
    _, beside = life.spec.loads
    times = np.array([int(when.timestamp()) for when in jobs.times()], dtype=np.int64)
    life.storage.append(beside, Points(times, np.array(jobs.values)))
    return beside


def test_the_floor_follows_requests_by_day_and_jobs_by_night(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life, beside = a_life_of_two_loads(cloud, tmp_path)
    life.reviewed()
    assert all(each.problem is None for each in forecast_fleets([beside], life.storage, now=life.now))

    plan = life.steered().plan

    noon, night = plan.step_at(MONDAY + timedelta(hours=7)), plan.step_at(MONDAY + timedelta(hours=21))
    assert (noon.capacity >= 9, night.capacity) == (True, 7)
    assert noon.reason.startswith("B per minute: ")
    assert night.reason.startswith("Jobs per minute: ")
    assert "beside B per minute" in night.reason


def test_the_gate_judges_by_what_all_loads_together_needed_and_names_the_one_that_decided(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    life, _ = a_life_of_two_loads(cloud, tmp_path)
    life.spec = replace(life.spec, engine="seasonal_naive")

    reviewed = life.reviewed()

    assert reviewed.after.standing.stage is Stage.AUTO
    assert reviewed.verdict.reason.endswith("% of the time B per minute needed the most")
    evidence = life.gates.of("web").evidence  # type: ignore[union-attr]
    assert evidence is not None
    assert evidence["deciding"]["Jobs per minute"] == pytest.approx(1 / 6, abs=0.02), "four hours of every night"


def test_a_forecast_of_one_load_earns_no_trust_while_another_that_needs_more_has_no_rhythm(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    life = Life(cloud, tmp_path, MONDAY, replace(a_spec(), engine="seasonal_naive"))
    life.measured(office_hours(21, end=MONDAY))
    assert life.reviewed().verdict.passed
    life.spec = replace(life.spec, also=(JOBS,))
    _stored(life, wandering(21, end=MONDAY))

    first = life.reviewed()

    assert first.verdict.reason.startswith("no rhythm: ")
    assert "of the time Jobs per minute needed the most" in first.verdict.reason
    assert first.after.standing.stage is Stage.OBSERVE, "what one load has earned does not count for two"


def test_a_load_too_young_to_be_judged_by_is_named(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = Life(cloud, tmp_path, MONDAY, replace(a_spec(), also=(JOBS,)))
    life.measured(office_hours(21, end=MONDAY))
    reviewed, (untouched,) = review([life.spec], life.bench, now=MONDAY)
    assert reviewed == []
    assert untouched.startswith("fleet web+2: no stored value of Jobs")
    _stored(life, wandering(9, end=MONDAY))
    assert life.reviewed().verdict.reason.startswith("Jobs per minute: 9.0 days of history: the gate needs 14")


def test_a_load_that_is_not_forecast_leaves_the_fleet_as_it_is(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life, _ = a_life_of_two_loads(cloud, tmp_path)
    life.reviewed()
    with pytest.raises(NoHistory, match=r"fleet web\+2: no forecast is stored yet"):
        life.steered()
