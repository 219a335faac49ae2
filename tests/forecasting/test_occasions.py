"""Holidays and events: what they did before is expected again, what a person states is believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from forecasting import Demand, Event, InvalidRequest, forecast, forecast_many
from forecasting.loss import wape
from forecasting.synthetic import synthetic_demand

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")


def with_holidays(start: datetime, days: int, holidays: list[datetime], factor: float) -> Demand:
    """Invent demand of which holidays leave a share."""
    usual = synthetic_demand(days=days, step=HOUR, start=start, timezone="Europe/Berlin", noise=0.02, weekend=0.9)
    values = usual.values.copy()
    for midnight in holidays:
        first = (midnight - usual.start) // HOUR
        values[first : first + 24] *= factor
    return Demand(usual.start, HOUR, values)


SPRING = datetime(2026, 3, 30, tzinfo=BERLIN).astimezone(UTC)
GOOD_FRIDAY, EASTER_MONDAY, MAY_DAY = (datetime(2026, *day, tzinfo=BERLIN) for day in ((4, 3), (4, 6), (5, 1)))


def test_a_holiday_is_expected_to_be_as_holidays_were() -> None:
    whole = with_holidays(SPRING, 34, [GOOD_FRIDAY, EASTER_MONDAY, MAY_DAY], 0.4)
    history, truth = whole.before(MAY_DAY), whole.between(MAY_DAY, MAY_DAY + DAY).values
    asked = {"timezone": "Europe/Berlin", "horizon": DAY}
    informed = forecast(history, country="DE", **asked)  # type: ignore[arg-type]
    unaware = forecast(history, **asked)  # type: ignore[arg-type]
    assert wape(truth, informed.at(0.5)) < 0.35 * wape(truth, unaware.at(0.5))
    assert "taken 0.4" in informed.reason


def test_a_holiday_that_is_going_on_is_no_change_of_level() -> None:
    """At ten at night of a holiday, tomorrow is a usual day."""
    whole = with_holidays(SPRING, 34, [MAY_DAY], 0.15)
    history = whole.before(MAY_DAY + 22 * HOUR)
    truth = whole.values[len(history) :][2:26]
    informed = forecast(history, country="DE", timezone="Europe/Berlin", horizon=26 * HOUR)
    assert "level changed" not in informed.reason
    assert wape(truth, informed.at(0.5)[2:]) < 0.12


def test_a_holiday_never_seen_before_is_said_to_be_so() -> None:
    history = with_holidays(SPRING, 34, [], 1.0).between(EASTER_MONDAY + DAY, MAY_DAY)
    told = forecast(history, country="DE", timezone="Europe/Berlin")
    assert "taken for a usual day: none was seen before" in told.reason
    assert told.values == pytest.approx(forecast(history, timezone="Europe/Berlin").values)


def test_a_part_of_a_country_has_holidays_of_its_own() -> None:
    history = synthetic_demand(days=20, step=HOUR, start=datetime(2026, 3, 11, 8, tzinfo=UTC))
    there = forecast(history, country="US-CA", timezone="America/Los_Angeles")
    assert "Chavez" in there.reason
    assert "Chavez" not in forecast(history, country="US", timezone="America/Los_Angeles").reason


@pytest.mark.parametrize("country", ["XX", "Atlantis", "DE-XX", ""])
def test_a_country_nobody_knows_is_refused(country: str) -> None:
    demand = synthetic_demand(days=3, step=HOUR)
    if country:
        with pytest.raises(InvalidRequest, match=f"country '{country}' is unknown"):
            forecast(demand, country=country)
    else:
        assert forecast(demand, country=country) == forecast(demand)


def a_sale(day: int, factor: float | None = None) -> Event:
    start = synthetic_demand(days=1).start + timedelta(days=day)
    return Event(name="sale", start=start, end=start + 12 * HOUR, factor=factor)


def test_what_a_sale_did_before_is_expected_of_the_next() -> None:
    usual = synthetic_demand(days=24, step=HOUR, noise=0.02)
    values = usual.values.copy()
    for day in (9, 16):
        values[day * 24 : day * 24 + 12] *= 3.0
    history = Demand(usual.start, HOUR, values[: 23 * 24])
    sales = [a_sale(9), a_sale(16), a_sale(23)]
    expected = 3.0 * usual.values[23 * 24 : 23 * 24 + 12]
    found = forecast(history, events=sales, horizon=DAY).at(0.5)[:12]
    assert found.sum() == pytest.approx(expected.sum(), rel=0.25)
    stated = forecast(history, events=[*sales[:2], a_sale(23, 2.0)], horizon=DAY).at(0.5)[:12]
    assert stated.sum() == pytest.approx(expected.sum() * 2 / 3, rel=0.1)


@pytest.mark.parametrize("usual", [0.0, 2.0])
@pytest.mark.parametrize("often", [1, 3])
def test_an_event_in_idle_hours_is_expected_as_it_came_where_no_factor_tells(usual: float, often: int) -> None:
    days, hours = 36, np.arange(36 * 24) % 24
    load = np.where((hours >= 8) & (hours < 18), 50.0, usual)
    start = datetime(2026, 1, 5, tzinfo=UTC)
    nights = [start + day * DAY + 20 * HOUR for day in (35, 30, 24, 17)][: often + 1]
    closings = [Event(name="closing", start=night, end=night + 4 * HOUR) for night in nights]
    for night in nights:
        first = (night - start) // HOUR
        load[first : first + 4] = 1_000.0
    made = forecast(Demand(start, HOUR, load).before(start + (days - 1) * DAY), events=closings, horizon=DAY)
    assert made.at(0.5)[20:].mean() > 600
    assert made.at(0.9)[:20].max() < 100
    assert "closing taken for" in made.reason
    assert "as before: many times the usual of that time" in made.reason


def test_each_series_learns_from_its_own_past() -> None:
    usual = synthetic_demand(days=23, step=HOUR, noise=0.02)
    raised = usual.values.copy()
    raised[16 * 24 : 16 * 24 + 12] *= 4.0
    demands = {"calm": usual, "sold out": Demand(usual.start, HOUR, raised)}
    found = forecast_many(demands, events=[a_sale(16), a_sale(23)], horizon=DAY)
    assert np.all(found["sold out"].at(0.5)[:12] > 1.8 * found["calm"].at(0.5)[:12])


def test_two_events_that_meet_do_not_count_one_effect_twice() -> None:
    usual = synthetic_demand(days=24, step=HOUR, noise=0.02)
    values = usual.values.copy()
    for day in (9, 16):
        values[day * 24 : day * 24 + 12] *= 3.0
    history = Demand(usual.start, HOUR, values[: 23 * 24])
    sales = [a_sale(day) for day in (9, 16, 23)]
    also = [Event(name="fair", start=each.start, end=each.end) for each in sales]
    alone, together = (forecast(history, events=events, horizon=DAY).at(0.5)[:12] for events in (sales, sales + also))
    assert together.sum() <= 3.2 * usual.values[23 * 24 : 23 * 24 + 12].sum()
    assert together.sum() < 1.35 * alone.sum()


def test_a_holiday_is_not_credited_with_the_sale_held_on_it() -> None:
    whole = with_holidays(SPRING, 34, [GOOD_FRIDAY, EASTER_MONDAY], 2.0)
    history = whole.before(MAY_DAY)
    sales = [Event(name="sale", start=day, end=day + DAY, factor=2.0) for day in (GOOD_FRIDAY, EASTER_MONDAY)]
    asked = {"timezone": "Europe/Berlin", "horizon": DAY}
    made = forecast(history, country="DE", events=sales, **asked)  # type: ignore[arg-type]
    plain = forecast(history, events=sales, **asked)  # type: ignore[arg-type]
    assert made.at(0.5).sum() == pytest.approx(plain.at(0.5).sum(), rel=0.1)


@pytest.mark.parametrize("factor", [0.0, -1.0, 1e-300, 1e300, float("inf"), float("nan")])
def test_a_factor_that_no_demand_could_have_is_refused(factor: float) -> None:
    with pytest.raises(InvalidRequest, match=r"event 'sale' has factor .*: write 2 for twice the usual demand"):
        a_sale(3, factor)
