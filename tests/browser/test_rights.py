"""Every route with every role: who may look, who may act, and that nobody gets in without a name."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import httpx
import pytest
import sqlalchemy as sa
from routes import MANUAL, ROUTES, TRAINER

from predictive_scaling.ledger.connection import engine_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from page_server import PageServer

ROLES = {None: 401, "vera": 200, "uma": 200, "otto": 200, "admin": 200}
ACTS = {None: 401, "vera": 403, "uma": 200, "otto": 200, "admin": 200}
MAKES = {None: 401, "vera": 403, "uma": 201, "otto": 201, "admin": 201}
DELETES = {None: 401, "vera": 403, "uma": 204, "otto": 204, "admin": 204}
PLAIN = "^[!-~]([ -~]{0,253}[!-~])?$"
MAY = {"vera": [], "uma": MANUAL, "otto": MANUAL}


def _as_json(**more: object) -> bytes:
    return json.dumps({**TRAINER, **more}).encode()


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
    assert nowhere.json()["detail"].endswith("; /scaling/api/v1/openapi.json lists what there is")
    assert "send a bearer token" in server.scaling("api/v1/fleets", None).json()["detail"]
    forbidden = server.send("POST", "api/v1/autoscalers", TRAINER, "vera")
    assert forbidden.json()["detail"].startswith("'vera' may not change DAGs: ")


def test_a_method_that_a_path_has_not_is_answered_with_those_that_it_has(server: PageServer) -> None:
    for path, has in (("fleets", "GET"), ("autoscalers", "GET, POST"), ("autoscalers/trainer", "DELETE, GET")):
        answer = server.send("PUT", f"api/v1/{path}")
        assert (answer.status_code, answer.headers["allow"]) == (405, has)


def test_without_a_table_of_the_ledger_it_is_said_which_and_how_it_comes_there(server: PageServer) -> None:
    rename = "ALTER TABLE {} RENAME TO {}"
    with engine_for(server.database).begin() as connection:
        connection.execute(sa.text(rename.format("scaling_status", "elsewhere")))
    try:
        answer = server.scaling("api/v1/fleets")
    finally:
        with engine_for(server.database).begin() as connection:
            connection.execute(sa.text(rename.format("elsewhere", "scaling_status")))
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    told = answer.json()["detail"]
    assert "no such table: scaling_status): check that it is up, and run `airflow db migrate`" in told
    assert server.scaling("api/v1/fleets").status_code == 200


@pytest.mark.parametrize(
    ("content", "status", "told"),
    [
        (b'{"name": ', 422, "the body is no JSON, from character 9 on: "),
        (b"null", 422, "body: Field required"),
        (b'{"name": "a", "group": "b"}', 422, "workload: Field required; min_replicas: Field required; "),
        (_as_json(min_replicas=9), 422, "body: min_replicas 9 is above max_replicas 8: lower the one"),
        (_as_json(group="x" * 10**6), 422, "group: String should match pattern '{}', not 'xxx"),
        (_as_json(**{"x" * 10**6: 1}), 422, "…: Extra inputs are not permitted, not 1"),
        (_as_json(**{f"k{number}": 1 for number in range(30)}), 422, "; and 20 more"),
        (b'{"name": "\xff"}', 400, "the body cannot be read ('utf-8' codec can't decode byte 0xff"),
        (b'{"max_replicas": 1' + b"0" * 5000 + b"}", 400, "the body cannot be read (Exceeds the limit"),
        (b"[" * 10**5, 400, "the body cannot be read (maximum recursion depth exceeded"),
    ],
    ids=["cut off", "null", "bare", "does not fit", "huge", "long key", "many", "not UTF-8", "digits", "deep"],
)
def test_a_body_that_cannot_be_taken_is_told_why_in_a_few_words(
    server: PageServer, content: bytes, status: int, told: str
) -> None:
    proof = {"Authorization": f"Bearer {server.token('admin')}", "Content-Type": "application/json"}
    answer = httpx.post(f"{server.url}/scaling/api/v1/autoscalers", content=content, headers=proof, timeout=30)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert told.format(PLAIN) in answer.json()["detail"]
    assert len(answer.content) < 1000


def test_who_has_the_answer_already_is_sent_nothing(server: PageServer) -> None:
    first = server.scaling("api/v1/fleets/web-shop/plan")
    again = server.scaling("api/v1/fleets/web-shop/plan", **{"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
