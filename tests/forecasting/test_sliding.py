"""Means of windows by the quick way are the means of windows."""

from __future__ import annotations

import numpy as np
import pytest

from forecasting.sliding import trailing_mean, window_means

ROWS = np.random.default_rng(0).normal(size=(3, 40)).astype(np.float32)


@pytest.mark.parametrize("width", [1, 2, 3, 5, 12, 13, 40])
def test_the_mean_of_a_window_is_that_of_its_values_and_leaves_them_as_they_were(width: int) -> None:
    before = ROWS.copy()
    windows = np.lib.stride_tricks.sliding_window_view(ROWS, width, axis=1)
    assert window_means(ROWS, width) == pytest.approx(windows.mean(axis=2), abs=1e-6)
    assert window_means(ROWS[0], width) == pytest.approx(windows[0].mean(axis=1), abs=1e-6)
    assert np.array_equal(ROWS, before)


@pytest.mark.parametrize("width", [1, 5, 12])
def test_a_trailing_mean_is_that_of_a_window_once_there_is_a_whole_one(width: int) -> None:
    assert trailing_mean(ROWS, width)[:, width - 1 :] == pytest.approx(window_means(ROWS, width), abs=1e-5)
    assert trailing_mean(ROWS, width)[:, 0] == pytest.approx(ROWS[:, 0])
