"""A fleet in whose hands a process dies at a given moment: the side, the call, and which of its calls."""

from __future__ import annotations

import os
import signal
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from predictive_scaling.fleets import Activity, Examined, Observed, Receipt, ScalingPolicy, ScheduledAction, Sizes
    from predictive_scaling.fleets.auto_scaling import AutoScalingFleet


class MortalFleet:
    """The real fleet, and a process that dies around one of its calls."""

    def __init__(self, fleet: AutoScalingFleet, moment: str) -> None:
        self._fleet = fleet
        self._moment = moment
        self._calls: Counter[str] = Counter()

    def observe(self) -> Observed:
        self._pass("before", "observe")
        answer = self._fleet.observe()
        self._pass("after", "observe")
        return answer

    def put(self, actions: Sequence[ScheduledAction]) -> Receipt:
        self._pass("before", "put")
        answer = self._fleet.put(actions)
        self._pass("after", "put")
        return answer

    def delete(self, names: Sequence[str]) -> Receipt:
        self._pass("before", "delete")
        answer = self._fleet.delete(names)
        self._pass("after", "delete")
        return answer

    def activities(self) -> Sequence[Activity]:
        return self._fleet.activities()

    def examine(self) -> Examined:
        return self._fleet.examine()

    def policies(self) -> Sequence[ScalingPolicy]:
        return self._fleet.policies()

    def claim(self, holder: str) -> Receipt:
        self._pass("before", "claim")
        answer = self._fleet.claim(holder)
        self._pass("after", "claim")
        return answer

    def resize(self, sizes: Sizes) -> Receipt:
        self._pass("before", "resize")
        answer = self._fleet.resize(sizes)
        self._pass("after", "resize")
        return answer

    def retire(self, instance_id: str) -> Receipt:
        self._pass("before", "retire")
        answer = self._fleet.retire(instance_id)
        self._pass("after", "retire")
        return answer

    def _pass(self, side: str, call: str) -> None:
        self._calls[call] += side == "before"
        if f"{side}:{call}:{self._calls[call]}" == self._moment:
            self._end()

    def _end(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)
