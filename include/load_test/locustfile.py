"""Loads a service of your own with one of three ramps, and tells how long its fleet took to follow; see README.md."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import gevent
import requests
from locust import HttpUser, LoadTestShape, constant_pacing, events, task

from load_test.following import Ramp, raises, told

PREFIX = "/scaling/api/v1"
LOOK = 2.0
"""Seconds between two looks at how quick answers are."""


@events.init_command_line_parser.add_listener
def add_options(parser: Any) -> None:
    """Add what a test is told by."""
    parser.add_argument("--load", default="medium", choices=("low", "medium", "high"), help="the shape of the ramp")
    parser.add_argument("--served", type=int, default=20, help="users, each one request a second, served well today")
    parser.add_argument("--minutes", type=float, default=20.0, help="how long to go on")
    parser.add_argument("--path", default="/", help="what is asked of the service")
    parser.add_argument("--slow-ms", type=float, default=1000.0, help="an answer is slow when it takes longer")
    parser.add_argument("--fleet", default="", help="the fleet that should follow; without it only answers are timed")
    parser.add_argument("--airflow", default="http://127.0.0.1:8080", help="where its Airflow is")


class Visitor(HttpUser):
    """Asks once a second."""

    wait_time = constant_pacing(1)

    @task
    def ask(self) -> None:
        """Ask for the one path."""
        self.client.get(self.environment.parsed_options.path)


class Shape(LoadTestShape):
    """The ramp that was asked for."""

    def tick(self) -> tuple[int, float] | None:
        """Give how many users there are to be, and how many may come a second; None at the end."""
        options, run_time = self.runner.environment.parsed_options, timedelta(seconds=self.get_run_time())
        if run_time >= timedelta(minutes=options.minutes):
            return None
        users = Ramp(load=options.load, served=options.served).users(run_time)
        return users, float(max(users, 1))


@events.init.add_listener
def check(environment: Any, **_: Any) -> None:
    """Refuse to begin what could not be told of at the end."""
    options = environment.parsed_options
    try:
        if options.fleet:
            _events(options)
    except requests.RequestException as error:
        msg = f"the story of fleet {options.fleet} cannot be read, check --fleet, --airflow and SCALING_USER: {error}"
        raise SystemExit(msg) from error


@events.test_start.add_listener
def begin(environment: Any, **_: Any) -> None:
    """Remember when it began, and watch how quick answers are."""
    environment.began, environment.slow = datetime.now(UTC), None
    gevent.spawn(_watch, environment)


def _watch(environment: Any) -> None:
    while environment.runner and environment.runner.state != "stopped":
        gevent.sleep(LOOK)
        took = environment.stats.total.get_current_response_time_percentile(0.95)
        if took and took > environment.parsed_options.slow_ms:
            now = datetime.now(UTC)
            environment.slow = (environment.slow or (now, now))[0], now


@events.test_stop.add_listener
def sum_up(environment: Any, **_: Any) -> None:
    """Print the one line."""
    options = environment.parsed_options
    after = Ramp(load=options.load, served=options.served).passes(datetime.now(UTC) - environment.began)
    passed = None if after is None else environment.began + after
    found = raises(_events(options), environment.began) if options.fleet else []
    print(f"\n{options.fleet or 'service'}: {told(passed, found, environment.slow)}")


def _events(options: Any) -> list[dict[str, Any]]:
    """Ask the product for the fleet's story, as the user of SCALING_USER and SCALING_PASSWORD."""
    login = {
        "username": os.environ.get("SCALING_USER", "admin"),
        "password": os.environ.get("SCALING_PASSWORD", "admin"),
    }
    answer = requests.post(f"{options.airflow}/auth/token", json=login, timeout=30)
    answer.raise_for_status()
    bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    page = requests.get(
        f"{options.airflow}{PREFIX}/fleets/{options.fleet}/events?limit=200", headers=bearer, timeout=30
    )
    page.raise_for_status()
    return list(page.json()["items"])
