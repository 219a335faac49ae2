"""Airflow's own API server over a remembered deployment: all the page needs, and nothing that moves."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
from page_world import FLEETS, a_world

from demo.airflow_api import AirflowApi
from demo.local_airflow import USERS, Place
from demo.process import Process, free_port
from predictive_scaling.ledger.connection import engine_for
from predictive_scaling.ledger.gates import SqlGates
from predictive_scaling.ledger.overrides import SqlOverrides
from predictive_scaling.ledger.tables import scaling_gate

if TYPE_CHECKING:
    from pathlib import Path

BUDGETS = """
budgets:
  - {name: shop, fleets: [web-shop], hourly: 2.5, monthly: 900}
  - {name: everything, monthly: 2400, at_cap: alert}
"""


class PageServer(Process, AirflowApi):
    """`airflow api-server`, with the DAGs known and nobody to run them."""

    def __init__(self, home: Path) -> None:
        shutil.copytree(FLEETS, home / "fleets")
        (home / "budgets.yaml").write_text(BUDGETS)
        self.place = Place(home=home, cloud_url="http://127.0.0.1:9", port=free_port(), fleets=home / "fleets")
        (home / "passwords.json").write_text(json.dumps({name: name for name in USERS}))
        self.airflow("db", "migrate")
        self.database = f"sqlite:///{home}/airflow.db"
        a_world(home / "storage", engine_for(self.database))
        self.airflow("dags", "reserialize")
        AirflowApi.__init__(self, f"http://127.0.0.1:{self.place.port}")
        command = [sys.executable, "-m", "airflow", "api-server"]
        Process.__init__(self, command, log=home / "server.log", env=self.place.environment())
        self.wait_until(self._answers, what="airflow api-server", seconds=120)
        self.log_in("admin", "admin")

    def airflow(self, *arguments: str, **more: str) -> None:
        """Run an Airflow command to its end, with more in its environment."""
        command = [sys.executable, "-m", "airflow", *arguments]
        done = subprocess.run(command, env=self.place.environment(**more), check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]

    def token(self, user: str) -> str:
        """Log a user in and give what a request proves it with."""
        answer = httpx.post(f"{self.url}/auth/token", json={"username": user, "password": user}, timeout=30)
        return str(answer.raise_for_status().json()["access_token"])

    def scaling(self, path: str, user: str | None = "admin", **headers: str) -> httpx.Response:
        """Ask our API as a user, or as nobody."""
        proof = {"Authorization": f"Bearer {self.token(user)}"} if user else {}
        return httpx.get(f"{self.url}/scaling/{path}", headers={**proof, **headers}, timeout=30)

    def send(
        self, method: str, path: str, body: object = None, user: str | None = "admin", **headers: str
    ) -> httpx.Response:
        """Act through our API as a user, or as nobody; an underscore in a header's name is a dash."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        proof = {"Authorization": f"Bearer {self.token(user)}"} if user else {}
        return httpx.request(method, f"{self.url}/scaling/{path}", json=body, headers={**proof, **named}, timeout=30)

    @property
    def gates(self) -> SqlGates:
        """Where the fleets stand at the gate."""
        return SqlGates(engine_for(f"sqlite:///{self.place.home}/airflow.db"))

    @property
    def overrides(self) -> SqlOverrides:
        """What people laid over plans."""
        return SqlOverrides(engine_for(f"sqlite:///{self.place.home}/airflow.db"))

    def forget_gate(self, fleet: str) -> None:
        """Let a fleet be as one that nobody has reviewed yet."""
        with engine_for(f"sqlite:///{self.place.home}/airflow.db").begin() as connection:
            connection.execute(scaling_gate.delete().where(scaling_gate.c.fleet == fleet))

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/api/v2/version", timeout=5).is_success
        except httpx.HTTPError:
            return False
