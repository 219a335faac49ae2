"""The demo that runs on this machine, as `make demo` started it: found by its ports, logged in to."""

from __future__ import annotations

import os
from dataclasses import dataclass

from demo.airflow_api import AirflowApi
from demo.cloud_api import CloudApi


class NoDemo(RuntimeError):
    """There is no demo where one was looked for, or only half of one."""


@dataclass(frozen=True, slots=True)
class Demo:
    """A running deployment: Airflow with the product, somebody logged in, and the sandbox cloud it steers."""

    airflow: AirflowApi
    cloud: CloudApi


def find_demo() -> Demo | None:
    """Give the demo at AIRFLOW_PORT and SANDBOX_PORT; None when nothing runs there, NoDemo when half of it does."""
    airflow = AirflowApi(f"http://127.0.0.1:{os.environ.get('AIRFLOW_PORT', '8080')}")
    cloud = CloudApi(f"http://127.0.0.1:{os.environ.get('SANDBOX_PORT', '5555')}")
    healthy, ready = airflow.is_healthy(), cloud.is_ready()
    if healthy and ready:
        airflow.log_in("admin", "admin")
        return Demo(airflow, cloud)
    if healthy or ready:
        there, missing = ("Airflow", "a sandbox") if healthy else ("a sandbox", "a healthy Airflow")
        found, sought = (airflow.url, cloud.url) if healthy else (cloud.url, airflow.url)
        msg = (
            f"{there} answers at {found}, but not {missing} at {sought}: set AIRFLOW_PORT and SANDBOX_PORT as for demo"
        )
        raise NoDemo(msg)
    return None


def the_demo() -> Demo:
    """Give the demo; NoDemo when none runs."""
    demo = find_demo()
    if demo is None:
        msg = "no demo runs here: start `make demo`, with the same AIRFLOW_PORT and SANDBOX_PORT as this"
        raise NoDemo(msg)
    return demo
