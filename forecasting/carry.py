"""Carry: how much of a miss is still there some time later, learnt from the misses of trials."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from forecasting.interval import Trials
    from forecasting.slots import Slots
    from forecasting.values import Values

LEADS_HOURS = (1 / 12, 1 / 4, 1 / 2, 1.0, 2.0, 4.0, 8.0, 24.0)
# A series that was never tried: a miss halves in an hour and a half.
UNTRIED = tuple(float(0.5 ** (hours / 1.5)) for hours in LEADS_HOURS)
# The miss of now is the mean of the last hour's, the latest counting most.
RECENT, HALF_LIFE = timedelta(hours=1), timedelta(minutes=20)
SHRINK = 0.1


def learnt_carry(logs: Values, trials: Trials, slots: Slots) -> Values:
    """Regress, for each series and lead, later misses of the trials on those of the hour before: (series, leads)."""
    told = [each for each in trials if min(each[1].shape[1], logs.shape[1] - each[0]) >= slots.hour]
    if not told:  # They saw less than the hour by which a miss is measured.
        return np.tile(np.array(UNTRIED, dtype=np.float32), (len(logs), 1))
    weights = latest_counting_most(slots.hour, HALF_LIFE / RECENT * slots.hour).astype(logs.dtype)
    leads = [slots.of(hours) for hours in LEADS_HOURS]
    above = np.zeros((len(logs), len(leads)))
    below = np.full((len(logs), len(leads)), 1e-9)
    for origin, guess in told:
        truth = logs[:, origin : origin + guess.shape[1]]
        missed = np.nan_to_num(truth - guess[:, : truth.shape[1]])  # what nobody measured was not missed
        windows = np.lib.stride_tricks.sliding_window_view(missed, slots.hour, axis=1)[:, :: slots.of(0.5)]
        level = windows @ weights
        for index, lead in enumerate(leads):
            later = missed[:, slots.hour - 1 + lead :: slots.of(0.5)]
            so_far = level[:, : later.shape[1]]
            above[:, index] += np.einsum("sw,sw->s", so_far, later)
            below[:, index] += (1 + SHRINK) * np.einsum("sw,sw->s", so_far, so_far)
    # A miss fades: after a longer time no more of it is left than after a shorter one.
    return np.asarray(np.minimum.accumulate(np.clip(above / below, 0.0, 1.0), axis=1), dtype=np.float32)


def latest_counting_most(count: int, half_life: float) -> Values:
    """Give the weights of the values of the last hour, which halve every `half_life` values back."""
    weights = 0.5 ** (np.arange(count)[::-1] / half_life)
    return np.asarray(weights / weights.sum())


def over_slots(carry: Values, count: int, step: timedelta) -> Values:
    """Draw lines between the leads on a logarithmic scale: (series, slots)."""
    hours = np.log(np.arange(1, count + 1) * (step / timedelta(hours=1)))
    known = np.log(LEADS_HOURS)
    left = np.clip(np.searchsorted(known, hours) - 1, 0, len(known) - 2)
    share = np.clip((hours - known[left]) / (known[left + 1] - known[left]), 0.0, 1.0)
    return np.asarray(carry[:, left] * (1 - share) + carry[:, left + 1] * share)
