"""Where a series stands is carried forward as far as it has proved to carry."""

from __future__ import annotations

import numpy as np
import pytest

from forecasting.correction import HALF_LIVES_HOURS, Correction, _averages
from forecasting.slots import Slots

HOURLY = Slots(per_day=24, phase=0, horizon=48)


def wandering(kept: float, *, days: int = 60, seed: int = 0) -> np.ndarray:
    """Residuals of which so much is kept from one hour to the next."""
    random = np.random.default_rng(seed)
    found = np.zeros(24 * days)
    for hour in range(1, len(found)):
        found[hour] = kept * found[hour - 1] + random.normal(0.0, 0.1)
    return found[None].astype(np.float32)


def test_what_lasts_is_carried_far_and_what_is_chance_is_not() -> None:
    share = {}
    for kept in (0.0, 0.95):
        residuals = wandering(kept)
        correction = Correction(residuals, HOURLY)
        latest = np.where(np.arange(72) >= 48, 1.0, 0.0)[None].astype(np.float32)
        share[kept] = correction.carried(latest)[0]
    assert np.abs(share[0.0]).max() < 0.3
    assert 0.6 < share[0.95][0] < 1.0
    assert 0.1 < share[0.95][11] < share[0.95][0]


def test_at_an_earlier_origin_the_noise_is_that_of_its_own_time_of_day() -> None:
    noisy_noon = wandering(0.9) * np.tile(np.where(np.arange(24) // 6 == 2, 3.0, 0.5), 60).astype(np.float32)
    correction = Correction(noisy_noon, HOURLY)
    recent = noisy_noon[:, -72:]
    now, a_day_ago, at_noon = (correction.carried(recent, ago)[0] for ago in (0, 24, 12))
    assert a_day_ago == pytest.approx(now)
    assert at_noon != pytest.approx(now)


@pytest.mark.parametrize("per_day", [288, 45, 24, 4])
@pytest.mark.parametrize("over", [0, 7, 50])
def test_the_averages_at_the_ends_of_hours_are_those_of_a_plain_loop(per_day: int, over: int) -> None:
    slots = Slots(per_day=per_day, phase=0, horizon=per_day)
    residuals = np.random.default_rng(over).normal(size=(2, 6 * per_day + over)).astype(np.float32)
    averages, ends = _averages(residuals, slots)
    decays = 0.5 ** (24 / np.array(HALF_LIVES_HOURS) / per_day)
    so_far, found = np.zeros((2, len(decays))), []
    for slot in range(residuals.shape[1]):
        so_far = decays * so_far + (1 - decays) * residuals[:, slot, None]
        found.append(so_far)
    assert ends[-1] == residuals.shape[1] - 1
    assert set(np.diff(ends)) == {slots.hour}
    assert averages == pytest.approx(np.stack(found, axis=1)[:, ends], abs=1e-5)
