"""A baseline gets what brings it to its ceiling: up at once, back slowly, and nothing back that is not seen."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting import InvalidRequest
from forecasting.traffic_split import ALL, MOST, Split, Terms, split

percent = st.integers(0, ALL)
utilisation = st.floats(0, 1)
terms = st.builds(
    Terms, ceiling=st.floats(0.1, 0.9), back=st.integers(1, ALL), tolerance=st.floats(0, 0.09, exclude_max=True)
)


def burst(used: float | None, now_burst: int, agreed: Terms | None = None, *, healthy: bool = True) -> int:
    return split(used, healthy=healthy, now_burst=now_burst, terms=agreed or Terms()).burst


def served(loads: list[float], agreed: Terms) -> list[int]:
    """Live through loads, each as what all of it would use of the baseline, and give the split of every turn."""
    turns = [0]
    for load in loads:
        used = min(load * (ALL - turns[-1]) / ALL, 1.0)
        turns.append(burst(used, turns[-1], agreed))
    return turns


@given(st.none() | utilisation, st.booleans(), percent, terms)
def test_a_split_is_a_percentage_with_a_reason(
    used: float | None,
    healthy: bool,  # noqa: FBT001 - hypothesis gives it
    now_burst: int,
    agreed: Terms,
) -> None:
    found = split(used, healthy=healthy, now_burst=now_burst, terms=agreed)
    assert 0 <= found.burst <= ALL
    assert "baseline" in found.reason


@given(percent, utilisation, utilisation, terms)
def test_a_busier_baseline_never_gets_more(now_burst: int, one: float, other: float, agreed: Terms) -> None:
    low, high = sorted((one, other))
    assert burst(low, now_burst, agreed) <= burst(high, now_burst, agreed)


@given(percent, utilisation, terms)
def test_traffic_comes_back_in_small_parts(now_burst: int, used: float, agreed: Terms) -> None:
    assert burst(used, now_burst, agreed) >= now_burst - agreed.back


@given(percent, st.booleans())
def test_what_is_not_seen_gives_nothing_back(now_burst: int, no_number: bool) -> None:  # noqa: FBT001 - as above
    assert burst(float("nan") if no_number else None, now_burst) == now_burst


@given(st.none() | utilisation, percent, terms)
def test_without_a_healthy_target_all_goes_to_the_burst(used: float | None, now_burst: int, agreed: Terms) -> None:
    assert burst(used, now_burst, agreed, healthy=False) == ALL


@given(st.integers(0, MOST), terms)
def test_at_its_ceiling_a_baseline_keeps_what_it_has(now_burst: int, agreed: Terms) -> None:
    assert burst(agreed.ceiling, now_burst, agreed) == now_burst


@pytest.mark.parametrize(
    ("used", "now_burst", "expected"),
    [
        (0.40, 0, 0),  # all is well
        (0.69, 0, 0),
        (1.00, 0, 30),  # 70 % of the traffic bring it to 70 %
        (0.90, 20, 38),  # all would be 112.5 %
        (0.60, 20, 10),  # all would be 75 %: 93 % could be taken, and 10 points come back
        (0.35, 50, 40),
        (0.10, 100, 90),  # healthy again: it is tried with a little
        (0.90, 100, 100),
    ],
)
def test_known_cases(used: float, now_burst: int, expected: int) -> None:
    assert burst(used, now_burst) == expected


@given(st.floats(0.01, 50), terms)
def test_a_steady_load_finds_its_split_and_stays_there(load: float, agreed: Terms) -> None:
    turns = served([load] * 150, agreed)
    assert len(set(turns[-20:])) == 1
    assert all(later >= earlier for earlier, later in pairwise(turns)), "it never gives back what it has to take again"
    kept = ALL - turns[-1]
    assert load * kept / ALL <= agreed.ceiling + agreed.tolerance + 1e-6 or kept == ALL - MOST


@given(st.floats(0.1, 0.6), st.floats(0.75, 1.4), st.integers(1, 15), terms)
def test_a_square_wave_of_load_is_followed_and_not_amplified(
    low: float, high: float, length: int, agreed: Terms
) -> None:
    turns = served(([high] * length + [low] * length) * 6, agreed)
    moves = [later - earlier for earlier, later in pairwise(turns) if later != earlier]
    turned = sum((one > 0) != (other > 0) for one, other in pairwise(moves))
    assert turned <= 12, "one rise and one return for each wave"
    assert max(turns) <= max(math.ceil(ALL - ALL * agreed.ceiling / high), 0), "and no more is sent away than must be"


def test_the_reason_says_what_is_seen_and_what_is_wanted() -> None:
    rising = split(0.9, healthy=True, now_burst=20, terms=Terms())
    falling = split(0.35, healthy=True, now_burst=50, terms=Terms())
    assert rising.reason == "the baseline is at 90% with 80% of the traffic, above its ceiling of 70%: it keeps 62%"
    assert falling.reason == "the baseline is at 35% with 50% of the traffic, and can take 60%, 100% in the end"


def test_terms_and_splits_that_make_no_sense_are_refused() -> None:
    for wrong in ({"ceiling": 0.0}, {"ceiling": 0.99}, {"back": 0}, {"tolerance": 0.7}):
        with pytest.raises(InvalidRequest, match=next(iter(wrong))):
            Terms(**wrong)
    with pytest.raises(InvalidRequest, match="burst 101 is no percentage"):
        Split(burst=101, reason="")
