"""The promise: the page is light, and nothing jumps while it fills."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from page_server import PageServer
    from playwright.sync_api import Browser, Page

MOST_SCRIPT: Final = 1_000_000
"""Bytes."""
MOST_SHIFT: Final = 0.1
"""Of the cumulative layout shift, below which a page counts as good."""
WATCH: Final = """
window.shifts = [];
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts.push(entry.value);
}).observe({ type: "layout-shift", buffered: true });
"""
SCRIPTS: Final = """
performance.getEntriesByType("resource")
  .filter(entry => entry.name.includes("/scaling/") && entry.name.includes(".js"))
  .map(entry => entry.name)
"""
VIEWS: Final = {
    "fleets": "table.fleets tbody .name",
    "fleet/web-shop": ".plot canvas",
    "events": "table.events tbody tr",
}


@pytest.fixture(scope="module")
def page(server: PageServer, chromium: Browser) -> Page:
    """A page somebody has signed in on, that counts what shifts."""
    page = chromium.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.add_init_script(WATCH)
    page.goto(server.url)
    page.fill("input[name=username]", "admin")
    page.fill("input[name=password]", "admin")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{server.url}/")
    return page


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_light_and_stands_still(view: str, page: Page, server: PageServer) -> None:
    page.goto("about:blank")
    page.goto(f"{server.url}/plugin/scaling#{view}")
    expect(page.locator(VIEWS[view]).first).to_be_visible()
    page.wait_for_load_state("networkidle")

    assert 0 < sum(len(page.request.get(script).body()) for script in page.evaluate(SCRIPTS)) < MOST_SCRIPT
    assert sum(page.evaluate("window.shifts")) < MOST_SHIFT


def test_a_shift_would_be_noticed(page: Page) -> None:
    page.evaluate("document.body.style.paddingTop = '300px'")
    page.wait_for_function(f"window.shifts.reduce((sum, each) => sum + each, 0) > {MOST_SHIFT}")
