"""Durations are read in every form that people write."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting import InvalidDuration
from forecasting.duration import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("10m", 600),
        ("10 min", 600),
        ("1h30m", 5_400),
        ("2d", 172_800),
        ("1w", 604_800),
        ("PT5M", 300),
        ("P1DT2H", 93_600),
        ("00:05:00", 300),
        ("300", 300),
        (300, 300),
        (0.5, 0.5),
        (timedelta(minutes=2), 120),
    ],
)
def test_a_duration_is_read(text: str | float | timedelta, seconds: float) -> None:
    assert parse_duration(text).total_seconds() == seconds


@pytest.mark.parametrize(
    "text", ["", "ten minutes", "5x", "-5m", -1, True, "P", "1m2h", "00:05", float("nan"), "9" * 30 + "d"]
)
def test_what_is_no_duration_is_refused_with_examples(text: str | float) -> None:
    with pytest.raises(InvalidDuration, match='"1h30m"'):
        parse_duration(text)


@given(st.integers(0, 10**8))
def test_a_duration_written_is_read_back(seconds: int) -> None:
    duration = timedelta(seconds=seconds)
    assert parse_duration(format_duration(duration)) == duration
