"""Every route with every role: who may look, who may act, and that nobody gets in without a name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from page_server import PageServer

ROUTES = [
    "api/v1/fleets",
    "api/v1/fleets/web-shop",
    "api/v1/fleets/web-shop/history",
    "api/v1/fleets/web-shop/forecast",
    "api/v1/fleets/web-shop/plan",
    "api/v1/fleets/web-shop/events",
    "api/v1/fleets/web-shop/accuracy",
    "api/v1/fleets/web-shop/gate",
    "api/v1/fleets/web-shop/inventory",
    "api/v1/budgets",
    "api/v1/overrides",
    "api/v1/approvals",
    "api/v1/autoscalers",
    "api/v1/autoscalers/trainer",
    "api/v1/events",
    "api/v1/events.csv",
    "api/v1/events/1",
    "api/v1/whatif",
    "api/v1/me",
    "api/v1/openapi.json",
    "page/scaling.js",
]
ROLES = {None: 401, "vera": 200, "uma": 200, "otto": 200, "admin": 200}
ACTS = {None: 401, "vera": 403, "uma": 200, "otto": 200, "admin": 200}
MAKES = {None: 401, "vera": 403, "uma": 201, "otto": 201, "admin": 201}
DELETES = {None: 401, "vera": 403, "uma": 204, "otto": 204, "admin": 204}
MANUAL = ["kill_switch", "pause_fleet", "promote_fleet", "replay_policy", "resume_fleet", "roll_back", "scale_manually"]
MAY = {"vera": [], "uma": MANUAL, "otto": MANUAL}
TRAINER = {
    "name": "trainer",
    "workload": {"name": "trainer", "namespace": "ml"},
    "group": "trainer-gpu",
    "min_replicas": 1,
    "max_replicas": 8,
    "target_gpu_percent": 70,
}


@pytest.fixture(scope="module")
def trainer(server: PageServer) -> Iterator[None]:
    """An autoscaler that is there while the table of routes is read."""
    assert server.send("POST", "api/v1/autoscalers", TRAINER).status_code == 201
    yield
    assert server.send("DELETE", "api/v1/autoscalers/trainer").status_code == 204


@pytest.mark.usefixtures("trainer")
@pytest.mark.parametrize("role", ROLES)
def test_every_route_answers_whom_it_should_and_nobody_else(server: PageServer, role: str | None) -> None:
    found = {route: server.scaling(route, role).status_code for route in ROUTES}
    assert found == dict.fromkeys(ROUTES, ROLES[role])


def test_the_table_above_leaves_no_route_out(server: PageServer) -> None:
    paths = server.scaling("api/v1/openapi.json").json()["paths"]
    known = {
        re.sub(r"web-shop", "{name}", re.sub(r"/1$", "/{event_id}", re.sub("trainer$", "{name}", f"/{route}")))
        for route in ROUTES
    }
    assert set(paths) <= known
    writing = {(method, path) for path, methods in paths.items() for method in methods if method != "get"}
    assert writing == {("post", "/api/v1/autoscalers"), ("delete", "/api/v1/autoscalers/{name}")}


@pytest.mark.parametrize("role", MAKES)
def test_who_may_change_dags_may_make_and_delete_an_autoscaler_and_nobody_else(
    server: PageServer, role: str | None
) -> None:
    body = {**TRAINER, "name": "by-role", "group": "by-role"}
    assert server.send("POST", "api/v1/autoscalers", body, role).status_code == MAKES[role]
    there = server.scaling("api/v1/autoscalers/by-role").status_code
    assert there == (200 if MAKES[role] == 201 else 404)
    if there == 404:
        assert server.send("POST", "api/v1/autoscalers", body).status_code == 201
    assert server.send("DELETE", "api/v1/autoscalers/by-role", None, role).status_code == DELETES[role]
    server.send("DELETE", "api/v1/autoscalers/by-role")


@pytest.mark.parametrize("role", ACTS)
def test_acting_is_triggering_a_dag_with_ones_own_rights(server: PageServer, role: str | None) -> None:
    headers = {"Authorization": f"Bearer {server.token(role)}"} if role else {}
    body = {"logical_date": None, "conf": {"event_id": 1, "reason": "a table of rights"}}
    answer = httpx.post(f"{server.url}/api/v2/dags/roll_back/dagRuns", json=body, headers=headers, timeout=30)
    assert answer.status_code == ACTS[role]
    if answer.is_success:
        server.call("DELETE", f"dags/roll_back/dagRuns/{answer.json()['dag_run_id']}")


@pytest.mark.parametrize("role", MAY)
def test_the_page_is_told_what_the_person_may_do(server: PageServer, role: str) -> None:
    told = server.scaling("api/v1/me", role).json()
    assert told == {"name": role, "id": role, "may_trigger": MAY[role], "may_answer": role != "vera"}


def test_a_refusal_is_a_problem_with_its_mend(server: PageServer) -> None:
    answer = server.scaling("api/v1/fleets/nothing")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 404
    assert "GET /fleets lists them" in answer.json()["detail"]


def test_who_has_the_answer_already_is_sent_nothing(server: PageServer) -> None:
    first = server.scaling("api/v1/fleets/web-shop/plan")
    again = server.scaling("api/v1/fleets/web-shop/plan", **{"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
