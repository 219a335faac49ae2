"""Every route with every role: who may look, who may act, and that nobody gets in without a name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx
import pytest
from routes import MANUAL, ROUTES, TRAINER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from page_server import PageServer

ROLES = {None: 401, "vera": 200, "uma": 200, "otto": 200, "admin": 200}
ACTS = {None: 401, "vera": 403, "uma": 200, "otto": 200, "admin": 200}
MAKES = {None: 401, "vera": 403, "uma": 201, "otto": 201, "admin": 201}
DELETES = {None: 401, "vera": 403, "uma": 204, "otto": 204, "admin": 204}
MAY = {"vera": [], "uma": MANUAL, "otto": MANUAL}


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
    nowhere = server.scaling("api/v1/nowhere")
    assert (nowhere.status_code, nowhere.headers["content-type"]) == (404, "application/problem+json")
    assert nowhere.json()["detail"].startswith("GET /scaling/api/v1/nowhere: not found; ")
    proof = {"Authorization": f"Bearer {server.token('admin')}", "Content-Type": "application/json"}
    broken = httpx.post(f"{server.url}/scaling/api/v1/autoscalers", content='{"name": ', headers=proof, timeout=30)
    assert broken.status_code == 422
    assert "the body is no JSON, from character 9 on" in broken.json()["detail"]


def test_who_has_the_answer_already_is_sent_nothing(server: PageServer) -> None:
    first = server.scaling("api/v1/fleets/web-shop/plan")
    again = server.scaling("api/v1/fleets/web-shop/plan", **{"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
