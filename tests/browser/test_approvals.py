"""What a person sees of a plan that waits, and how they answer it: in a real browser, before a real Airflow."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from asking import a_question, asked, hearing_of, recorded
from playwright.sync_api import expect

from forecasting.approval import Matter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from page_server import PageServer
    from playwright.sync_api import Page

    SignIn = Callable[..., Page]

FLEET = "api-checkout"


@pytest.fixture(autouse=True)
def _nothing_left_open(server: PageServer) -> Iterator[None]:
    """Leave no question to the pages of other tests."""
    yield
    for each in hearing_of(server).approvals.waiting():
        recorded(server, each)


def at_fleet(page: Page, server: PageServer, fleet: str = FLEET) -> Any:
    page.goto("about:blank")
    page.goto(f"{server.url}/plugin/scaling#fleet/{fleet}")
    return page.locator(".questions")


def test_a_plan_is_approved_from_the_page_in_the_persons_own_name(server: PageServer, sign_in: SignIn) -> None:
    question = asked(server, a_question(FLEET, by=("uma",)))
    page = sign_in("uma")
    page.goto(f"{server.url}/plugin/scaling#fleets")
    row = page.locator("table.fleets tr", has_text=FLEET)
    expect(row.locator(".badge")).to_have_text("waiting")
    expect(row).to_contain_text("waits for approval: Raise api-checkout up to 16 instances?")

    card = at_fleet(page, server)
    expect(card).to_contain_text("14 at Mon 12:00 UTC, above 10")
    expect(card).to_contain_text("$33.60 in 24 hours if approved, $24.00 if not.")
    expect(card).to_contain_text("then approved")
    expect(card.get_by_role("img")).to_have_attribute("aria-label", "At most 14 instances if approved, 10 if not")
    link = card.get_by_role("link", name="In Airflow").get_attribute("href")
    assert link == f"{server.url}/dags/approve_plans/runs/{question.id}/tasks/approve/required_actions"
    card.get_by_role("button", name="Approve").click()
    expect(card.get_by_role("status")).to_contain_text("Approved. It is recorded and acted on within seconds.")

    assert recorded(server, question).answered_by == "uma"
    expect(card.locator(".earlier")).to_contain_text("by uma")
    expect(card.get_by_role("button", name="Approve")).to_have_count(0)
    (event,) = server.scaling(f"api/v1/events?fleet={FLEET}&kind=answered").json()["items"]
    assert event["actor"] == "uma"


def test_one_that_expires_is_shown_as_expired_with_the_answer_that_holds(server: PageServer, sign_in: SignIn) -> None:
    page = sign_in("uma")
    hour_ago = datetime.now(UTC) - timedelta(hours=1, minutes=1)
    lower = a_question(FLEET, matter=Matter.LOWER, asked_at=hour_ago, due_at=hour_ago + timedelta(hours=1), size=4)
    question = asked(server, lower)
    card = at_fleet(page, server)
    expect(card).to_contain_text(re.compile(r"Time is up since .*: rejected, as soon as the fleet is looked at"))
    expect(card.get_by_role("button", name="Approve")).to_have_count(0)

    recorded(server, question)
    done = card.locator(".earlier li", has_text="Lower api-checkout down to 4 instances?")
    expect(done).to_contain_text("expired: nobody answered in time")
    expect(done.locator(".badge")).to_have_text("rejected")


def test_who_is_not_asked_is_shown_the_question_and_no_button(server: PageServer, sign_in: SignIn) -> None:
    asked(server, a_question(FLEET, by=("otto",)))
    for user in ("uma", "vera"):
        card = at_fleet(sign_in(user), server)
        expect(card).to_contain_text("Asked: otto.")
        expect(card.get_by_role("button", name="Approve")).to_have_count(0)


def test_what_airflow_refuses_is_told(server: PageServer, sign_in: SignIn) -> None:
    question = a_question(FLEET, by=("otto",))
    asked(server, question)
    page = sign_in("uma")
    page.route("**/scaling/api/v1/approvals**", lambda route: route.fulfill(json=_page_of(server, question.id, by=[])))
    card = at_fleet(page, server)
    card.get_by_role("button", name="Reject").click()
    expect(card.get_by_role("alert")).to_contain_text("Not answered: 403")
    page.unroute("**/scaling/api/v1/approvals**")


def test_a_question_fits_a_phone(server: PageServer, sign_in: SignIn) -> None:
    asked(server, a_question(FLEET))
    page = sign_in(width=390)
    expect(at_fleet(page, server)).to_be_visible()
    wide = page.locator(".page").evaluate("page => page.scrollWidth - page.clientWidth")
    assert wide <= 0


def _page_of(server: PageServer, question_id: str, **changed: Any) -> dict[str, Any]:
    items = server.scaling("api/v1/approvals?waiting=true").json()["items"]
    return {"items": [{**each, **changed} for each in items if each["id"] == question_id], "more": False}
