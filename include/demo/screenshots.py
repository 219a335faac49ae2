"""`python -m demo.screenshots`: run the demo, and photograph every view of the page, light, dark and on a phone.

The pictures in docs/page.md are made this way.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from playwright.sync_api import sync_playwright

from demo.cycle import DAGS, await_cycle
from demo.local_airflow import ROOT, LocalAirflow, Place
from demo.local_cloud import LocalCloud
from demo.process import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

PICTURES: Final = ROOT / "docs" / "pictures"
FLEET: Final = "web-shop"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One view of the page, and what is there once it is drawn."""

    name: str
    address: str
    drawn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A screen and a theme to photograph in."""

    name: str
    theme: str
    width: int
    height: int
    scale: float = 1


LOOKS: Final = (
    Look(name="light", theme="light", width=1280, height=860),
    Look(name="dark", theme="dark", width=1280, height=860),
    Look(name="phone", theme="light", width=390, height=844, scale=1.5),
)


def main() -> int:
    """Start the demo, wait for a cycle, take the pictures, stop."""
    parser = argparse.ArgumentParser(prog="demo.screenshots", description=__doc__)
    parser.add_argument("--home", type=Path, default=ROOT / ".demo", help="folder for all files; emptied first")
    parser.add_argument("--pictures", type=Path, default=PICTURES, help="folder of the pictures")
    options = parser.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        print("Chromium is not installed: run `make services`", file=sys.stderr)
        return 1
    shutil.rmtree(options.home, ignore_errors=True)
    env = {**os.environ, "PYTHONPATH": str(ROOT / "include")}
    with LocalCloud("--seed-demo", log=options.home / "sandbox.log", env=env) as cloud:
        place = Place(home=options.home / "airflow", cloud_url=cloud.url, port=free_port())
        with LocalAirflow(place) as airflow, sync_playwright() as playwright:
            airflow.wait_for_dags(*DAGS)
            await_cycle(airflow)
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            take_all(browser, airflow.url, options.pictures)
    return 0


def take_all(browser: Browser, url: str, folder: Path) -> None:
    """Photograph every view in every look."""
    folder.mkdir(parents=True, exist_ok=True)
    for look in LOOKS:
        page = _signed_in(browser, url, look)
        for view in _views(page, url):
            file = folder / f"{view.name}-{look.name}.png"
            _take(page, f"{url}/plugin/scaling#{view.address}", view, file)
            print(f"{file.name}  {file.stat().st_size // 1024} kB")
        page.context.close()


def _views(page: Page, url: str) -> Iterator[View]:
    yield View(name="fleets", address="fleets", drawn="table.fleets")
    yield View(name="fleet", address=f"fleet/{FLEET}", drawn=".plot canvas")
    yield View(name="events", address="events", drawn="table.events")
    applied = page.request.get(f"{url}/scaling/api/v1/events?kind=applied&fleet={FLEET}&limit=1").json()["items"]
    if applied:
        yield View(name="event", address=f"event/{applied[0]['id']}", drawn=".chain li")


def _signed_in(browser: Browser, url: str, look: Look) -> Page:
    context = browser.new_context(
        viewport={"width": look.width, "height": look.height},
        device_scale_factor=look.scale,
        color_scheme="dark" if look.theme == "dark" else "light",
    )
    page = context.new_page()
    page.add_init_script(f"localStorage.setItem('theme', '{look.theme}')")
    page.goto(url)
    page.fill("input[name=username]", "admin")
    page.fill("input[name=password]", "admin")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{url}/")
    return page


def _take(page: Page, address: str, view: View, file: Path) -> None:
    """Let the view settle: nothing is loading any more, and the pointer rests where nothing reacts to it."""
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector(f"#scaling-page {view.drawn}")
    page.wait_for_function("!document.querySelector('#scaling-page').shadowRoot.querySelector('.loading')")
    page.mouse.move(0, 0)
    page.wait_for_timeout(400)
    page.screenshot(path=file)


if __name__ == "__main__":
    sys.exit(main())
