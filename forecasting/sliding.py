"""Windows that slide along a series: what lay a while ago, the means and extremes behind each place and ahead of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from forecasting.values import Values

Kind = TypeVar("Kind", bound=np.generic)


def ago(values: Values, slots: int) -> Values:
    """Give, at every place, the value some slots earlier; before the first, the first."""
    return np.concatenate([np.full(min(slots, len(values)), values[0]), values[: max(len(values) - slots, 0)]])


def trailing_max(values: npt.NDArray[Kind], width: int) -> npt.NDArray[Kind]:
    """Give the greatest of the last `width` values, at every place."""
    width = min(width, len(values))
    padded = np.concatenate([np.full(width - 1, values[0]), values])
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, width).max(axis=1))


def trailing_min(values: npt.NDArray[Kind], width: int) -> npt.NDArray[Kind]:
    """Give the least of the last `width` values, at every place."""
    width = min(width, len(values))
    padded = np.concatenate([np.full(width - 1, values[0]), values])
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, width).min(axis=1))


def trailing_mean(values: Values, width: int) -> Values:
    """Give the mean of the last `width` values, at every place of a series or of each row; of fewer to begin with."""
    sums = np.cumsum(values, axis=-1)
    means = sums.copy()
    means[..., width:] -= sums[..., :-width]
    means /= np.minimum(np.arange(1, values.shape[-1] + 1), width, dtype=means.dtype)
    return means


def window_means(values: Values, width: int) -> Values:
    """Give the mean of every `width` neighbours, of a series or of each row: one fewer than that shorter."""
    if width == 1:
        return values
    means = _window_sums(values, width)
    means /= width
    return means


def _window_sums(values: Values, width: int) -> Values:
    """Add up halves of a window: on short rows far quicker than one sum that runs on."""
    if width == 1:
        return values
    half = width // 2
    halves = _window_sums(values, half)
    sums = halves[..., half:] + halves[..., :-half]
    if width > 2 * half:
        sums = sums[..., :-1]
        sums += values[..., 2 * half :]
    return sums


def leading_max(values: npt.NDArray[Kind], width: int) -> npt.NDArray[Kind]:
    """Give the greatest of the next `width` values, at every place, its own included."""
    return trailing_max(values[::-1], width)[::-1]


def last_known(values: Values) -> Values:
    """Give, at every place, the last value that was measured up to there; before any was, the first one, or 0."""
    known = np.flatnonzero(~np.isnan(values))
    if len(known) == 0:
        return np.zeros(len(values))
    newest = np.searchsorted(known, np.arange(len(values)), side="right") - 1
    return np.asarray(values[known[np.maximum(newest, 0)]])
