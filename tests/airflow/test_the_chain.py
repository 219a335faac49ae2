"""The promise: in a running Airflow, an hour's pull leads to forecasts, plans, scheduled actions and their story."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from demo.cycle import await_cycle
from forecasting import Forecast
from predictive_scaling.ledger.records import EventKind

if TYPE_CHECKING:
    from deployment import Stack


def unpaired(stack: Stack, fleet: str) -> dict[str, int]:
    """Give each intent of a fleet without its outcome, and the other way round, with how many are too few."""
    events = stack.ledger.events(fleet=fleet, limit=1000)
    ended = {EventKind.APPLIED, EventKind.FAILED}
    intents = Counter(f"{event.operation_id} {event.call}" for event in events if event.kind is EventKind.INTENT)
    intents.subtract(f"{event.operation_id} {event.call}" for event in events if event.kind in ended and event.call)
    return {call: count for call, count in intents.items() if count}


def test_the_scheduled_pull_leads_to_scheduled_actions_and_a_paired_ledger(stack: Stack) -> None:
    cycle = await_cycle(stack.airflow)

    assert cycle.failed == []
    assert len(cycle.tasks) <= 6, "tasks grow with shards, not with fleets"
    assert {row["fleet"] for row in cycle.rows} == {"api-checkout", "batch-video", "web-shop"}
    for fleet in ("api-checkout", "batch-video", "web-shop"):
        assert len(list((stack.storage / "history" / fleet).rglob("*.parquet"))) >= 1
        (newest, *_) = sorted((stack.storage / "forecasts" / fleet).glob("*/*.json"), reverse=True)
        assert len(Forecast.from_json(newest.read_text())) == 48 * 12
        seen = json.loads((stack.storage / "inventories" / f"{fleet}.json").read_text())["instances"]
        assert seen, "who runs is known by the last look"
        assert all(each["id"].startswith("i-") and each["zone"] for each in seen)
    assert stack.floors("web-shop"), "mode auto writes"
    assert [unpaired(stack, fleet) for fleet in ("api-checkout", "web-shop")] == [{}, {}]
    assert stack.floors("batch-video") == {}, "mode observe writes nothing"
    kinds = {event.kind for event in stack.ledger.events(fleet="batch-video")}
    assert kinds - {EventKind.MOVED} == {EventKind.OBSERVED}, (
        "the day's review may be done, and has moved it at the gate"
    )


def test_a_chain_triggered_through_the_api_repairs_what_was_removed_and_names_the_person(stack: Stack) -> None:
    await_cycle(stack.airflow)
    stack.unschedule("web-shop")
    before = len(stack.airflow.runs("pull_metrics"))

    stack.airflow.trigger("pull_metrics")
    cycle = await_cycle(stack.airflow, number=before + 1)

    assert cycle.failed == []
    row = next(row for row in cycle.rows if row["fleet"] == "web-shop")
    assert row["written"] > 0
    assert len(stack.floors("web-shop")) == row["steps"] or row["next"] is not None
    assert unpaired(stack, "web-shop") == {}


def test_the_task_log_tells_each_fleets_story_by_name(stack: Stack) -> None:
    await_cycle(stack.airflow)
    run = stack.airflow.trigger("apply_plans")
    stack.airflow.wait_for_run("apply_plans", run)

    log = stack.airflow.task_log("apply_plans", run, "apply")

    assert "web-shop: saw group web-shop at" in log
    assert "web-shop: decided" in log
    assert "batch-video: wrote nothing of" in log
    assert "set `mode: auto` in its file" in log
    (event, *_) = stack.ledger.events(fleet="batch-video")
    assert (event.by.actor, event.by.run_id) == ("admin", run)


def test_a_replay_asked_for_in_the_form_compares_policies_and_modes_on_the_stored_history(stack: Stack) -> None:
    await_cycle(stack.airflow)
    stack.cloud.calls(reset=True)
    form = {"days": 0.5, "modes": ["reactive", "steered"], "policies": {"surer": {"quantile": 0.95}}}
    run = stack.airflow.trigger("replay_policy", {"fleet": "web-shop", **form})
    ended = stack.airflow.wait_for_run("replay_policy", run)

    assert ended["state"] == "success"
    found = stack.airflow.result("replay_policy", run, "replay")["outcomes"]
    short = {(row["policy"], row["mode"]): row["under_time_share"] for row in found}
    assert list(short) == [(name, mode) for name in ("web-shop", "surer") for mode in ("reactive", "steered")]
    assert short["surer", "steered"] <= short["web-shop", "steered"] <= short["web-shop", "reactive"]
    assert all(row["monthly_cost"] > 0 for row in found), "the price is the fleet file's"
    assert sum(row["best"] for row in found) == 1
    assert stack.cloud.calls() == {}, "a replay asks nothing of AWS"
    log = stack.airflow.task_log("replay_policy", run, "replay")
    assert "surer: as web-shop, but quantile 0.95" in log
    assert "policy   mode         time short" in log
    (stored,) = (stack.storage / "replays" / "web-shop").glob("*.json")
    assert json.loads(stored.read_text())["outcomes"] == found


def test_a_replay_of_an_unknown_fleet_fails_with_the_known_ones(stack: Stack) -> None:
    run = stack.airflow.trigger("replay_policy", {"fleet": "nobody"})
    assert stack.airflow.wait_for_run("replay_policy", run)["state"] == "failed"
    log = stack.airflow.task_log("replay_policy", run, "replay")
    assert "there is no fleet 'nobody': choose one of api-checkout, batch-video, web-shop" in log


def test_a_dry_run_makes_no_mutating_call(stack: Stack) -> None:
    await_cycle(stack.airflow)
    stack.unschedule("web-shop")
    stack.cloud.calls(reset=True)

    run = stack.airflow.trigger("apply_plans", {"dry_run": True})
    ended = stack.airflow.wait_for_run("apply_plans", run)

    assert ended["state"] == "success"
    assert stack.cloud.writes() == {}
    assert "this is a dry run" in stack.airflow.task_log("apply_plans", run, "apply")


def test_a_review_moves_fleets_at_the_gate_and_a_person_takes_one_back(stack: Stack) -> None:
    await_cycle(stack.airflow)
    run = stack.airflow.trigger("review_fleets")
    assert stack.airflow.wait_for_run("review_fleets", run)["state"] == "success"
    log = stack.airflow.task_log("review_fleets", run, "review", map_index=0)
    assert "web-shop: passes, auto since" in log, "it was judged by the first apply_plans already"
    assert "batch-video: passes, new -> approve" in log or "batch-video: passes, approve since" in log

    taken_back = {"fleet": "batch-video", "to": "observe", "reason": "an incident"}
    run = stack.airflow.trigger("promote_fleet", taken_back)
    assert stack.airflow.wait_for_run("promote_fleet", run)["state"] == "success"
    moved = next(event for event in stack.ledger.events(fleet="batch-video") if event.kind is EventKind.MOVED)
    assert (moved.by.actor, moved.reason) == ("admin", "an incident")

    run = stack.airflow.trigger("promote_fleet", {**taken_back, "to": "auto"})
    assert stack.airflow.wait_for_run("promote_fleet", run)["state"] == "failed"
    log = stack.airflow.task_log("promote_fleet", run, "promote")
    assert "only one that waits at approve can be promoted" in log
