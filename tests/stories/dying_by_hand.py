"""A process that changes a fleet by hand and kills itself: `python dying_by_hand.py URL LEDGER MOMENT DEED`.

A moment is `before:resize:1` or `after:retire:2`: the side, the call to the fleet, and which of its calls.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import boto3
from by_hand import a_ledger, at_work
from deeds import DEEDS
from mortal import MortalFleet

from predictive_scaling.fleets.auto_scaling import AutoScalingFleet


def client(service: str) -> Any:
    options: dict[str, Any] = {"region_name": "us-east-1", "aws_access_key_id": "x", "aws_secret_access_key": "y"}
    return boto3.client(service, endpoint_url=sys.argv[1], **options)


if __name__ == "__main__":
    _, url, folder, moment, deed = sys.argv
    mortal = MortalFleet(AutoScalingFleet(client("autoscaling"), "web", client), moment)
    DEEDS[deed](at_work(mortal, a_ledger(Path(folder))))
