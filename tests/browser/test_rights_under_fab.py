"""The table of rights once more, where Airflow's users and roles are those of FAB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fab_server import FabServer, needs_fab
from routes import MANUAL, ROUTES, TRAINER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from page_server import PageServer

READS = {None: 401, "paul": 403, "vera": 200, "uma": 200, "otto": 200, "ada": 200}
MAKES = {None: 401, "paul": 403, "vera": 403, "uma": 201, "otto": 201, "ada": 201}
DELETES = {None: 401, "paul": 403, "vera": 403, "uma": 204, "otto": 204, "ada": 204}
TRIGGERS = {None: 401, "paul": 403, "vera": 403, "uma": 200, "otto": 200, "ada": 200}
MAY_TRIGGER = {"vera": [], "uma": MANUAL, "otto": MANUAL, "ada": MANUAL}
FOR_EVERYBODY = {"page/scaling.js"}
"""The built page tells nothing of any fleet: whoever is logged in may have it."""


@pytest.fixture(scope="module")
def fab(request: pytest.FixtureRequest) -> Iterator[FabServer]:
    """Airflow under FAB, over the shared deployment."""
    needs_fab()
    shared: PageServer = request.getfixturevalue("server")
    with FabServer(shared) as fab:
        yield fab
        fab.close()


def test_every_route_answers_whom_it_should_and_nobody_else(fab: FabServer) -> None:
    assert fab.ask("POST", "scaling/api/v1/autoscalers", "ada", TRAINER).status_code == 201
    found = {role: {route: fab.ask("GET", f"scaling/{route}", role).status_code for route in ROUTES} for role in READS}
    assert fab.ask("DELETE", "scaling/api/v1/autoscalers/trainer", "ada").status_code == 204
    free = {"paul": dict.fromkeys(FOR_EVERYBODY, 200)}
    assert found == {
        role: {**dict.fromkeys(ROUTES, status), **free.get(role or "", {})} for role, status in READS.items()
    }


def test_who_may_change_dags_may_make_and_delete_an_autoscaler_and_nobody_else(fab: FabServer) -> None:
    body = {**TRAINER, "name": "by-role", "group": "by-role"}
    made, deleted = {}, {}
    for role in MAKES:
        made[role] = fab.ask("POST", "scaling/api/v1/autoscalers", role, body).status_code
        if made[role] != 201:
            assert fab.ask("POST", "scaling/api/v1/autoscalers", "ada", body).status_code == 201
        deleted[role] = fab.ask("DELETE", "scaling/api/v1/autoscalers/by-role", role).status_code
        fab.ask("DELETE", "scaling/api/v1/autoscalers/by-role", "ada")
    assert (made, deleted) == (MAKES, DELETES)


def test_acting_is_triggering_a_dag_with_ones_own_rights(fab: FabServer) -> None:
    conf: dict[str, Any] = {"event_id": 1, "reason": "a table of rights"}
    runs = "api/v2/dags/roll_back/dagRuns"
    answers = {role: fab.ask("POST", runs, role, {"logical_date": None, "conf": conf}) for role in TRIGGERS}
    assert {role: answer.status_code for role, answer in answers.items()} == TRIGGERS
    for answer in answers.values():
        if answer.is_success:
            fab.ask("DELETE", f"{runs}/{answer.json()['dag_run_id']}", "ada")


def test_the_entry_scaling_is_listed_only_for_who_may_read_plugins(fab: FabServer) -> None:
    listed = {role: fab.ask("GET", "api/v2/plugins", role).status_code for role in READS}
    assert listed == {None: 401, "paul": 403, "vera": 403, "uma": 403, "otto": 200, "ada": 200}


def test_the_page_is_told_what_the_person_may_do(fab: FabServer) -> None:
    told = {role: fab.ask("GET", "scaling/api/v1/me", role).json() for role in MAY_TRIGGER}
    assert {role: person["may_trigger"] for role, person in told.items()} == MAY_TRIGGER
    assert {role: person["may_answer"] for role, person in told.items()} == {
        role: role != "vera" for role in MAY_TRIGGER
    }


def test_who_may_change_one_dag_of_their_own_makes_and_deletes_no_autoscaler_by_naming_it(fab: FabServer) -> None:
    fab.add_person("dora", "pull_metrics")
    assert fab.ask("POST", "scaling/api/v1/autoscalers", "ada", TRAINER).status_code == 201
    body = {**TRAINER, "name": "her-own", "group": "her-own"}
    made = fab.ask("POST", "scaling/api/v1/autoscalers?dag_id=pull_metrics", "dora", body)
    deleted = fab.ask("DELETE", "scaling/api/v1/autoscalers/trainer?dag_id=pull_metrics", "dora")
    for name in ("trainer", "her-own"):
        fab.ask("DELETE", f"scaling/api/v1/autoscalers/{name}", "ada")
    assert (made.status_code, deleted.status_code) == (403, 403)


def test_below_a_path_every_address_that_the_api_gives_leads_there(fab: FabServer) -> None:
    (there,) = fab.ask("GET", "scaling/api/v1/openapi.json", "ada").json()["servers"]
    made = fab.ask("POST", "scaling/api/v1/autoscalers", "ada", TRAINER)
    assert made.headers["Location"] == f"{there['url']}/api/v1/autoscalers/trainer"
    assert httpx.URL(fab.url).join(made.headers["Location"]) == f"{fab.url}/scaling/api/v1/autoscalers/trainer"
    assert fab.ask("DELETE", "scaling/api/v1/autoscalers/trainer", "ada").status_code == 204
    nowhere = fab.ask("GET", "scaling/api/v1/nowhere", "ada").json()["detail"]
    assert f"{there['url']}/api/v1/openapi.json lists what there is" in nowhere
