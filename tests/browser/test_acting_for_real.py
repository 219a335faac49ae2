"""The promise, in a real browser before a real Airflow: what a person does on the page happens in the cloud."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import pytest
from deployment import Stack
from playwright.sync_api import expect

from demo.cycle import DAGS, await_cycle
from demo.local_airflow import ROOT, LocalAirflow, Place
from demo.local_cloud import LocalCloud
from demo.process import free_port
from predictive_scaling.ledger.connection import engine_for
from predictive_scaling.ledger.store import SqlLedger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Locator, Page

    SignIn = Callable[..., Page]

FLEET, LEFT = "web-shop", "api-checkout"
AGREED: Final = {
    # Until somebody approves of more, no scheduled floor reaches what runs: only people change the size.
    FLEET: "approval: {above: 4, by: [uma]}\nengine: seasonal_naive\n",
    LEFT: "approval: {above: 8, within: 20s}\nengine: seasonal_naive\n",
}
RUNS: Final = 120_000
"""Milliseconds within which a run of a manual DAG has ended."""


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """All of Airflow before a cloud whose instances boot at once, after a cycle."""
    home = tmp_path_factory.mktemp("acting")
    fleets = home / "fleets"
    fleets.mkdir()
    for name, words in AGREED.items():
        file = ROOT / "include" / "fleets" / f"{name}.yaml"
        (fleets / file.name).write_text(file.read_text() + words)
    env = {**os.environ, "PYTHONPATH": str(ROOT / "include")}
    with LocalCloud("--seed-demo", log=home / "sandbox.log", env=env) as cloud:
        cloud.control("config", {"boot_seconds": 1, "health_seconds": 1})
        place = Place(home=home / "airflow", cloud_url=cloud.url, port=free_port(), fleets=fleets)
        with LocalAirflow(place) as airflow:
            airflow.wait_for_dags(*DAGS, "scale_manually", "roll_back", "kill_switch", "approve_plans")
            await_cycle(airflow)
            yield Stack(airflow, cloud, SqlLedger(engine_for(f"sqlite:///{place.home}/airflow.db")))
            airflow.close()


@pytest.fixture
def page(deployment: Stack, sign_in_at: SignIn) -> Page:
    """The browser of somebody who may act."""
    return sign_in_at(deployment.airflow.url, "uma")


def desired(stack: Stack) -> int:
    autoscaling = stack.cloud.client("autoscaling")
    (found,) = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[FLEET])["AutoScalingGroups"]
    return int(found["DesiredCapacity"])


def go(page: Page, stack: Stack, where: str) -> None:
    page.goto("about:blank")
    page.goto(f"{stack.airflow.url}/plugin/scaling#{where}")


def newest_event(page: Page, stack: Stack, **asked: str) -> Locator:
    """Open the newest event that matches, by way of the list of events, and give its chain."""
    go(page, stack, "events?" + "&".join(f"{name}={value}" for name, value in asked.items()))
    page.locator("table.events tbody tr").first.locator(".when a").click()
    return page.locator(".chain li")


def press(page: Page, button: str) -> Locator:
    """Press a button of the page, and give the form that it opens."""
    page.get_by_role("button", name=button).click()
    return page.get_by_role("dialog")


def start(form: Locator, reason: str) -> None:
    """Give the reason, start the run, and wait until it has done its work."""
    form.get_by_label("Reason", exact=True).fill(reason)
    form.get_by_role("button", name="Start").click()
    expect(form.get_by_text("Done.")).to_be_visible(timeout=RUNS)
    form.get_by_role("button", name="Close").click()


def test_instances_are_added_from_airflows_own_form_and_the_page_tells_by_whom_and_why(
    deployment: Stack, page: Page
) -> None:
    before = desired(deployment)
    seen = deployment.airflow.request("GET", f"/scaling/api/v1/fleets/{FLEET}/capacity").json()["items"]
    assert [each["desired"] for each in seen][:1] == [before], "the turn before has kept what it saw"
    page.goto(f"{deployment.airflow.url}/dags/scale_manually")
    page.get_by_test_id("trigger-dag-button").click()
    page.locator("input[name=element_fleet]").fill(FLEET)
    page.locator("[name=element_amount] input, input[name=element_amount]").fill("2")
    page.locator("input[name=element_reason]").fill("the sale begins")
    page.get_by_test_id("trigger-dag-submit").click()
    (run,) = deployment.airflow.wait_for_runs("scale_manually", 1)

    assert (run["state"], run["triggering_user_name"]) == ("success", "uma")
    assert desired(deployment) == before + 2
    chain = newest_event(page, deployment, fleet=FLEET, actor="uma")
    expect(chain.locator("strong")).to_have_text(["intent", "applied", "applied"])
    expect(chain.first).to_contain_text(f"add 2 to {before}: the sale begins")
    expect(chain.last).to_contain_text(f"{before + 2} of {before + 2} serve")


def test_a_size_is_set_from_the_page_which_says_what_will_happen_and_is_rolled_back_from_its_event(
    deployment: Stack, page: Page
) -> None:
    before = desired(deployment)
    go(page, deployment, "fleets")
    page.locator("table.fleets .name", has_text=FLEET).click()
    form = press(page, "Scale by hand…")
    form.get_by_label("Change").select_option("set")
    form.get_by_label("Instances", exact=True).fill("99")
    expect(form.locator(".effect")).to_contain_text("it will be refused")
    form.get_by_label("Instances", exact=True).fill(str(before + 1))
    expect(form.locator(".effect")).to_contain_text(f"{FLEET} goes from {before} to {before + 1} instances, $0.04")
    start(form, "one more for the night")
    assert desired(deployment) == before + 1
    expect(page.locator(".figures").first).to_contain_text(f"of {before + 1},")

    chain = newest_event(page, deployment, fleet=FLEET, kind="applied", actor="uma")
    expect(chain.first).to_contain_text(f"desired {before} -> {before + 1}: one more for the night")
    form = press(page, "Roll back…")
    expect(form.locator(".effect")).to_contain_text(f"desired {before + 1} → {before}")
    form.get_by_role("button", name="Start").click()
    expect(form.get_by_label("Reason", exact=True), "a reason is required").to_be_focused()
    assert desired(deployment) == before + 1
    start(form, "the night is quiet")
    assert desired(deployment) == before
    chain = newest_event(page, deployment, fleet=FLEET, kind="applied", actor="uma")
    expect(chain.first).to_contain_text("roll back: the night is quiet")
    expect(page.get_by_text("roll_back.roll_back")).to_be_visible()


def test_a_question_is_answered_on_the_page_and_another_is_left_to_its_deadline(deployment: Stack, page: Page) -> None:
    assert max(deployment.floors(FLEET).values()) == 4, "what is inside was done meanwhile"
    go(page, deployment, f"fleet/{FLEET}")
    card = page.locator(".questions")
    expect(card).to_contain_text("above 4")
    card.get_by_role("button", name="Approve").click()
    deployment.airflow.wait_for_runs("approve_plans", 2)
    expect(card.locator(".earlier")).to_contain_text("by uma")
    assert max(deployment.floors(FLEET).values()) > 4
    chain = newest_event(page, deployment, fleet=FLEET, kind="applied")
    expect(chain.filter(has_text="Approval")).to_contain_text("by uma")

    go(page, deployment, f"fleet/{LEFT}")
    done = card.locator(".earlier li")
    expect(done).to_contain_text("expired: nobody answered in time")
    expect(done.locator(".badge")).to_have_text("approved")
    assert max(deployment.floors(LEFT).values()) > 8


def test_after_the_kill_switch_nothing_is_written_until_it_is_lifted_and_the_page_says_so(
    deployment: Stack, page: Page
) -> None:
    go(page, deployment, "fleets")
    start(press(page, "Kill switch…"), "everything looks wrong")
    expect(page.get_by_role("alert")).to_contain_text("by uma: everything looks wrong")
    row = page.locator("table.fleets tr", has_text=FLEET)
    expect(row.locator(".badge")).to_have_text("paused")
    assert len(deployment.floors(FLEET)) <= 1, "nothing but the return to the minimum"
    go(page, deployment, "events")
    expect(page.locator("table.events tr", has_text="every fleet").first).to_contain_text("stop by uma")
    go(page, deployment, "fleets")

    deployment.cloud.calls(reset=True)
    run = deployment.airflow.trigger("apply_plans")
    assert deployment.airflow.wait_for_run("apply_plans", run)["state"] == "success"
    assert not [call for call in deployment.cloud.writes() if call.startswith("autoscaling.")]

    start(press(page, "Lift the stop…"), "it was the dashboard")
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(row.locator(".badge")).not_to_have_text("paused")
    assert len(deployment.floors(FLEET)) > 1
