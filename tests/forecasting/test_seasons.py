"""Seasons laid over one another, and gone round for ever."""

from __future__ import annotations

import numpy as np
import pytest

from forecasting.seasons import around, mean_seasons, overlaid

SEASON = np.array([[0.0, 1.0, 2.0, 3.0]])


@pytest.mark.parametrize(("first", "last"), [(0, 3), (1, 4), (-2, 2), (3, 9), (-13, 0), (5, 5)])
def test_a_season_goes_on_before_and_after_itself(first: int, last: int) -> None:
    assert around(SEASON, first, last)[0].tolist() == [float(slot % 4) for slot in range(first, last)]


def test_to_go_round_and_round_is_to_repeat() -> None:
    assert around(SEASON, -5, 18)[0].tolist() == [float(slot % 4) for slot in range(-5, 18)]


def test_the_last_seasons_count_by_their_weights_and_what_came_before_them_not_at_all() -> None:
    history = np.array([[99.0, 1.0, 2.0, 10.0, 20.0]])
    assert overlaid(history, 2, [0.5, 2.0]).tolist() == [[20.5, 41.0]]


def test_the_mean_season_before_each_end_counts_later_ones_more_and_what_is_known_of_the_oldest() -> None:
    history = np.array([[8.0, 1.0, 2.0, 4.0, 4.0, 6.0]])  # begins in the last slot of a season of three
    first, second = mean_seasons(history, [4, 6], 2, 3, 0.5)
    assert first[0] == pytest.approx([1.0, 2.0, (4.0 + 0.5 * 8.0) / 1.5])
    assert second[0] == pytest.approx([(4.0 + 0.5 * 1.0) / 1.5, (6.0 + 0.5 * 2.0) / 1.5, (4.0 + 0.5 * 8.0) / 1.5])
