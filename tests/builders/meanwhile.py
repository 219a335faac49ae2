"""What happens meanwhile: around a call of the fleet, told as for a mortal one, or as soon as something is seen."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from mortal import MortalFleet

if TYPE_CHECKING:
    from collections.abc import Callable

    from predictive_scaling.fleets.auto_scaling import AutoScalingFleet


class Meanwhile(MortalFleet):
    """The real fleet; once, around one of its calls, something happens."""

    def __init__(self, fleet: AutoScalingFleet, moment: str, act: Callable[[], object]) -> None:
        super().__init__(fleet, moment)
        self._act = act

    def _end(self) -> None:
        self._act()


def once(seen_that: Callable[[], bool], act: Callable[[], object]) -> threading.Thread:
    """Let somebody act as soon as something is seen."""

    def watch() -> None:
        while not seen_that():
            time.sleep(0.02)
        act()

    other = threading.Thread(target=watch, daemon=True)
    other.start()
    return other
