"""An autoscaler is made, found as a fleet, told about and deleted through the API, and the ledger knows by whom."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx

from predictive_scaling.ledger.connection import engine_for
from predictive_scaling.ledger.statuses import SqlStatuses
from predictive_scaling.look import Look

if TYPE_CHECKING:
    from page_server import PageServer

PATH = "api/v1/autoscalers"


def a_body(name: str, **more: Any) -> dict[str, Any]:
    body = {"name": name, "workload": {"name": name, "namespace": "ml"}, "group": f"{name}-group"}
    return {**body, "min_replicas": 1, "max_replicas": 8, "target_cpu_percent": 60, **more}


def test_the_life_of_an_autoscaler(server: PageServer) -> None:
    made = server.send("POST", PATH, a_body("encoder"), "uma", Idempotency_Key="first")
    assert made.status_code == 201
    assert made.headers["Location"] == "/scaling/api/v1/autoscalers/encoder"
    told = made.json()
    assert (told["created_by"], told["overruled"]) == ("uma", None)
    assert told["asked"]["scale_check_interval_seconds"] == 30
    (cpu,) = told["status"]["metrics"]
    assert cpu == {"name": "cpu", "current_percent": None, "measured_at": None, "target_percent": 60.0}
    assert (told["status"]["scale_ups"], told["status"]["scale_downs"]) == (0, 0)

    again = server.send("POST", PATH, a_body("encoder"), "uma", Idempotency_Key="first")
    assert (again.status_code, again.json()) == (201, told)
    other = server.send("POST", PATH, a_body("other"), "uma", Idempotency_Key="first")
    assert other.status_code == 422

    fleet = server.scaling("api/v1/fleets/encoder").json()
    assert (fleet["group"], fleet["state"], fleet["policy_max"]) == ("encoder-group", "unseen", 8)

    gone = server.send("DELETE", f"{PATH}/encoder", None, "uma", If_Match='"of another time"')
    assert gone.status_code == 412
    seen = server.scaling(f"{PATH}/encoder")
    assert seen.headers["ETag"] == made.headers["ETag"]
    gone = server.send("DELETE", f"{PATH}/encoder", None, "otto", If_Match=seen.headers["ETag"])
    assert (gone.status_code, gone.content) == (204, b"")
    assert server.scaling(f"{PATH}/encoder").status_code == 404
    assert server.send("DELETE", f"{PATH}/encoder").status_code == 404

    events = server.scaling("api/v1/events?fleet=encoder").json()["items"]
    assert [(each["actor"], each["kind"]) for each in events] == [
        ("otto", "deleted"),
        ("uma", "created"),
    ]


def test_who_asks_with_one_key_many_times_at_once_gets_one_autoscaler_and_no_conflict(server: PageServer) -> None:
    token = server.token("uma")
    headers = {"Authorization": f"Bearer {token}"}
    address = f"{server.url}/scaling/{PATH}"

    def ask(name: str) -> httpx.Response:
        return httpx.post(address, json=a_body(name), headers={**headers, "Idempotency-Key": name}, timeout=60)

    names = [f"at-once-{each}" for each in range(6)]
    with ThreadPoolExecutor(8) as several:
        answers = {name: list(several.map(ask, [name] * 8)) for name in names}
    assert {answer.status_code for told in answers.values() for answer in told} == {201}
    for name in names:
        assert len({answer.json()["created_at"] for answer in answers[name]}) == 1
        events = server.scaling(f"api/v1/events?fleet={name}").json()["items"]
        assert [each["kind"] for each in events] == ["created"]
        server.send("DELETE", f"{PATH}/{name}")


def test_of_many_that_are_asked_for_at_once_with_one_key_or_of_one_group_one_is_made(server: PageServer) -> None:
    token = server.token("uma")
    address = f"{server.url}/scaling/{PATH}"

    def ask(asked: tuple[str, str, str]) -> int:
        name, group, key = asked
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
        return httpx.post(address, json=a_body(name, group=group), headers=headers, timeout=60).status_code

    of_one_key = [(f"keyed-{number}", f"keyed-{number}", "one-key-for-all") for number in range(8)]
    of_one_group = [(f"grouped-{number}", "one-group-for-all", f"grouped-{number}") for number in range(8)]
    with ThreadPoolExecutor(8) as several:
        keyed, grouped = (sorted(several.map(ask, asked)) for asked in (of_one_key, of_one_group))
    made = [each["asked"]["name"] for each in server.scaling(PATH).json()["items"]]
    for name in made:
        server.send("DELETE", f"{PATH}/{name}")
    assert (keyed, grouped) == ([201, *[422] * 7], [201, *[409] * 7])
    assert [name.partition("-")[0] for name in made] == ["grouped", "keyed"]


def test_one_that_was_looked_at_since_is_deleted_all_the_same_and_one_made_anew_is_not(server: PageServer) -> None:
    made = server.send("POST", PATH, a_body("lively"), "uma")
    look = Look(fleet="lively", at=datetime.now(UTC), min_size=1, max_size=8, desired=3, in_service=2)
    SqlStatuses(engine_for(server.database)).keep_looks([look])

    told = server.scaling(f"{PATH}/lively")
    assert (told.json()["status"]["current_replicas"], told.json()["status"]["desired_replicas"]) == (2, 3)
    assert told.headers["ETag"] != made.headers["ETag"]
    fleet = server.scaling("api/v1/fleets/lively").json()
    assert (fleet["state"], fleet["in_service"], fleet["desired"]) == ("unseen", 2, 3)
    gone = server.send("DELETE", f"{PATH}/lively", None, "uma", If_Match=made.headers["ETag"])
    assert gone.status_code == 204

    anew = server.send("POST", PATH, a_body("lively"), "uma")
    assert anew.json()["status"]["current_replicas"] is None, "that was seen of the one before"
    assert server.send("DELETE", f"{PATH}/lively", None, "uma", If_Match=made.headers["ETag"]).status_code == 412
    assert server.send("DELETE", f"{PATH}/lively", None, "uma", If_Match=anew.headers["ETag"]).status_code == 204


def test_a_clash_changes_nothing_and_says_who_was_there_first(server: PageServer) -> None:
    clashes = {
        "fleet 'web-shop' has a file, which wins": a_body("web-shop"),
        "group 'web-shop' is moved by fleet 'web-shop'": a_body("shop", group="web-shop"),
        "there is an autoscaler 'first' already": a_body("first", target_cpu_percent=50),
        "group 'first-group' is moved by fleet 'first'": a_body("second", group="first-group"),
    }
    assert server.send("POST", PATH, a_body("first")).status_code == 201
    for told, body in clashes.items():
        answer = server.send("POST", PATH, body)
        assert (answer.status_code, answer.headers["Content-Type"]) == (409, "application/problem+json")
        assert told in answer.json()["detail"]
    assert [each["asked"]["name"] for each in server.scaling(PATH).json()["items"]] == ["first"]
    assert server.send("DELETE", f"{PATH}/first").status_code == 204


def test_they_are_listed_a_page_at_a_time(server: PageServer) -> None:
    names = ["a-one", "b-two", "c-three"]
    for name in names:
        assert server.send("POST", PATH, a_body(name)).status_code == 201
    pages = [server.scaling(f"{PATH}?limit=2&offset={offset}").json() for offset in (0, 2)]
    assert [[each["asked"]["name"] for each in page["items"]] for page in pages] == [names[:2], names[2:]]
    assert {page["total"] for page in pages} == {3}
    for name in names:
        server.send("DELETE", f"{PATH}/{name}")


def test_another_sites_form_cannot_act_in_a_persons_name(server: PageServer) -> None:
    cookie = {"_token": server.token("admin")}
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        answer = httpx.post(
            f"{server.url}/scaling/{PATH}",
            content=httpx.Request("POST", server.url, json=a_body("forged")).content,
            headers={"Content-Type": kind, "Origin": "https://elsewhere.example"},
            cookies=cookie,
            timeout=30,
        )
        assert answer.status_code in {415, 422}
    assert server.scaling(f"{PATH}/forged").status_code == 404
