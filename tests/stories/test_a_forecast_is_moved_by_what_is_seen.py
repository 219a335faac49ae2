"""The promise: a load that leaves its forecast raises what is foreseen for the next minutes, before the next plan."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from living import HOURLY, Life, office_hours

from forecasting import Demand
from forecasting.decision import Rules
from forecasting.gate import Stage
from forecasting.near import REACHES_BACK, near_peak
from predictive_scaling.fleet_spec import FleetSpec, Mode
from predictive_scaling.outlook import Outlooks, Shelf
from predictive_scaling.reaction import Memory, Reaction, Sight, Watched, reactions
from predictive_scaling.sources import Seen

if TYPE_CHECKING:
    from pathlib import Path

    import sandbox
    from forecasting import Step

MONDAY = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
NOON = MONDAY + timedelta(hours=6)
MINUTE = timedelta(minutes=1)
FIVE = 5 * MINUTE


def a_life(cloud: sandbox.Cloud, folder: Path) -> Life:
    """Arrange a trusted fleet whose load climbs every morning, forecast at six."""
    life = Life(cloud, folder, MONDAY)
    life.spec = replace(life.spec, reaction=Rules())
    life.measured(office_hours(20, end=MONDAY))
    life.reviewed()
    life.steered()
    return life


def a_life_in_fives(cloud: sandbox.Cloud, folder: Path) -> Life:
    """Arrange the same at noon, with a load that is measured every five minutes and swings a little in each."""
    life = Life(cloud, folder, NOON)
    life.spec = replace(life.spec, reaction=Rules(), metric=replace(HOURLY, period=FIVE))
    quarters = office_hours(20, end=NOON)
    values = np.repeat(quarters.values, 3) * np.exp(np.random.default_rng(7).normal(0, 0.05, 3 * len(quarters)))
    life.measured(Demand(quarters.start, FIVE, values))
    life.reviewed()
    life.steered()
    return life


def outlooks_of(life: Life) -> Outlooks:
    shelf = Shelf(storage=life.storage, gates=life.gates, statuses=life.statuses)
    return Outlooks(lambda: shelf)


def foretold(life: Life) -> float:
    """Give what the newest forecast expects first."""
    _, forecast = life.storage.newest_forecast(life.spec)
    return float(forecast.at(0.5)[0])


def ahead(
    life: Life, outlooks: Outlooks, load: float, *, times: int = 10, spec: FleetSpec | None = None
) -> Step | None:
    """Look every minute at a load that stays as it is, and give what the last look foresees."""
    fleet, found = spec or life.spec, None
    for _ in range(times):
        life.now += MINUTE
        found = outlooks.ahead([fleet], {"web": Seen(value=load, at=life.now)}, now=life.now).get("web")
    return found


def test_a_load_as_foretold_asks_for_what_the_plan_holds(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path)
    _, forecast = life.storage.newest_forecast(life.spec)
    step = ahead(life, outlooks_of(life), foretold(life))

    assert step is not None
    assert abs(step.capacity - life.spec.policy.needed(forecast.value_at(life.now + 10 * MINUTE, 0.9))) <= 1


def test_a_load_twice_as_high_raises_what_is_foreseen_and_one_half_as_high_lowers_it(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    life = a_life(cloud, tmp_path)
    began = life.now

    sizes = {}
    for share in (0.5, 1.0, 2.0):
        life.now = began
        step = ahead(life, outlooks_of(life), share * foretold(life))
        sizes[share] = step.capacity if step else 0
    assert sizes[0.5] < sizes[1.0] < sizes[2.0]
    assert sizes[2.0] >= 1.6 * sizes[1.0]


def test_the_fleet_is_raised_for_the_minutes_ahead_though_the_present_load_is_served(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    life = a_life(cloud, tmp_path)
    load = 1.5 * foretold(life)
    step = ahead(life, outlooks_of(life), load)
    group = life.reach(life.spec).observe()
    enough = life.spec.policy.needed(load)
    served = replace(group, desired=enough, min_size=2)

    sight = Sight(load=life.spec, seen=Seen(value=load, at=life.now))
    watched = Watched(spec=life.spec, group=served, sights=(sight,), ahead=step)
    (raised,) = reactions([watched], Memory(), life.now)
    assert isinstance(raised, Reaction)
    assert raised.capacity > enough
    assert "p90 of" in raised.reason
    assert "moved" not in raised.reason
    assert f"the load alone asks for {enough}" in raised.reason


def test_how_loads_like_this_one_went_on_says_more_of_the_minutes_ahead_than_a_quantile(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    life = a_life_in_fives(cloud, tmp_path)
    load = foretold(life)
    step = ahead(life, outlooks_of(life), load, times=5)

    history = life.storage.demand(life.spec, since=NOON - REACHES_BACK)
    known = near_peak(history.followed_by(Demand(NOON, FIVE, np.array([load]))), lead=10 * MINUTE, quantile=0.9)
    assert step is not None
    assert step.demand == pytest.approx(known)
    assert step.reason.startswith(f"what loads like this one came to, {known:,.0f} by 12:15 UTC, needs ")


def test_the_minutes_ahead_may_be_foreseen_more_surely_than_the_plan_is_drawn(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    life = a_life_in_fives(cloud, tmp_path)
    load = foretold(life)
    foreseen = [
        ahead(
            life,
            outlooks_of(life),
            load,
            spec=replace(life.spec, policy=replace(life.spec.policy, near_quantile=share)),
        )
        for share in (0.5, 0.99)
    ]
    less, more = (step.demand if step else None for step in foreseen)
    assert less is not None
    assert more is not None
    assert less < 0.95 * more


def test_what_is_expected_in_any_case_counts_where_the_load_is_like_none_before(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    life = a_life_in_fives(cloud, tmp_path)
    _, forecast = life.storage.newest_forecast(life.spec)
    step = ahead(life, outlooks_of(life), 1.5 * foretold(life))

    assert step is not None
    assert step.reason.startswith("p50 of ")
    assert step.demand is not None
    assert step.demand > 1.3 * forecast.value_at(life.now + 5 * MINUTE, 0.5)


def test_a_load_that_is_not_seen_any_more_leaves_the_forecast_alone_to_tell(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    life = a_life_in_fives(cloud, tmp_path)
    outlooks = outlooks_of(life)
    ahead(life, outlooks, 900)
    life.now += 20 * MINUTE

    step = outlooks.ahead([life.spec], {}, now=life.now)["web"]

    assert step.reason.startswith("p90 of ")


def test_the_history_of_a_forecast_is_read_once(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life_in_fives(cloud, tmp_path)
    outlooks = outlooks_of(life)
    ahead(life, outlooks, 1000)
    shutil.rmtree(life.folder / "storage" / "history")

    step = ahead(life, outlooks, 1000, times=40)

    assert step is not None
    assert not step.reason.startswith("p90 of "), "without a history nothing but the forecast could tell"


def test_a_forecast_that_is_not_trusted_or_is_old_says_nothing(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path)
    assert ahead(life, outlooks_of(life), 500, spec=replace(life.spec, mode=Mode.OBSERVE)) is None

    life.now += timedelta(hours=7)
    assert ahead(life, outlooks_of(life), 500) is None

    life.now = MONDAY
    gate = life.gates.of("web")
    assert gate is not None
    life.gates.save(replace(gate, standing=replace(gate.standing, stage=Stage.SUSPENDED)))
    assert ahead(life, outlooks_of(life), 500) is None


def test_a_new_forecast_takes_the_place_of_the_old_one(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path)
    outlooks = outlooks_of(life)
    before = ahead(life, outlooks, 900, times=30)
    life.measured(office_hours(21, end=life.now + 30 * MINUTE, top=3000))
    life.now += 30 * MINUTE
    life.steered()

    after = ahead(life, outlooks, 900, times=2)
    assert before is not None
    assert after is not None
    assert after.demand != before.demand


def test_a_forecast_of_another_metric_says_nothing_from_the_moment_the_metric_is_changed(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    life = a_life(cloud, tmp_path)
    outlooks = outlooks_of(life)
    assert ahead(life, outlooks, 900) is not None

    other = replace(life.spec, metric=replace(HOURLY, name="Jobs"))

    assert ahead(life, outlooks, 9, times=1, spec=other) is None
    assert ahead(life, outlooks, 9, times=20, spec=other) is None
    assert ahead(life, outlooks, 900, times=20) is not None, "the file was put back"


def test_a_fleet_without_a_forecast_reacts_without_one(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = Life(cloud, tmp_path, MONDAY)
    assert outlooks_of(life).ahead([life.spec], {"web": Seen(value=900, at=MONDAY)}, now=MONDAY) == {}
