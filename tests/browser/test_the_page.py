"""What a person sees and does on the page, in a real browser before a real Airflow."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from page_world import CONFLICT, HTML, a_freeze
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from page_server import PageServer
    from playwright.sync_api import Dialog, Page

    SignIn = Callable[..., Page]

NAMES = ["api-checkout", "batch-video", "web-shop"]
PAINTED = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const colours = new Set();
  for (let at = 0; at < data.length; at += 4) if (data[at + 3]) colours.add(data.slice(at, at + 3).join());
  return colours.size;
}"""


def go(page: Page, server: PageServer, where: str = "fleets") -> None:
    page.goto("about:blank")
    page.goto(f"{server.url}/plugin/scaling#{where}")


def told(server: PageServer, path: str) -> Any:
    return server.scaling(f"api/v1/{path}").json()


def test_a_person_signs_in_and_finds_every_fleet_behind_the_entry_scaling(server: PageServer, sign_in: SignIn) -> None:
    page = sign_in()
    page.goto(server.url)
    page.get_by_role("link", name="Scaling").click()

    expect(page.locator("table.fleets tbody .name")).to_have_count(len(NAMES))
    row = page.locator("table.fleets tr", has_text="web-shop")
    fleet = next(each for each in told(server, "fleets")["items"] if each["name"] == "web-shop")
    expect(row).to_contain_text(f"{fleet['next_capacity']} at")
    expect(row).to_contain_text(f"{fleet['in_service']} of {fleet['desired']}")
    expect(row).to_contain_text(f"${fleet['cost_per_hour']:.2f}")


def test_fleets_are_filtered_and_sorted_while_one_types(server: PageServer, sign_in: SignIn) -> None:
    page = sign_in()
    go(page, server)
    names = page.locator("table.fleets tbody .name")
    expect(names).to_have_count(3)

    page.keyboard.press("/")
    page.keyboard.type("check")
    expect(names).to_have_text(["api-checkout"])
    page.get_by_label("Filter fleets").fill("nothing like it")
    expect(page.get_by_text("No fleet matches")).to_be_visible()
    page.get_by_label("Filter fleets").fill("")
    page.get_by_role("button", name="paused 1").click()
    expect(names).to_have_text(["batch-video"])
    page.get_by_role("button", name="All 3").click()
    page.get_by_role("button", name="Fleet", exact=True).click()
    expect(names).to_have_text(NAMES)
    page.get_by_role("button", name="Fleet", exact=True).click()
    expect(names).to_have_text(NAMES[::-1])


def test_money_is_shown_against_every_budget(server: PageServer, sign_in: SignIn) -> None:
    page = sign_in()
    go(page, server)
    shop = page.locator(".budget", has_text="shop").first
    expect(shop).to_contain_text("clamped")
    expect(shop).to_contain_text("$3.00 of $2.50, 120 %")
    expect(shop).to_contain_text("$670 of $900, 74 %")
    bar = shop.get_by_role("img", name="$310 spent, $220 committed, $140 asked, of $900")
    expect(bar).to_be_visible()
    expect(page.locator(".budget", has_text="everything")).to_contain_text("it has judged no plan yet")
    row = page.locator("table.fleets tr", has_text="web-shop")
    expect(row).to_contain_text("$182 this month")

    shop.get_by_role("link", name="judged").click()
    expect(page.get_by_text("clamped at the cap").first).to_be_visible()


def test_a_fleets_instances_are_listed_those_first_that_need_a_look(server: PageServer, sign_in: SignIn) -> None:
    page = sign_in()
    go(page, server, "fleet/web-shop")
    rows = page.locator("table.instances tbody tr")
    expect(rows).to_have_count(12)
    expect(rows.nth(0)).to_contain_text("unhealthy")
    expect(rows.nth(1)).to_contain_text("Terminating:Wait")
    expect(page.get_by_text("1 unhealthy, 1 draining, 12 in service")).to_be_visible()
    page.get_by_role("button", name="Show all 14").click()
    expect(rows).to_have_count(14)
    expect(page.locator("table.instances").get_by_text("protected")).to_have_count(1)


