"""`python -m demo.end_to_end`: check the product through its API, in a running demo or, without one, in one of its own.

Beside a running demo it takes about seven minutes, because instances boot and metrics close in real time there.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import httpx

from demo.clean_up import clean_up
from demo.local_airflow import ROOT, LocalAirflow, Place
from demo.local_cloud import LocalCloud
from demo.process import free_port
from demo.running_demo import Demo, find_demo
from demo.trial_fleet import TrialFleet
from demo.trial_story import NAME, story

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AGE: Final = timedelta(minutes=6)
"""How long the group of a deployment of its own has been there when the story begins."""


def main() -> int:
    """Find or start a demo, tell the story check by check, and leave nothing behind."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        demo = find_demo()
        if demo is not None:
            return checked(demo)
        print("no demo runs: starting a deployment for this check", flush=True)
        with deployed(ROOT / ".demo") as own:
            return checked(own)
    except (httpx.HTTPError, RuntimeError, TimeoutError) as error:
        print(f"end-to-end: {error}", file=sys.stderr)
        return 1


def checked(demo: Demo) -> int:
    """Print a line a check and give the exit code; what stops the story is a check that failed."""
    print(f"Airflow {demo.airflow.url}, sandbox {demo.cloud.url}\n", flush=True)
    bad = 0
    try:
        for finding in story(demo):
            bad += not finding.good
            print(f"{'ok' if finding.good else 'FAILED':<8}{finding.what}", flush=True)
    except (TimeoutError, RuntimeError, httpx.HTTPError) as error:
        bad += 1
        print(f"{'FAILED':<8}{error}", flush=True)
    finally:
        removed = list(clean_up(demo, NAME))
        print(f"{'':<8}cleaned up: {', '.join(removed) or 'nothing was left'}", flush=True)
    print(f"\n{bad} checks FAILED" if bad else "\nall is well")
    return 1 if bad else 0


@contextmanager
def deployed(home: Path) -> Iterator[Demo]:
    """Run a deployment without fleet files, quick to boot and to look, whose trial group has a past already."""
    shutil.rmtree(home, ignore_errors=True)
    fleets = home / "fleets"
    fleets.mkdir(parents=True)
    env = {**os.environ, "PYTHONPATH": str(ROOT / "include")}
    with LocalCloud(log=home / "sandbox.log", env=env) as cloud:
        cloud.control("config", {"boot_seconds": 10})
        cloud.control("clock", {"now": (datetime.now(UTC) - AGE).isoformat()})
        TrialFleet(NAME, cloud).build()
        cloud.control("advance", {"seconds": AGE.total_seconds()})
        place = Place(home=home / "airflow", cloud_url=cloud.url, port=free_port(), fleets=fleets)
        with LocalAirflow(place, AIRFLOW__PREDICTIVE_SCALING__CHECK_INTERVAL="5") as airflow:
            yield Demo(airflow, cloud)
            airflow.close()


if __name__ == "__main__":
    sys.exit(main())
