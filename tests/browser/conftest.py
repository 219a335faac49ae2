"""One Airflow and one Chromium, started once and shared by everything that is told here."""

from __future__ import annotations

import shutil
from functools import partial
from typing import TYPE_CHECKING

import pytest
from page_server import PageServer
from playwright.sync_api import Browser, Page, expect, sync_playwright
from services import without

from demo.local_airflow import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BUILT = ROOT / "plugins" / "predictive_scaling" / "page" / "built" / "scaling.js"
expect.set_options(timeout=15_000)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    """Airflow's API server, with the plugin."""
    with PageServer(tmp_path_factory.mktemp("page")) as server:
        yield server
        server.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium; let go with the module, because Playwright keeps the thread's event loop."""
    program = shutil.which("chromium")
    if program is None:
        without("Chromium", "run `make services`")
    if not BUILT.exists():
        without("the page", "run `make page`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def sign_in_at(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Give a page of the Airflow at an address, signed in to as people do; each user signs in once."""
    pages: dict[tuple[str, str, int], Page] = {}

    def signed_in(url: str, user: str = "admin", *, width: int = 1280) -> Page:
        if (url, user, width) not in pages:
            page = chromium.new_context(viewport={"width": width, "height": 900}).new_page()
            page.goto(url)
            page.fill("input[name=username]", user)
            page.fill("input[name=password]", user)
            page.keyboard.press("Enter")
            page.wait_for_url(f"{url}/")
            pages[url, user, width] = page
        return pages[url, user, width]

    yield signed_in
    for page in pages.values():
        page.context.close()


@pytest.fixture(scope="module")
def sign_in(server: PageServer, sign_in_at: Callable[..., Page]) -> Callable[..., Page]:
    """Sign in to the shared API server."""
    return partial(sign_in_at, server.url)
