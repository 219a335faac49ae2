"""Medians by the quick ways are the medians."""

from __future__ import annotations

import numpy as np
import pytest

from forecasting.values import median_across, median_of


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 10, 20])
def test_medians_across_layers_and_along_rows_are_what_numpy_says(count: int) -> None:
    layers = np.random.default_rng(count).normal(size=(count, 3, 5)).astype(np.float32)
    before = layers.copy()
    assert median_across(layers) == pytest.approx(np.median(layers, axis=0))
    assert median_of(layers.transpose(1, 2, 0), axis=2) == pytest.approx(np.median(layers, axis=0))
    assert np.array_equal(layers, before)
