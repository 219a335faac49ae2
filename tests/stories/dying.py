"""A process that applies a plan and kills itself at a given moment: `python dying.py URL LEDGER MOMENT CAPACITIES`.

A moment is `before:put:2` or `after:delete:1`: the side, the call to the fleet, and which of its calls.
"""

from __future__ import annotations

import sys
from pathlib import Path

import boto3
from mortal import MortalFleet
from telling import a_ledger, a_plan, an_order, carry_out

from predictive_scaling.fleets.auto_scaling import AutoScalingFleet

if __name__ == "__main__":
    url, folder, moment, *capacities = sys.argv[1:]
    autoscaling = boto3.client(
        "autoscaling", endpoint_url=url, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y"
    )
    fleet = MortalFleet(AutoScalingFleet(autoscaling, "web"), moment)
    carry_out(an_order(a_plan(*map(int, capacities))), fleet, a_ledger(Path(folder)))
