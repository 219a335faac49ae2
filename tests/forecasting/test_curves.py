"""Curves of the week are fitted to many ends of a history at once, and each knows only what came before its own."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from forecasting import harmonics
from forecasting.harmonics import Harmonics
from forecasting.models.blended import Blended
from forecasting.panel import MONDAY, Panel
from forecasting.profile import Profile
from forecasting.prophet_map import ProphetMap, ProphetShape
from forecasting.slots import Slots
from forecasting.synthetic import synthetic_demand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecasting.curve import Curve, Fit
    from forecasting.values import Values


def logs_of(days: int, per_day: int) -> np.ndarray:
    step = timedelta(days=1) / per_day
    series = [synthetic_demand(days=days, step=step, seed=seed, noise=0.1, growth=0.2).values for seed in range(3)]
    return np.log(np.stack(series) / np.mean(series) + 0.1).astype(np.float32)


@pytest.mark.parametrize(("per_day", "phase"), [(288, 0), (96, 70), (45, 13), (24, 100), (4, 3)])
@pytest.mark.parametrize("kind", [Harmonics, Profile])
@pytest.mark.parametrize("weekly", [True, False])
def test_a_fit_among_many_is_the_one_its_history_would_get_alone(
    kind: type[Harmonics | Profile], per_day: int, phase: int, *, weekly: bool
) -> None:
    logs, ahead = logs_of(24, per_day), 2 * per_day
    curve = kind(Slots(per_day=per_day, phase=phase, horizon=ahead), weekly=weekly)
    ends = [4 * per_day, 6 * per_day + 1, 8 * per_day, 12 * per_day + per_day // 3, 13 * per_day, 24 * per_day]
    for end, fit in zip(ends, curve.fits(logs, ends), strict=True):
        (alone,) = curve.fits(logs[:, :end], [end])
        assert fit(0, end + ahead) == pytest.approx(alone(0, end + ahead), abs=2e-4)


def test_an_earlier_fit_of_prophet_starts_from_the_last_and_knows_nothing_else_of_it() -> None:
    logs, per_day = logs_of(28, 96), 96
    curve = ProphetMap(Slots(per_day=per_day, phase=0, horizon=1), ProphetShape(breaks=10))
    among, _ = curve.fits(logs, [20 * per_day, 28 * per_day])
    (alone,) = curve.fits(logs[:, : 20 * per_day], [20 * per_day])
    assert among(0, 22 * per_day) == pytest.approx(alone(0, 22 * per_day), abs=0.05)


def plainly(logs: np.ndarray, per_day: int) -> np.ndarray:
    """Fit the waves of day and week by their equations as a textbook has them."""
    days = np.arange(-len(logs), 0) / per_day
    of_week = np.array(sorted({*range(1, harmonics.WEEKLY_WAVES + 1), *range(7, 7 * 12, 7)}))
    angles = np.outer(days, 2 * np.pi * of_week / 7)
    columns = np.hstack([np.ones((len(logs), 1)), np.cos(angles), np.sin(angles)])
    daily = harmonics.DAILY_PENALTY * (1 + (of_week / 56) ** 2)
    price = np.where(of_week % 7 == 0, daily, harmonics.WEEKLY_PENALTY * (1 + (of_week / 14) ** 2))
    penalty = np.concatenate([[0.0], price, price]) * per_day / harmonics.PENALTY_SLOTS
    weighted = columns * (0.5 ** (-(days + 1 / per_day) / harmonics.HALF_LIFE_DAYS))[:, None]
    return np.asarray(columns @ np.linalg.solve(weighted.T @ columns + np.diag(penalty), weighted.T @ logs))


def test_the_waves_are_where_the_plain_equations_have_them() -> None:
    logs = logs_of(24, 24)
    ends = [13 * 24, 17 * 24 + 5, 24 * 24]
    fits = Harmonics(Slots(per_day=24, phase=0, horizon=48), weekly=True).fits(logs, ends)
    for end, fit in zip(ends, fits, strict=True):
        assert fit(0, end)[1] == pytest.approx(plainly(logs[1, :end], 24), abs=1e-4)


class _Watched:
    """A curve that notes what it is given."""

    name = "watched"

    def __init__(self, slots: Slots) -> None:
        self._profile, self.given = Profile(slots, weekly=True), set[str]()

    def fits(self, logs: Values, ends: Sequence[int]) -> list[Fit]:
        self.given.add(str(logs.dtype))
        return self._profile.fits(logs, ends)


def test_a_history_is_worked_on_in_single_precision_which_takes_half_the_time() -> None:
    watched: list[_Watched] = []

    def curves(slots: Slots, _: float) -> list[Curve]:
        watched.append(_Watched(slots))
        return [watched[-1]]

    demand = synthetic_demand(days=20, seed=1)
    values = np.stack([demand.values, 3 * demand.values])
    step, quantiles = timedelta(minutes=5), (0.5, 0.9)
    panel = Panel(values=values, start=MONDAY, step=step, horizon=288, quantiles=quantiles)
    Blended("watched", curves, all_kinds=True).predict(panel)
    assert {dtype for each in watched for dtype in each.given} == {"float32"}