def test_the_picture_shows_what_the_api_tells_and_can_be_read_with_the_keyboard(
    server: PageServer, sign_in: SignIn
) -> None:
    page = sign_in()
    go(page, server, "fleet/web-shop")
    picture = page.locator(".plot")
    expect(picture.locator("canvas")).to_be_visible()
    forecast, plan = told(server, "fleets/web-shop/forecast"), told(server, "fleets/web-shop/plan")

    assert picture.locator("canvas").evaluate(PAINTED) > 10
    peak = max(forecast["quantiles"]["p90"])
    sizes = [step["capacity"] for step in plan["steps"]]
    found = re.search(r"p90 peaks at ([\d,]+) on", picture.get_attribute("aria-label") or "")
    assert found
    assert float(found[1].replace(",", "")) == pytest.approx(peak, abs=1)
    expect(picture).to_have_attribute("aria-label", re.compile(rf"floor between {min(sizes)} and {max(sizes)}"))
    expect(picture).to_have_attribute("aria-label", re.compile("of the past was not measured"))

    picture.focus()
    page.keyboard.press("PageDown")
    expect(page.locator(".readout")).to_contain_text("floor")
    expect(page.locator(".readout")).to_contain_text("per instance")
    page.locator(".u-over").hover(position={"x": 20, "y": 50})
    expect(page.locator(".readout")).to_contain_text("measured")


def test_the_picture_tells_how_large_the_fleet_was_and_how_large_it_should_have_been(
    server: PageServer, sign_in: SignIn
) -> None:
    page = sign_in()
    go(page, server, "fleet/web-shop")
    picture = page.locator(".plot")
    expect(picture.locator("canvas")).to_be_visible()
    seen = told(server, "fleets/web-shop/capacity")["items"]
    assert {(each["in_service"], each["desired"], each["planned"]) for each in seen} == {(8, 9, 7), (9, 9, 7)}

    picture.focus()
    for _ in range(8):  # an hour each
        page.keyboard.press("PageUp")
    expect(page.locator(".readout")).to_contain_text("8 in service of 9")
    expect(page.locator(".readout")).to_contain_text("floor 7 then")


def test_who_else_moves_a_group_is_named_in_the_list_and_on_its_page(server: PageServer, sign_in: SignIn) -> None:
    page = sign_in()
    go(page, server)
    row = page.locator("table.fleets tr", has_text="web-shop")
    expect(row.locator(".badge")).to_have_text(["auto", "conflict"])
    page.get_by_label("Filter fleets").fill("conflict")
    expect(page.locator("table.fleets tbody .name")).to_have_text(["web-shop"])
    row.locator(".name").click()
    expect(page.locator(".conflicts")).to_contain_text(CONFLICT)
    expect(page.locator(".notes")).to_have_text("held by us")


def test_the_plan_gives_every_step_its_reason_and_what_is_new(server: PageServer, sign_in: SignIn) -> None:
    page = sign_in()
    go(page, server, "fleet/web-shop")
    plan = told(server, "fleets/web-shop/plan")
    expect(page.locator("table.plan tbody tr").first).to_contain_text(plan["steps"][0]["reason"])
    page.get_by_role("button", name=re.compile(r"Show \d+ more")).click()
    expect(page.locator("table.plan tbody tr")).to_have_count(len(plan["steps"]))
    page.get_by_text(re.compile("differences from the plan before")).click()
    expect(page.locator(".news li").first).to_contain_text(plan["changes"][0]["reason"])


def test_an_event_leads_to_its_chain_and_to_the_log(server: PageServer, sign_in: SignIn) -> None:
    page = sign_in()
    go(page, server, "events")
    expect(page.locator("table.events tbody tr").nth(9)).to_be_visible()
    page.get_by_label("What").select_option("applied")
    page.get_by_label("Fleet").fill("web-shop")
    page.keyboard.press("Enter")
    expect(page.locator("table.events tbody tr")).to_have_count(1)
    page.locator("table.events tbody tr .clamp").click()

    chain = page.locator(".chain li strong")
    expect(chain).to_have_text(["Forecast", "Plan", "intent", "applied"])
    expect(page.locator(".chain")).to_contain_text("AWS request 8f1c2d3e")
    expect(page.locator("table.written tbody tr")).to_have_count(3)
    log = page.get_by_role("link", name="Task log").get_attribute("href")
    assert log == f"{server.url}/dags/apply_plans/runs/asset__2026%20%2B1/tasks/apply?try_number=1"


