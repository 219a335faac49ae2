"""Seasons: the days or weeks of a history laid over one another, and one of them gone on with for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forecasting.values import Values


def overlaid(values: Values, length: int, weights: Sequence[float] | Values) -> Values:
    """Sum the last seasons of this many columns, each with its weight, the latest weight last: (series, length)."""
    total = np.zeros((len(values), length), dtype=values.dtype)
    end = values.shape[1]
    for weight in weights[::-1]:  # one by one, where they lie: to cut them into a cube copies them all
        total += values.dtype.type(weight) * values[:, end - length : end]
        end -= length
    return total


def mean_seasons(values: Values, ends: Sequence[int], phase: int, length: int, decay: float) -> Iterator[Values]:
    """Give the mean season before each end, from the earliest on, a later season counting more: (series, length).

    Column 0 of the values is slot `phase` of a season; before the first end lies a whole one.
    """
    mean, known = np.zeros((len(values), length), dtype=values.dtype), np.zeros(length, dtype=values.dtype)
    done = 0
    for end in ends:
        while done < end:
            slot = (done + phase) % length
            count = min(length - slot, end - done)
            columns = slice(slot, slot + count)
            known[columns] = 1 + values.dtype.type(decay) * known[columns]
            mean[:, columns] += (values[:, done : done + count] - mean[:, columns]) / known[columns]
            done += count
        yield mean.copy()


def around(season: Values, first: int, last: int) -> Values:
    """Go round a season: give its columns from `first` to before `last`, its own first one being column 0."""
    length = season.shape[1]
    begin = first % length
    end = begin + last - first
    if end <= length:
        return season[:, begin:end]
    rounds, rest = divmod(end, length)
    return np.concatenate([season[:, begin:], *[season] * (rounds - 1), season[:, :rest]], axis=1)
