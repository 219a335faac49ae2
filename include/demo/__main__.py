"""`python -m demo`: show the product at work on this machine; with `--check`, verify it and stop."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from demo.check import check
from demo.cycle import DAGS, await_cycle
from demo.local_airflow import ROOT, LocalAirflow, Place
from demo.local_cloud import LocalCloud
from demo.process import DidNotStart
from demo.summary import summary_table

if TYPE_CHECKING:
    from demo.cycle import Cycle

console = Console(width=None if sys.stdout.isatty() else 160)


def main() -> int:
    """Start everything, run one cycle, show it; wait for Ctrl-C, or verify and stop."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    shutil.rmtree(options.home, ignore_errors=True)
    sandbox_env = {**os.environ, "PYTHONPATH": str(ROOT / "include")}
    try:
        with LocalCloud(
            "--seed-demo", log=options.home / "sandbox.log", env=sandbox_env, port=options.sandbox_port
        ) as cloud:
            console.print(f"[green]ready[/] sandbox cloud  {cloud.url}")
            place = Place(home=options.home / "airflow", cloud_url=cloud.url, port=options.airflow_port)
            with LocalAirflow(place) as airflow:
                return _show(airflow, cloud, verify=options.check)
    except DidNotStart as error:
        console.print(f"[red]stopped[/] {error}", highlight=False)
        return 1
    except KeyboardInterrupt:
        console.print("stopped")
        return 0


def _show(airflow: LocalAirflow, cloud: LocalCloud, *, verify: bool) -> int:
    console.print(f"[green]ready[/] Airflow        {airflow.url}")
    airflow.wait_for_dags(*DAGS)
    with console.status("pull_metrics -> forecast_demand -> apply_plans"):
        cycle = await_cycle(airflow)
    console.print(summary_table(cycle, airflow))
    if cycle.failed:
        logs = airflow.place.home / "logs"
        console.print(f"[red]failed[/] {', '.join(cycle.failed)}: read the task logs in {logs}; Airflow is stopped")
        return 1
    return _verified(cycle, airflow, cloud) if verify else _serve(airflow, cloud)


def _verified(cycle: Cycle, airflow: LocalAirflow, cloud: LocalCloud) -> int:
    findings = check(cycle, airflow, cloud)
    for finding in findings:
        console.print(f"[{'green' if finding.good else 'red'}]{'ok' if finding.good else 'NOT OK'}[/] {finding.what}")
    return 0 if all(finding.good for finding in findings) else 1


def _serve(airflow: LocalAirflow, cloud: LocalCloud) -> int:
    console.print(f"\nAirflow  {airflow.url}  (user admin, password admin)\nSandbox  {cloud.url}\nCtrl-C stops both.")
    threading.Event().wait()
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--check", action="store_true", help="verify what came of it, stop, and exit 0 or 1")
    parser.add_argument("--home", type=Path, default=ROOT / ".demo", help="folder for all files; emptied first")
    parser.add_argument("--airflow-port", type=int, default=int(os.environ.get("AIRFLOW_PORT", "8080")))
    parser.add_argument("--sandbox-port", type=int, default=int(os.environ.get("SANDBOX_PORT", "5555")))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
