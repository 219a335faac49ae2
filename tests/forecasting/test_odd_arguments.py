"""What a notebook may hand over by mistake is refused with the mend, and what means the same is taken."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from forecasting import Demand, ForecastingError, Policy, calibrate, draw_plan, forecast, replay
from forecasting.synthetic import synthetic_demand

if TYPE_CHECKING:
    from collections.abc import Callable

HOUR = timedelta(hours=1)
DEMAND = synthetic_demand(days=3)
POLICY = Policy(1, 90, 20.0)
ONE = np.ones(1)


def a_replay(**more: Any) -> Any:
    return replay(DEMAND, POLICY, **{"since": DEMAND.end - 6 * HOUR, "mode": "reactive", **more})


def a_plan(policy: Policy = POLICY, **more: Any) -> Any:
    made = forecast(DEMAND, engine="seasonal_naive")
    return draw_plan(made, policy, **{"now": DEMAND.end, **more})


def given(value: Any) -> Any:
    """Give a value whose type nobody has checked."""
    return value


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Demand(given("2026-01-05"), HOUR, ONE), "start '2026-01-05' is not an instant: give an aware one"),
        (lambda: Demand(given(date(2026, 1, 5)), HOUR, ONE), "start datetime.date.* is not an instant"),
        (lambda: Demand(DEMAND.start, given(300), ONE), "step 300 is no positive time"),
        (lambda: Demand.from_series(given(pd.DataFrame({"value": [1.0]}))), "a DataFrame, not a series: .* column"),
        (lambda: Demand.from_series(given([1.0])), "a list, not a series"),
        (lambda: forecast(given(pd.Series([1.0]))), "the demand is a Series: make it one, with .*from_series"),
        (lambda: calibrate({"web": given([1.0])}), "the demand is a list: make it one, with .*from_series"),
        (lambda: forecast(DEMAND, events=given(["launch"])), "event 'launch' is none: give Event"),
        (lambda: a_plan(now="2026-01-05"), "now '2026-01-05' is not an instant"),
        (lambda: a_plan(current=7.5), "current is 7.5: give the capacity"),
        (lambda: a_replay(since="2026-01-05"), "since '2026-01-05' is not an instant"),
        (lambda: a_replay(boot=5), "boot is 5: give 0 to 24 hours"),
        (lambda: a_replay(refresh=1), "refresh is 1: give 5 minutes"),
        (lambda: Policy(1, 2, given("600")), "target_per_instance is '600': give a number"),
        (lambda: Policy(1, 2, given(None)), "target_per_instance is None: give a number"),
        (lambda: Policy(1, 2, 600, quantile=given("0.9")), "quantile is '0.9': give a number"),
        (lambda: Policy(given(np.float64(1)), 2, 600), "min_size is 1.0: give a whole number"),
    ],
)
def test_a_mistaken_argument_is_named_with_its_value_and_the_mend(call: Callable[[], Any], words: str) -> None:
    with pytest.raises(ForecastingError, match=words):
        call()


def test_numbers_of_numpy_are_numbers() -> None:
    sizes = {"min_size": np.int64(1), "max_size": np.int32(90), "max_step_up": np.int64(3), "units": np.int64(1)}
    amounts = {"target_per_instance": np.float32(20), "price_per_hour": np.float32(0.5)}
    policy = Policy(**given({**sizes, **amounts}))
    assert policy == Policy(1, 90, 20.0, price_per_hour=0.5, max_step_up=3)
    plan = a_plan(policy, current=np.int64(3))
    assert plan == a_plan(Policy(1, 90, 20.0, price_per_hour=0.5, max_step_up=3), current=3)
    assert json.loads(plan.to_json())["steps"][0]["price_per_hour"] > 0


def test_instants_and_times_of_pandas_steer_alike() -> None:
    since = DEMAND.end - 6 * HOUR
    assert a_replay(since=pd.Timestamp(since), boot=pd.Timedelta("5min")) == a_replay(since=since)
    assert a_plan(now=pd.Timestamp(DEMAND.end)).plan_id == a_plan(now=DEMAND.end.astimezone(UTC)).plan_id
    assert Demand(pd.Timestamp(datetime(2026, 1, 5, tzinfo=UTC)), pd.Timedelta("1h"), ONE).end.hour == 1
