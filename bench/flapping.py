"""Whether a load can make a fleet flap: square waves, saw-teeth and noise, decided upon every 30 seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from forecasting import Policy
from forecasting.decision import Observed, decide

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Wave = Callable[[float], float]

START: Final = datetime(2026, 3, 2, tzinfo=UTC)
LOOK: Final = timedelta(seconds=30)
WINDOW: Final = timedelta(minutes=5)
HOURS: Final = 12
POLICY: Final = Policy(1, 20, 100.0, stabilisation=WINDOW)


@dataclass(slots=True)
class Fleet:
    """A fleet that does at once what is decided."""

    capacity: int = 5
    wanted: list[tuple[datetime, int]] = field(default_factory=list)
    moves: list[tuple[datetime, int]] = field(default_factory=list)

    def live(self, wave: Wave) -> None:
        """Look at the load again and again."""
        for number in range(int(timedelta(hours=HOURS) / LOOK)):
            now = START + number * LOOK
            seen = Observed(capacity=self.capacity, demand=wave(number / 2), measured=now, wanted=tuple(self.wanted))
            made = decide(None, seen, POLICY, now)
            if made.wanted is not None:
                recent = [each for each in self.wanted if each[0] >= now - 2 * WINDOW]
                self.wanted = [*recent, (now, made.wanted)]
            if made.capacity != self.capacity:
                self.moves.append((now, made.capacity - self.capacity))
                self.capacity = made.capacity

    def turns(self, *, down: bool) -> list[datetime]:
        """Give when the size turned round: down after up, or up after down."""
        return [
            when
            for (_, before), (when, change) in pairwise(self.moves)
            if (before > 0) == down and (change < 0) == down
        ]


def waves() -> Iterator[tuple[str, Wave]]:
    """Yield the loads, named."""
    for period in (2, 4, 9, 12, 30, 60):
        yield f"square wave of {period} min", _square(period)
    for period in (3, 12, 45):
        yield f"saw-tooth of {period} min", _saw_tooth(period)
    for deviation in (0.04, 0.1):
        yield f"noise of {deviation:.0%} at a threshold", _noise(deviation)


def _square(period: float) -> Wave:
    return lambda minute: 900 if minute % period < period / 2 else 300


def _saw_tooth(period: float) -> Wave:
    return lambda minute: 300 + 700 * (minute % period) / period


def _noise(deviation: float) -> Wave:
    noise = np.random.default_rng(1).normal(1, deviation, 2 * 60 * HOURS)
    return lambda minute: 550 * float(noise[int(2 * minute)])


def most_in_a_window(turns: list[datetime]) -> int:
    """Count the most turns that any window holds."""
    return max((sum(at <= other < at + WINDOW for other in turns) for at in turns), default=0)


def print_flapping() -> None:
    """Print how often each load turns the fleet round, and the most in one window."""
    print(f"\nflapping: {HOURS} hours of each load, a window of {WINDOW // timedelta(minutes=1)} min\n")
    print("| load | changes | turns down | most in a window | turns up | most in a window | reversals a window |")
    print("|---" * 7 + "|")
    windows = timedelta(hours=HOURS) / WINDOW
    for name, wave in waves():
        fleet = Fleet()
        fleet.live(wave)
        downs, ups = fleet.turns(down=True), fleet.turns(down=False)
        sides = " | ".join(f"{len(turns)} | {most_in_a_window(turns)}" for turns in (downs, ups))
        print(f"| {name} | {len(fleet.moves)} | {sides} | {(len(downs) + len(ups)) / windows:.2f} |")
