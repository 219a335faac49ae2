"""The promise: no load makes a fleet flap. Within one window it turns down at most once, and up at most once."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting import Policy
from forecasting.decision import Observed, decide

if TYPE_CHECKING:
    from collections.abc import Iterable

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
LOOK = timedelta(seconds=30)
WINDOW = timedelta(minutes=5)
LOOKS = 240
POLICY = Policy(1, 40, 100.0, stabilisation=WINDOW)


@dataclass
class Fleet:
    """A fleet that does at once what is decided, looked at every 30 seconds."""

    capacity: int = 5
    wanted: list[tuple[datetime, int]] = field(default_factory=list)
    moves: list[tuple[datetime, int]] = field(default_factory=list)

    def live(self, loads: Iterable[float]) -> Fleet:
        for number, load in enumerate(loads):
            now = MONDAY + number * LOOK
            made = decide(None, Observed(capacity=self.capacity, demand=load, wanted=tuple(self.wanted)), POLICY, now)
            assert made.wanted is not None
            self.wanted.append((now, made.wanted))
            if made.capacity != self.capacity:
                self.moves.append((now, made.capacity - self.capacity))
                self.capacity = made.capacity
        return self

    def turns(self) -> list[tuple[datetime, bool]]:
        """Give when the size turned round, and whether downwards."""
        return [(when, change < 0) for (_, before), (when, change) in pairwise(self.moves) if before * change < 0]


def assert_calm(fleet: Fleet) -> None:
    """Assert that nothing goes within a window of coming, and that two turns the same way are a window apart."""
    ups = [when for when, change in fleet.moves if change > 0]
    for when, change in fleet.moves:
        assert change > 0 or all(not up < when < up + WINDOW for up in ups)
    for down in (True, False):
        same = [when for when, downwards in fleet.turns() if downwards is down]
        assert all(later - earlier >= WINDOW for earlier, later in pairwise(same))


load = st.floats(0, 4000, allow_nan=False)
looks = st.integers(1, 60)


@settings(max_examples=60, deadline=None)
@given(high=load, low=load, period=looks, duty=st.floats(0.02, 0.98))
def test_a_square_wave(high: float, low: float, period: int, duty: float) -> None:
    assert_calm(Fleet().live(high if look % period < duty * period else low for look in range(LOOKS)))


@settings(max_examples=60, deadline=None)
@given(base=load, height=load, period=looks, falling=st.booleans())
def test_a_saw_tooth(base: float, height: float, period: int, falling: bool) -> None:  # noqa: FBT001
    shares = (look % period / period for look in range(LOOKS))
    assert_calm(Fleet().live(base + height * (1 - share if falling else share) for share in shares))


@settings(max_examples=60, deadline=None)
@given(threshold=st.integers(1, 39), deviation=st.floats(0, 0.5), seed=st.integers(0, 1000))
def test_noise_at_a_threshold(threshold: int, deviation: float, seed: int) -> None:
    noise = np.random.default_rng(seed).normal(1, deviation, LOOKS)
    assert_calm(Fleet().live(max(0.0, 100 * threshold * float(each)) for each in noise))


@settings(max_examples=60, deadline=None)
@given(st.lists(load, min_size=20, max_size=LOOKS))
def test_any_load_at_all(loads: list[float]) -> None:
    assert_calm(Fleet().live(loads))


@settings(max_examples=40, deadline=None)
@given(period=looks, height=st.floats(1.2, 10))
def test_an_even_square_wave_turns_it_round_at_most_once_a_window(period: int, height: float) -> None:
    fleet = Fleet().live(300 * height if look % period < period / 2 else 300 for look in range(LOOKS))
    assert len(fleet.turns()) <= math.ceil(LOOKS * LOOK / WINDOW)


def test_the_fleet_does_follow_what_lasts() -> None:
    fleet = Fleet().live([*[900.0] * 30, *[300.0] * 30, *[900.0] * 30])
    assert [change for _, change in fleet.moves] == [4, -6, 6]
