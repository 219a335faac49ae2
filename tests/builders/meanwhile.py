"""A fleet beside whose calls somebody else acts: the moment is told as for a mortal one, and the process lives on."""

from __future__ import annotations

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
