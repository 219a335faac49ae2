"""`python -m demo.load_simulation low|medium|high`: give a running demo traffic, and watch its capacity follow.

It registers the fleet `trial-load` over the product's API, unless it is there, and leaves it: the next simulation goes
on with it, and `make clean-up` removes it. A minute is a real minute, because Airflow's clock cannot be hurried.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import httpx

from demo.figures import figures
from demo.running_demo import the_demo
from demo.scaling_api import ScalingApi
from demo.traffic import SHAPES, needed, use
from demo.trial_fleet import LEAST, TrialFleet, minutes_ago

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from demo.running_demo import Demo

NAME: Final = "trial-load"
MINUTES: Final = 20
HEADER: Final = f"{'minute':>6}  {'requests/s':>10}  {'GPU %':>5}  {'needed':>6}  {'wanted':>6}  {'in service':>10}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    """What one minute asked for, and what there was."""

    number: int
    requests: float
    percent: float
    needed: int
    wanted: int
    in_service: int

    def __str__(self) -> str:
        """Give it as a line below the header."""
        load = f"{self.number:>6}  {self.requests:>10,.0f}  {self.percent:>5.0f}"
        short = "  short" if self.in_service < self.needed else ""
        return f"{load}  {self.needed:>6}  {self.wanted:>6}  {self.in_service:>10}{short}"


def main() -> int:
    """Simulate what was asked for; a word that is none gives one line."""
    load = sys.argv[1] if len(sys.argv) > 1 else ""
    minutes = os.environ.get("MINUTES", str(MINUTES))
    if load not in SHAPES:
        return _refused(f"LOAD={load}: choose {', '.join(SHAPES)}")
    if not minutes.isdecimal() or int(minutes) < 1:
        return _refused(f"MINUTES={minutes}: give a whole number, at least 1")
    try:
        _simulate(load, int(minutes), the_demo())
    except (httpx.HTTPError, RuntimeError, TimeoutError) as error:
        return _refused(str(error))
    except KeyboardInterrupt:
        print("stopped; `make clean-up` removes what it made")
    return 0


def _refused(why: str) -> int:
    print(f"load-simulation: {why}", file=sys.stderr)
    return 1


def _simulate(load: str, minutes: int, demo: Demo) -> None:
    fleet = register(demo)
    print(f"waiting until {LEAST} instances of {fleet.name} serve", flush=True)
    while fleet.serving() < LEAST:
        time.sleep(2)
    print(f"{load} traffic for {minutes} minutes on fleet {fleet.name} at {demo.airflow.url}\n\n{HEADER}", flush=True)
    lived = []
    for minute in simulated(SHAPES[load], minutes, fleet):
        print(minute, flush=True)
        lived.append(minute)
    print(f"\n{told(lived)}\n`make clean-up` removes the fleet")


def register(demo: Demo) -> TrialFleet:
    """Make the group and the autoscaler where they are not there already."""
    fleet = TrialFleet(NAME, demo.cloud)
    fleet.build()
    answer = ScalingApi(demo.airflow).make_autoscaler(fleet.body())
    if answer.is_error:
        msg = f"autoscaler {NAME} was not made: {answer.status_code} {answer.text[:300]}"
        raise RuntimeError(msg)
    return fleet


def simulated(
    shape: Callable[[float], float], minutes: int, fleet: TrialFleet, pause: Callable[[float], None] = time.sleep
) -> Iterator[Minute]:
    """Let the traffic come: when a minute is over, publish how busy the instances were, as their agents do."""
    for number in range(minutes):
        pause(60 - time.time() % 60)
        counts = fleet.counts()
        if counts is None:
            msg = f"group {fleet.name} is gone: was it cleaned up?"
            raise RuntimeError(msg)
        requests = shape(number)
        percent = use(requests, counts.in_service)
        fleet.report(percent, minutes_ago(1))
        yield Minute(
            number=number,
            requests=requests,
            percent=percent,
            needed=needed(requests),
            wanted=counts.desired,
            in_service=counts.in_service,
        )


def told(lived: list[Minute]) -> str:
    """Sum up the minutes."""
    short = sum(minute.in_service < minute.needed for minute in lived)
    most = max(lived, key=lambda minute: minute.wanted)
    whole = (
        f"short of instances in {short} of {len(lived)} minutes; "
        f"{max(minute.needed for minute in lived)} needed at most, {most.wanted} wanted at most"
    )
    return "\n".join([whole, *figures(lived)])


if __name__ == "__main__":
    sys.exit(main())
