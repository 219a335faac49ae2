"""The promise: the scripts against a running demo find everything well, bring traffic, and leave nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from demo.end_to_end import deployed
from demo.load_simulation import register, simulated
from demo.local_airflow import ROOT
from demo.scaling_api import ScalingApi
from demo.traffic import high

if TYPE_CHECKING:
    from pathlib import Path

    from demo.running_demo import Demo


def run(script: str, demo: Demo) -> tuple[int, str]:
    """Run a script as make does, beside a demo; give its exit code and its words."""
    ports = {name: api.url.rpartition(":")[2] for name, api in (("AIRFLOW", demo.airflow), ("SANDBOX", demo.cloud))}
    env = {**os.environ, **{f"{name}_PORT": port for name, port in ports.items()}}
    command = [sys.executable, "-m", f"demo.{script}"]
    path = {"PYTHONPATH": f"{ROOT}:{ROOT}/plugins:{ROOT}/include"}
    done = subprocess.run(command, env={**env, **path}, check=False, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_the_scripts_beside_a_running_demo(tmp_path: Path) -> None:
    with deployed(tmp_path / "demo") as demo:
        code, told = run("end_to_end", demo)
        assert (code, "FAILED" in told) == (0, False), told
        assert "ok      under load: desired 2 -> 3, 3 expected" in told
        assert "cleaned up: group trial-check, its instances" in told

        fleet = register(demo)
        register(demo)
        assert ScalingApi(demo.airflow).autoscalers() == ["trial-load"]
        assert [minute.needed for minute in simulated(high, 4, fleet, pause=lambda _: None)][-1] == 9

        code, told = run("clean_up", demo)
        assert (code, told.splitlines()) == (
            0,
            [
                "removed autoscaler trial-load",
                "removed group trial-load, its instances and 0 scheduled actions",
                "removed launch template trial-load",
            ],
        )
        assert (fleet.counts(), ScalingApi(demo.airflow).autoscalers()) == (None, [])
        assert run("clean_up", demo) == (0, "nothing to remove\n")
