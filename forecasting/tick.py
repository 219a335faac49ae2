"""Tick: a fresh point moves the near future at once, with no model fitted again.

How much of a miss stays after some time was learnt from the misses of trials; a forecast that was never calibrated
takes it that a miss halves in an hour and a half. So does a miss many times as great as those of the trials: it is a
change of which they know nothing.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from forecasting.carry import HALF_LIFE, RECENT, UNTRIED, latest_counting_most, over_slots
from forecasting.errors import InvalidForecast
from forecasting.forecast import Forecast
from forecasting.interval import OFFSET
from forecasting.values import MOST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forecasting.calibration import Calibration
    from forecasting.demand import Demand
    from forecasting.values import Values

NEAR = timedelta(hours=6)
# In errors of the trials: from here on a miss is a change, more and more, and from there on it is nothing else.
UNUSUAL, UNKNOWN = 3.0, 6.0


def tick(
    forecasts: Mapping[str, Forecast],
    fresh: Mapping[str, Demand],
    calibration: Calibration | None = None,
    *,
    ahead: timedelta = NEAR,
) -> dict[str, Forecast]:
    """Give the quantiles of the next hours, from the end of the fresh points on; without any, the forecast stays."""
    groups = defaultdict(list)
    for name, forecast in forecasts.items():
        if name in fresh and (passed := _passed(name, forecast, fresh[name])):
            groups[forecast.start, forecast.step, len(forecast), forecast.quantiles, passed].append(name)
    moved: dict[str, Forecast] = dict(forecasts)
    for (*_, passed), names in groups.items():
        moved.update(_moved({name: forecasts[name] for name in names}, fresh, calibration, passed, ahead))
    return moved


def _passed(name: str, forecast: Forecast, points: Demand) -> int:
    """Count the slots of a forecast that the fresh points have reached."""
    if points.step != forecast.step or (points.end - forecast.start) % forecast.step:
        msg = f"{name}: points of {points.step} do not fit a forecast in steps of {forecast.step}: use its grid"
        raise InvalidForecast(msg)
    passed = (points.end - forecast.start) // forecast.step
    if passed >= len(forecast):
        msg = f"{name}: the forecast ended at {forecast.end.isoformat()}, before the fresh points: forecast again"
        raise InvalidForecast(msg)
    return max(0, int(passed))


def _moved(
    forecasts: dict[str, Forecast],
    fresh: Mapping[str, Demand],
    calibration: Calibration | None,
    passed: int,
    ahead: timedelta,
) -> dict[str, Forecast]:
    some = next(iter(forecasts.values()))
    values = np.stack([each.values for each in forecasts.values()])
    truth = np.stack([_aligned(fresh[name], passed) for name in forecasts])
    middle = int(np.argmin(np.abs(np.array(some.quantiles) - 0.5)))
    add = OFFSET * values[:, middle].mean(axis=1)[:, None] + 1e-9
    missed = _missed(np.log(truth + add) - np.log(values[:, middle, :passed] + add), some.step)
    last = min(len(some), passed + max(1, -(-ahead // some.step)))
    carry = over_slots(_carry(calibration, list(forecasts), missed), last - passed, some.step)
    later = (values[:, :, passed:last] + add[:, :, None]) * np.exp(missed[:, None] * carry)[:, None, :]
    most = MOST * np.fmax(values.max(axis=(1, 2)), np.fmax.reduce(truth, axis=1))[:, None, None]
    later = np.maximum.accumulate(np.clip(later - add[:, :, None], 0.0, most), axis=1)
    return {
        name: Forecast(
            start=each.start + passed * each.step,
            step=each.step,
            quantiles=each.quantiles,
            values=later[row],
            engine=each.engine,
            reason=f"{each.reason}; moved by {passed} fresh points",
        )
        for row, (name, each) in enumerate(forecasts.items())
    }


def _aligned(points: Demand, passed: int) -> Values:
    """Give the points in the last slots that passed, NaN where there is none."""
    found = np.full(passed, np.nan)
    count = min(passed, len(points))
    found[passed - count :] = points.values[len(points) - count :]
    return found


def _missed(misses: Values, step: timedelta) -> Values:
    """Average the misses of the last hour, missing ones left out; 0 where none is known."""
    misses = misses[:, -max(1, RECENT // step) :]
    weights = latest_counting_most(misses.shape[1], HALF_LIFE / step) * ~np.isnan(misses)
    total = weights.sum(axis=1)
    return np.asarray((np.nan_to_num(misses) * weights).sum(axis=1) / np.maximum(total, 1e-9))


def _carry(calibration: Calibration | None, names: list[str], missed: Values) -> Values:
    """Give what was learnt of each series, and the more of what is usual the less its miss is like those of trials."""
    if calibration is None:
        return np.array([UNTRIED for _ in names])
    learnt = np.array([calibration.carry(name) for name in names])
    errors = np.array([calibration.error(name) for name in names]) + 1e-9
    change = np.clip((np.abs(missed) / errors - UNUSUAL) / (UNKNOWN - UNUSUAL), 0.0, 1.0)[:, None]
    return np.asarray(learnt + change * (np.maximum(learnt, UNTRIED) - learnt))
