"""A process that changes a fleet and kills itself: `python dying.py URL KEY LEDGER MOMENT DEED [CAPACITIES]`.

A moment is `before:resize:1` or `after:put:2`: the side, the call to the fleet, and which of its calls. The deed is one
of `deeds`, or `apply` with the capacities of a plan. `die` begins such a process, and sees it killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from by_hand import at_work
from deeds import DEEDS
from mortal import MortalFleet
from rights import REGION, keys_of
from telling import a_ledger, a_plan, an_order, carry_out

from predictive_scaling.fleets.auto_scaling import AutoScalingFleet

if TYPE_CHECKING:
    import sandbox

APPLY = "apply"


def die(cloud: sandbox.Cloud, folder: Path, moment: str, deed: str, *capacities: int) -> None:
    """Begin a deed in a process of its own that kills itself."""
    key = keys_of(cloud, "auto" if deed == APPLY else "scale")["aws_access_key_id"]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, __file__, cloud.url, key, str(folder), moment, deed, *map(str, capacities)]
    done = subprocess.run(command, env=env, check=False, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr


def _client(service: str) -> Any:
    _, url, key, *_ = sys.argv
    keys = {"aws_access_key_id": key, "aws_secret_access_key": "the sandbox checks no signature"}
    options: dict[str, Any] = {"endpoint_url": url, "region_name": REGION, **keys}
    return boto3.client(service, **options)


if __name__ == "__main__":
    *_, folder, moment, deed = sys.argv[:6]
    fleet = MortalFleet(AutoScalingFleet(_client("autoscaling"), "web", _client), moment)
    if deed == APPLY:
        carry_out(an_order(a_plan(*map(int, sys.argv[6:]))), fleet, a_ledger(Path(folder)))
    else:
        DEEDS[deed](at_work(fleet, a_ledger(Path(folder))))
