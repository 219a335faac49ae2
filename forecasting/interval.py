"""From a best guess to quantiles: how far off such guesses have been (split conformal prediction)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forecasting.profile import smooth_circle
from forecasting.seasons import around
from forecasting.values import known_nearby, quantiles_of

if TYPE_CHECKING:
    from forecasting.slots import Slots
    from forecasting.values import Values

    Trials = list[tuple[int, Values]]

# A tenth of the mean keeps the logarithm finite at zero and the errors of quiet hours in proportion.
OFFSET = 0.1
# Quantiles of the log domain explode on short, spiky series: nothing is forecast far beyond what was ever seen.
CAP = 1.2
# Two thirds of the spread follow the time of day.
UNEVEN = 0.65
# Errors at earlier origins flatter: what the weights were chosen by is also what they are judged by.
WIDER = 0.7
# Half of the bias of the last days is likely to go on.
MEDIAN_SHARE = 0.5
# Errors of neighbouring slots say much the same.
ENOUGH = 72
# Errors of one day are much alike, so it is days that count: judged on fewer than a month's trials cover, be wider.
JUDGED_DAYS, FEW_DAYS = 8.5, 0.6
HANDFUL = 12


def offset(values: Values) -> Values:
    """Give the constant added to each series before taking its logarithm."""
    return np.asarray(OFFSET * values.mean(axis=1, keepdims=True) + 1e-9)


def ceiling(values: Values) -> Values:
    """Give the most that may be forecast for each series."""
    return np.asarray(CAP * np.quantile(values, 0.999, axis=1, keepdims=True))


def spread(errors: Values, quantiles: tuple[float, ...]) -> Values:
    """Give, for each series (row of errors) and quantile, the distance from the best guess; the median stays put."""
    count = errors.shape[1]
    # The finite-sample correction of conformal prediction: the quantile of count + 1 errors, the last one unknown.
    levels = [min(1.0, max(0.0, 0.5 + (each - 0.5) * (count + 1) / max(count, 1))) for each in quantiles]
    return _around_median(np.quantile(errors, levels, axis=1).T, quantiles)


def spread_of_few(errors: Values, quantiles: tuple[float, ...]) -> Values:
    """Give the same for errors of a week or less, which saw little of what may come: half of it their spread tells."""
    return _around_median(_apart(errors, quantiles), quantiles)


def _around_median(distances: Values, quantiles: tuple[float, ...]) -> Values:
    """Keep the median where it is, and each of the others on its side."""
    side = np.sign(np.array(quantiles) - 0.5)
    return np.asarray(side * np.maximum(side * distances, 0.0))


def time_of_day_scale(residuals: Values, per_day: int) -> Values:
    """Tell how noisy each time of day is, 1 on average; columns count from the end of the history on."""
    days = residuals.shape[1] // per_day
    noise = residuals[:, -days * per_day :].reshape(len(residuals), days, per_day).mean(axis=1)
    noise = smooth_circle(noise, 1 + max(1, per_day // 24))
    return np.asarray(UNEVEN * noise / (noise.mean(axis=1, keepdims=True) + 1e-9) + (1 - UNEVEN))


def distances(logs: Values, trials: Trials, scale: Values, slots: Slots, quantiles: tuple[float, ...]) -> Values:
    """Give the distance of each quantile from the best guess in each segment: (series, quantiles, segments).

    A trial is an earlier origin and the guess that followed it; logs are NaN where nobody measured what came. Errors
    are divided by how noisy their time of day is, so that a calm night and a busy noon can be judged together.
    """
    length = logs.shape[1]
    earliest = min(origin for origin, _ in trials)
    caution = _caution((length - earliest) / slots.per_day, quantiles)
    errors = []
    for origin, guess in trials:
        truth = logs[:, origin : origin + slots.horizon]
        noise = around(scale, origin - length, origin - length + truth.shape[1])
        errors.append((truth - guess[:, : truth.shape[1]]) / noise)
    found: list[Values] = []
    for segment in slots.segments():
        thin = slice(segment.start, segment.stop, max(1, (segment.stop - segment.start) // ENOUGH))
        seen = np.concatenate([each[:, thin] for each in errors], axis=1)
        # A history too short to have seen this lead leaves the distances of the lead before.
        found.append(caution * _apart_where_known(seen, quantiles) if seen.shape[1] else found[-1])
    return np.asarray(known_nearby(np.stack(found, axis=2)), dtype=np.float32)


def over_horizon(away: Values, scale: Values, slots: Slots) -> Values:
    """Spread the distances of segments over their slots, wider at noisy times of day: (series, quantiles, horizon)."""
    lengths = [segment.stop - segment.start for segment in slots.segments()]
    noise = around(scale, 0, slots.horizon)
    return np.asarray(np.repeat(away, lengths, axis=2) * noise[:, None, :])


def _caution(days: float, quantiles: tuple[float, ...]) -> Values:
    """Give a factor for each distance, as Student's distribution has it for few degrees of freedom."""
    factor = max(1.0, (1 + FEW_DAYS / days) / (1 + FEW_DAYS / JUDGED_DAYS))
    return np.array([1.0 if each == 0.5 else factor for each in quantiles])


def _apart_where_known(errors: Values, quantiles: tuple[float, ...]) -> Values:
    """Give the quantiles of the errors that are known, NaN where they are a handful."""
    unknown = np.isnan(errors)
    found = _apart(np.where(unknown, 0, errors), quantiles)
    for row in np.flatnonzero(unknown.any(axis=1)):
        known = errors[row][~unknown[row]][None]
        found[row] = _apart(known, quantiles)[0] if known.shape[1] >= HANDFUL else np.nan
    return found


def _apart(errors: Values, quantiles: tuple[float, ...]) -> Values:
    """Give the quantiles of errors, half as they were and half as their spread would have it: (series, quantiles)."""
    levels = [
        0.5 + np.sign(each - 0.5) * (0.5 - WIDER * min(each, 1 - each)) if each != 0.5 else 0.5 for each in quantiles
    ]
    seen = quantiles_of(errors, levels)
    found = (seen + _spread_out(errors, levels)) / 2
    for column, quantile in enumerate(quantiles):
        if quantile == 0.5:
            found[:, column] = MEDIAN_SHARE * seen[:, column]
    return np.asarray(np.maximum.accumulate(found, axis=1))


def _spread_out(errors: Values, levels: list[float]) -> Values:
    """Give the quantiles that the spread of errors tells of, each side by itself: demand fails low and bursts high."""
    away = errors - errors.mean(axis=1, keepdims=True)
    above, below = (
        np.sqrt(2 * (side**2).mean(axis=1, keepdims=True)) for side in (np.maximum(away, 0), np.minimum(away, 0))
    )
    of_one = np.array([_laplace(level) for level in levels])
    return np.asarray(np.where(of_one > 0, above, below) * of_one)


def _laplace(level: float) -> float:
    """Give a quantile of the Laplace distribution of unit variance: errors of demand have its heavy tails."""
    return float(-np.sign(level - 0.5) * np.log(2 * min(level, 1 - level)) / np.sqrt(2))
