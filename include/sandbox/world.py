"""The one simulated world of this process: its clock, its settings, its randomness and what is due next.

Moto keeps its state in module globals, so there is one world per process as well; `reset` empties both.
"""

from __future__ import annotations

import logging
import random
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data

from sandbox.agenda import TICKS, Agenda, Tick
from sandbox.clock import Clock
from sandbox.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

log = logging.getLogger("sandbox")


class World:
    """Time and everything that happens in it. Whoever touches it holds `lock`: moto is not safe for threads."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.clock = Clock()
        self.agenda = Agenda()
        self._catching_up = False
        self._forget()

    def _forget(self) -> None:
        self.settings = Settings()
        self.random = random.Random(self.settings.seed)  # noqa: S311 - a simulation, repeatable on purpose
        self.ticks: list[Tick] = list(TICKS)
        self._tick_generation = 0
        self._restart_ticks()

    def reset(self) -> None:
        """Empty the cloud and go back to real time."""
        with self.lock:
            self.agenda.clear()
            self.clock.reset()
            BackendDict.reset()
            reset_model_data()
            self._forget()

    def configure(self, changes: Mapping[str, object]) -> Settings:
        """Change settings; what is already under way keeps its times."""
        with self.lock:
            self.settings = self.settings.changed(changes)
            if "seed" in changes:
                self.random.seed(self.settings.seed)
            return self.settings

    def now(self) -> datetime:
        """Return the virtual instant."""
        return self.clock.now()

    def after(self, seconds: float) -> datetime:
        """Return the virtual instant that many seconds from now."""
        return self.now() + timedelta(seconds=seconds)

    def set_clock(self, *, now: datetime | None = None, speed: float | None = None) -> None:
        """Set the clock. A jump does not fill in metrics; what was already due runs at its own time."""
        with self.lock:
            self.catch_up()
            self.clock.set(now=now, speed=speed)
            self._restart_ticks()

    def advance(self, seconds: float) -> datetime:
        """Move on, letting everything due on the way happen in order and at its own time."""
        with self.lock:
            target = self.after(seconds)
            self.catch_up(target)
            self.clock.set(now=target)
            return target

    def catch_up(self, until: datetime | None = None) -> None:
        """Run everything due by now (or by a later instant)."""
        with self.lock:
            if self._catching_up:
                return
            self._catching_up = True
            try:
                self._run_due(until or self.now())
            finally:
                self._catching_up = False

    def _run_due(self, until: datetime) -> None:
        while (appointment := self.agenda.pop_due(until)) is not None:
            with self.clock.pinned(appointment.when):
                try:
                    appointment.action()
                except Exception:  # one broken appointment must not stop time
                    log.exception("the sandbox could not do what was due at %s", appointment.when)

    def add_tick(self, tick: Tick) -> None:
        """Repeat something until the next reset."""
        with self.lock:
            self.ticks.append(tick)
            self._plan(tick, self._tick_generation)

    def _restart_ticks(self) -> None:
        self._tick_generation += 1
        for tick in self.ticks:
            self._plan(tick, self._tick_generation)

    def _plan(self, tick: Tick, generation: int) -> None:
        due = tick.next_after(self.now())

        def run() -> None:
            if generation == self._tick_generation:
                self._plan(tick, generation)
                tick.run(due)

        self.agenda.at(due, run)


WORLD = World()