def test_stored_html_is_shown_as_text(server: PageServer, sign_in: SignIn) -> None:
    page = sign_in()
    shown: list[str] = []

    def surprised(dialog: Dialog) -> None:
        shown.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", surprised)
    for where in ("events?kind=refused", "event/10", "fleet/batch-video"):
        go(page, server, where)
        expect(page.get_by_text(HTML).first).to_be_visible()
        assert page.locator("#scaling-page img, #scaling-page b", has_text="bold").count() == 0
    assert shown == []


def test_who_may_act_pauses_a_fleet_from_its_page_in_their_own_name(server: PageServer, sign_in: SignIn) -> None:
    page = sign_in("uma")
    go(page, server, "fleet/web-shop")
    page.get_by_role("button", name="Pause…").click()
    form = page.get_by_role("dialog", name="Pause web-shop")
    form.get_by_label("Kind").select_option(label="No scale-in")
    form.get_by_label("Hours").fill("2")
    form.get_by_label("Reason", exact=True).fill("the sale is on until noon")
    form.get_by_role("button", name="Start").click()
    expect(form.get_by_role("link", name="Follow the run")).to_be_visible()

    (run,) = server.runs("pause_fleet")
    wished = {"fleet": "web-shop", "kind": "no_scale_in", "size": None, "least": None, "most": None, "hours": 2}
    assert run["conf"] == {**wished, "reason": "the sale is on until noon"}
    assert (run["state"], run["triggering_user_name"]) == ("queued", "uma")


def test_a_paused_fleet_says_by_whom_and_until_when_and_offers_to_resume(server: PageServer, sign_in: SignIn) -> None:
    page = sign_in("uma")
    go(page, server)
    row = page.locator("table.fleets tr", has_text="batch-video")
    expect(row.locator(".badge")).to_have_text("paused")
    expect(page.get_by_role("button", name="Kill switch…")).to_be_visible()
    row.locator(".name").click()
    expect(page.locator(".overrides")).to_contain_text("freeze (min 4, max 4) by ada, until")
    expect(page.locator(".overrides")).to_contain_text("the encoder is being replaced")
    expect(page.locator(".overrides p").last).to_contain_text("by bob")
    expect(page.locator(".overrides p").last).to_contain_text("behind freeze, which rules for as long as it holds")
    expect(page.locator(".overrides p").first).not_to_contain_text("behind")
    expect(page.get_by_role("button", name="Resume…")).to_be_visible()


def test_what_was_laid_on_a_former_group_is_shown_as_not_obeyed_and_bounds_no_form(
    server: PageServer, sign_in: SignIn
) -> None:
    overrides = server.overrides
    laid = replace(a_freeze("web-shop"), id="5d0c6d5e-0000-4000-8000-000000000003", group_id="123/eu-west-1/gone")
    overrides.add(laid)
    try:
        page = sign_in("uma")
        go(page, server, "fleet/web-shop")
        expect(page.locator(".overrides")).to_contain_text("it was laid on gone")
        expect(page.locator(".overrides")).not_to_contain_text("behind")
        page.get_by_role("button", name="Scale by hand…").click()
        form = page.get_by_role("dialog", name="Scale web-shop")
        form.get_by_label("Instances", exact=True).fill("3")
        expect(form.locator(".effect")).to_contain_text("web-shop")
        expect(form.locator(".effect")).not_to_contain_text("resume the fleet first")
    finally:
        overrides.returned(laid, at=datetime.now(UTC))


def test_the_gate_gives_its_reason_its_figures_and_the_learned_boot_time(server: PageServer, sign_in: SignIn) -> None:
    page = sign_in()
    go(page, server, "fleet/web-shop")
    gate = page.locator(".gate")
    expect(gate).to_contain_text(told(server, "fleets/web-shop/gate")["reason"])
    expect(gate).to_contain_text("a flat line by 31 %")
    expect(gate).to_contain_text("alone 3.1 %")
    expect(gate).to_contain_text("2 min")
    expect(gate).to_contain_text("learned from 37 launches")


