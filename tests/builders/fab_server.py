"""Airflow's API server with the users and roles of FAB, beside the one whose deployment it shares."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import httpx
from services import without

from demo.airflow_api import AirflowApi
from demo.process import Process, free_port

if TYPE_CHECKING:
    from page_server import PageServer

MANAGER: Final = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
USERS: Final = {"paul": "Public", "vera": "Viewer", "uma": "User", "otto": "Op", "ada": "Admin"}
"""Names and roles; everybody's password is the name."""


class FabServer(Process, AirflowApi):
    """`airflow api-server` under FAB and below a path, over the tables of one that keeps SimpleAuthManager's users."""

    def __init__(self, shared: PageServer) -> None:
        self.place = replace(shared.place, port=free_port())
        url = f"http://127.0.0.1:{self.place.port}/airflow"
        self._env = {"AIRFLOW__CORE__AUTH_MANAGER": MANAGER, "AIRFLOW__API__BASE_URL": url}
        self._tokens: dict[str, str] = {}
        shared.airflow("sync-perm", "--include-dags", **self._env)
        shared.airflow("users", "create", *_as_options(_person("ada", "Admin")), **self._env)
        AirflowApi.__init__(self, url)
        command = [sys.executable, "-m", "airflow", "api-server"]
        env = self.place.environment(**self._env)
        Process.__init__(self, command, log=self.place.home / "fab.log", env=env)
        self.wait_until(self._answers, what="airflow api-server under FAB", seconds=180)
        for name, role in USERS.items() - {("ada", "Admin")}:
            self._add(name, role)

    def ask(self, method: str, path: str, user: str | None, body: Any = None) -> httpx.Response:
        """Send a request as a user, or as nobody."""
        proof = {"Authorization": f"Bearer {self._token(user)}"} if user else {}
        return httpx.request(method, f"{self.url}/{path}", json=body, headers=proof, timeout=60)

    def add_person(self, name: str, dag_id: str) -> None:
        """Add somebody who may read and change one DAG, as a team is given those of its own, and nothing else."""
        own = {"action": {"name": "can_read"}, "resource": {"name": f"DAG:{dag_id}"}}
        rights = [own, {**own, "action": {"name": "can_edit"}}]
        self.ask("POST", "auth/fab/v1/roles", "ada", {"name": f"of {dag_id}", "actions": rights}).raise_for_status()
        self._add(name, f"of {dag_id}")

    def _add(self, name: str, role: str) -> None:
        body = {**_person(name, role), "roles": [{"name": role}]}
        del body["role"]
        self.ask("POST", "auth/fab/v1/users", "ada", body).raise_for_status()

    def _token(self, user: str) -> str:
        if user not in self._tokens:
            body = {"username": user, "password": user}
            answer = httpx.post(f"{self.url}/auth/token", json=body, timeout=60).raise_for_status()
            self._tokens[user] = str(answer.json()["access_token"])
        return self._tokens[user]

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/api/v2/version", timeout=5).is_success
        except httpx.HTTPError:
            return False


def needs_fab() -> None:
    """Skip where the FAB provider is not installed."""
    if find_spec("flask_appbuilder") is None:
        without("FAB", "install apache-airflow-providers-fab")


def _person(name: str, role: str) -> dict[str, Any]:
    named = {"username": name, "first_name": name, "last_name": role, "email": f"{name}@example.com"}
    return {**named, "role": role, "password": name}


def _as_options(person: dict[str, Any]) -> list[str]:
    names = {"first_name": "firstname", "last_name": "lastname"}
    return [word for key, value in person.items() for word in (f"--{names.get(key, key)}", value)]
