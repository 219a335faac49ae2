"""A process that applies a plan and kills itself at a given moment: `python dying.py URL LEDGER MOMENT CAPACITIES`.

A moment is `before:put:2` or `after:delete:1`: the side, the call to the fleet, and which of its calls.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from telling import a_ledger, a_plan, an_order, carry_out

from predictive_scaling.fleets.auto_scaling import AutoScalingFleet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from predictive_scaling.fleets import Observed, Receipt
    from predictive_scaling.schedule import ScheduledAction


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

    def _pass(self, side: str, call: str) -> None:
        self._calls[call] += side == "before"
        if f"{side}:{call}:{self._calls[call]}" == self._moment:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    url, folder, moment, *capacities = sys.argv[1:]
    autoscaling = boto3.client(
        "autoscaling", endpoint_url=url, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y"
    )
    fleet = MortalFleet(AutoScalingFleet(autoscaling, "web"), moment)
    carry_out(an_order(a_plan(*map(int, capacities))), fleet, a_ledger(Path(folder)))