def test_what_if_sets_policies_and_modes_side_by_side_and_asks_for_others_in_the_persons_name(
    server: PageServer, sign_in: SignIn
) -> None:
    page = sign_in("uma")
    go(page, server, "fleet/web-shop")
    table = page.locator("table.replay")
    expect(table.locator("tr.policy")).to_have_text(["web-shop as it is", "surer quantile 0.97"])
    expect(table.locator("tr:has(td)")).to_have_count(4)
    expect(table.locator("tr:has(.badge)")).to_have_text(["steered best0.1 %$70120 %70112"])
    expect(page.get_by_text("for no more than 25 % above reacting alone")).to_be_visible()

    page.get_by_role("button", name="Replay…").click()
    form = page.get_by_role("dialog", name="Replay web-shop")
    beside = form.get_by_label("Beside it")
    for wrong, told_at_once in (
        ("{surer: 0.97", "Not JSON: a brace"),
        ('{"quantile": 0.97}', "Write a name, and in braces"),
    ):
        beside.fill(wrong)
        form.get_by_role("button", name="Start").click()
        expect(form.get_by_role("alert")).to_contain_text(told_at_once)
    assert server.runs("replay_policy") == []
    beside.fill('{"surer": {"quantile": 0.97}}')
    expect(form.get_by_role("alert")).to_have_count(0)
    form.get_by_role("button", name="Start").click()
    expect(form.get_by_role("link", name="Follow the run")).to_be_visible()

    (run,) = server.runs("replay_policy")
    modes = ["reactive", "floor", "steered", "aws_hourly"]
    asked = {"fleet": "web-shop", "days": 3, "modes": modes, "boot_minutes": 5, "price_per_hour": None}
    assert run["conf"] == {**asked, "policies": {"surer": {"quantile": 0.97}}}
    assert run["triggering_user_name"] == "uma"


def test_what_if_is_asked_of_one_fleet_or_of_all_and_of_none_that_is_not_there(server: PageServer) -> None:
    newest = told(server, "whatif")
    assert newest == told(server, "whatif?fleet=web-shop&limit=1")
    assert (newest["total"], newest["items"][0]["fleet"]) == (1, "web-shop")
    assert told(server, "whatif?fleet=api-checkout") == {"items": [], "total": 0}
    nobody = server.scaling("api/v1/whatif?fleet=nobody")
    assert (nobody.status_code, nobody.headers["content-type"]) == (404, "application/problem+json")
    assert "no fleet 'nobody'" in nobody.json()["detail"]


def test_what_the_dag_refuses_is_told_in_the_form(server: PageServer, sign_in: SignIn) -> None:
    page = sign_in("uma")
    go(page, server, "fleet/web-shop")
    page.get_by_role("button", name="Scale by hand…").click()
    page.get_by_label("Instances", exact=True).fill("3")
    page.get_by_label("Reason", exact=True).fill("why")
    page.locator("dialog form").evaluate("form => form.noValidate = true")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("dialog").get_by_role("alert")).to_contain_text("400")
    assert server.runs("scale_manually") == []


def test_who_may_only_look_is_offered_nothing_to_press(server: PageServer, sign_in: SignIn) -> None:
    page = sign_in("vera")
    go(page, server, "fleet/web-shop")
    expect(page.locator("canvas")).to_be_visible()
    for name in ("Scale by hand…", "Pause…", "Promote…", "Replay…"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)


def test_the_page_follows_airflows_theme(server: PageServer, sign_in: SignIn) -> None:
    page = sign_in()
    go(page, server)
    place = page.locator("#scaling-page")
    expect(place).to_have_attribute("data-theme", "light")
    page.evaluate("document.documentElement.classList.replace('light', 'dark')")
    expect(place).to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize("width", [320, 390])
@pytest.mark.parametrize("where", ["fleets", "fleet/web-shop", "events", "event/8"])
def test_nothing_is_wider_than_a_phone(server: PageServer, sign_in: SignIn, where: str, width: int) -> None:
    page = sign_in(width=width)
    go(page, server, where)
    expect(page.locator(".loading")).to_have_count(0)
    wide = page.locator(".page").evaluate("page => page.scrollWidth - page.clientWidth")
    assert wide <= 0


@pytest.mark.parametrize("width", [360, 390])
def test_on_a_phone_the_reason_of_a_step_has_the_width_of_its_row(
    server: PageServer, sign_in: SignIn, width: int
) -> None:
    page = sign_in(width=width)
    go(page, server, "fleet/web-shop")
    expect(page.locator(".loading")).to_have_count(0)
    of_row = "why => why.clientWidth / why.parentElement.clientWidth"
    assert page.locator(".plan .why").first.evaluate(of_row) > 0.9
    assert page.locator(".page").evaluate("page => page.scrollWidth - page.clientWidth") <= 0


