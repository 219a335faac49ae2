"""How far quantiles lie from the best guess."""

from __future__ import annotations

import numpy as np

from forecasting.interval import spread, spread_of_few

QUANTILES = (0.1, 0.5, 0.9, 0.99)
ERRORS = np.random.default_rng(0).laplace(size=(4, 336)) + np.array([[0.0], [-1.0], [1.0], [-5.0]])


def test_quantiles_keep_to_their_side_of_the_median_however_the_errors_lean() -> None:
    for found in (spread(ERRORS, QUANTILES), spread_of_few(ERRORS, QUANTILES)):
        low, middle, high, highest = found.T
        assert (low <= 0).all()
        assert (middle == 0).all()
        assert (highest >= high).all()
        assert (high >= 0).all()


def test_what_few_errors_tell_is_taken_for_less_than_all() -> None:
    even = ERRORS[:1]
    wider = spread_of_few(even, (0.1, 0.9)) / spread(even, (0.1, 0.9))
    assert (wider > 1).all()
    assert (wider < 1.5).all()
