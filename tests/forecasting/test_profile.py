"""The shape of a week is that of the calendar, whenever it is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from forecasting.profile import Profile
from forecasting.slots import Slots

WEEK = np.repeat([0.0, 0.0, 0.0, 0.0, 0.0, -1.0, -1.0], 96)


@pytest.mark.parametrize("hours", [0, 7, 13, 40, 120])
@pytest.mark.parametrize("begins", [0, 30, 500])
def test_a_weekend_begins_at_midnight(hours: int, begins: int) -> None:
    whole = np.tile(WEEK, 6)[begins:]
    known = 3 * len(WEEK) + 4 * hours
    profile = Profile(Slots(per_day=96, phase=begins, horizon=192), weekly=True)
    curve = profile.fits(whole[None, :known], [known])[0](known, known + len(WEEK))[0]
    assert curve == pytest.approx(whole[known : known + len(WEEK)], abs=1e-6)