@pytest.mark.parametrize("width", [360, 1280])
def test_no_field_of_a_form_is_cut_off(server: PageServer, sign_in: SignIn, width: int) -> None:
    page = sign_in(width=width)
    go(page, server, "fleet/web-shop")
    page.get_by_role("button", name="Scale by hand…").click()
    form = page.get_by_role("dialog")
    expect(form.locator("select")).to_have_count(2)
    assert form.evaluate("form => form.scrollWidth - form.clientWidth") <= 0
    form.get_by_role("button", name="Cancel").click()


def test_on_a_phone_fleets_are_sorted_without_a_head_to_press(server: PageServer, sign_in: SignIn) -> None:
    page = sign_in(width=390)
    go(page, server)
    names = page.locator(".fleets a.name")
    page.get_by_label("Sort by").select_option("Fleet")
    first = names.all_inner_texts()
    page.get_by_role("button", name="Turn the order round").click()
    assert first == sorted(first)
    expect(names).to_have_text(first[::-1])


FOCUSED = """() => {
  let found = document.activeElement;
  while (found?.shadowRoot?.activeElement) found = found.shadowRoot.activeElement;
  return [found.tagName, found.name ?? "", found.innerText?.trim() ?? ""];
}"""


def test_who_goes_by_keyboard_goes_on_where_something_has_opened_and_returns_where_it_was_opened(
    server: PageServer, sign_in: SignIn
) -> None:
    page = sign_in()
    go(page, server)
    page.locator("a.name", has_text="web-shop").press("Enter")
    expect(page.get_by_role("button", name="Pause…")).to_be_visible()
    assert page.evaluate(FOCUSED)[0] == "MAIN", "and not the whole of Airflow"

    page.get_by_role("button", name="Pause…").press("Enter")
    form = page.get_by_role("dialog")
    expect(form.locator("select[name=kind]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(form).to_have_count(0)
    assert page.evaluate(FOCUSED) == ["BUTTON", "", "Pause…"]

    page.keyboard.press("Enter")
    form.locator("input[name=reason]").fill("by keyboard alone")
    page.keyboard.press("Enter")
    expect(form.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Enter")
    expect(form).to_have_count(0)
    assert page.evaluate(FOCUSED) == ["BUTTON", "", "Pause…"]


def test_a_fleet_that_was_not_reviewed_yet_is_shown_so_without_an_error(server: PageServer, sign_in: SignIn) -> None:
    kept = server.gates.of("api-checkout")
    assert kept
    server.forget_gate("api-checkout")
    page = sign_in()
    errors: list[str] = []
    page.on("response", lambda answer: errors.append(answer.url) if answer.status == 404 else None)
    go(page, server, "fleet/api-checkout")
    expect(page.locator(".gate")).to_contain_text("Not reviewed yet")
    expect(page.locator(".loading")).to_have_count(0)
    assert [url for url in errors if url.endswith("/gate")] == []
    assert server.scaling("api/v1/fleets/api-checkout/gate").json() is None
    server.gates.save(kept)


def test_what_would_be_undone_or_passed_over_is_told_before_it_is_sent(server: PageServer, sign_in: SignIn) -> None:
    page = sign_in()
    go(page, server, "fleet/batch-video")  # frozen
    page.get_by_role("button", name="Scale by hand…").click()
    form = page.get_by_role("dialog")
    form.locator("select[name=change]").select_option("set")
    form.locator("input[name=amount]").fill("5")
    expect(form.locator(".effect.refused")).to_contain_text("Freeze by ada would bring 5 to 4 again")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Pause…").click()
    form.locator("input[name=size]").fill("4")
    expect(form.locator(".effect.refused")).to_contain_text("Freeze takes no size")
    page.keyboard.press("Escape")


def test_a_view_of_nothing_says_so(server: PageServer, sign_in: SignIn) -> None:
    page = sign_in()
    go(page, server, "fleet/no-such-fleet")
    expect(page.get_by_text("no fleet 'no-such-fleet'")).to_be_visible()
    page.get_by_role("link", name="Events of that name").click()
    expect(page.get_by_text("Nothing that matches has been recorded.")).to_be_visible()
    page.context.set_offline(True)
    page.locator("#scaling-page").get_by_role("link", name="Fleets").click()
    expect(page.get_by_text(re.compile("does not answer")).first).to_be_visible(timeout=20_000)
    page.context.set_offline(False)
