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
from typing import TYPE_CHECKING, Any, Final

from PIL import Image
from playwright.sync_api import sync_playwright

from demo.cycle import DAGS, await_cycle
from demo.local_airflow import ROOT, LocalAirflow, Place
from demo.local_cloud import LocalCloud
from demo.process import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

PICTURES: Final = ROOT / "docs" / "pictures"
FLEET: Final = "web-shop"
ASKED: Final = "api-checkout"
AGREED: Final = "approval: {above: 8, by: [admin]}\n"
BUDGETS: Final = """
budgets:
  - {name: shop, fleets: [web-shop, api-checkout], hourly: 2, monthly: 700}
"""
SETTLED: Final = 400
"""Milliseconds after which nothing moves any more."""
REACHES: Final = "page => Math.ceil(page.getBoundingClientRect().bottom)"
DEEDS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("replay_policy", {"fleet": FLEET, "policies": {"surer": {"quantile": 0.97}}}),
    ("scale_manually", {"fleet": FLEET, "change": "add", "amount": 1, "reason": "a newsletter goes out at noon"}),
    ("check_budgets", {}),
    ("apply_plans", {}),
)
"""What people and Airflow have done by the time the pictures are taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One view of the page, what is there once it is drawn, what is then done, and whether to show it to its end."""

    name: str
    address: str
    drawn: str
    then: Callable[[Page], None] | None = None
    whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A screen and a theme to photograph in, and whether there is one picture more of a view to its end."""

    name: str
    theme: str
    width: int
    height: int
    scale: float = 1
    whole: bool = True


LOOKS: Final = (
    Look(name="light", theme="light", width=1280, height=860),
    Look(name="dark", theme="dark", width=1280, height=860),
    Look(name="phone", theme="light", width=390, height=844, scale=1.5, whole=False),
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
        cloud.control("config", {"boot_seconds": 5, "health_seconds": 5})
        fleets = _fleets(options.home / "agreed")
        place = Place(home=options.home / "airflow", cloud_url=cloud.url, port=free_port(), fleets=fleets)
        with LocalAirflow(place) as airflow, sync_playwright() as playwright:
            _live_a_little(airflow)
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            take_all(browser, airflow.url, options.pictures)
    return 0


def _fleets(folder: Path) -> Path:
    """The demo's fleets, about one of which something was agreed, and a budget beside them."""
    fleets = folder / "fleets"
    shutil.copytree(ROOT / "include" / "fleets", fleets, ignore=shutil.ignore_patterns("stages", "gpu"))
    with (fleets / f"{ASKED}.yaml").open("a") as file:
        file.write(AGREED)
    (folder / "budgets.yaml").write_text(BUDGETS)
    return fleets


def _live_a_little(airflow: LocalAirflow) -> None:
    airflow.wait_for_dags(*DAGS, "approve_plans", *(dag_id for dag_id, _ in DEEDS))
    await_cycle(airflow)
    for dag_id, form in DEEDS:
        run = airflow.trigger(dag_id, form)
        print(f"{dag_id}: {airflow.wait_for_run(dag_id, run)['state']}")


def take_all(browser: Browser, url: str, folder: Path) -> None:
    """Photograph every view in every look."""
    folder.mkdir(parents=True, exist_ok=True)
    for look in LOOKS:
        page = _signed_in(browser, url, look)
        for view in [each for each in _views(page, url) if look.whole or not each.whole]:
            file = folder / f"{view.name}-{look.name}.png"
            page.set_viewport_size({"width": look.width, "height": look.height})
            _show(page, f"{url}/plugin/scaling#{view.address}", view)
            if view.whole:
                page.set_viewport_size({"width": look.width, "height": page.locator(".page").evaluate(REACHES)})
                page.wait_for_timeout(SETTLED)
            page.screenshot(path=file)
            _shrink(file)
            print(f"{file.name}  {file.stat().st_size // 1024} kB")
        page.context.close()


def _shrink(file: Path) -> None:
    """Keep the 256 colours that matter: a page has few, and the repository keeps every picture ever taken."""
    with Image.open(file) as picture:
        # An octree keeps the rare colours too, such as that of a badge.
        small = picture.convert("RGB").quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    small.save(file, optimize=True)


def _views(page: Page, url: str) -> Iterator[View]:
    yield View(name="fleets", address="fleets", drawn="table.fleets")
    yield View(name="fleet", address=f"fleet/{FLEET}", drawn=".plot canvas")
    yield View(name="fleet-whole", address=f"fleet/{FLEET}", drawn=".plot canvas", whole=True)
    yield View(name="question", address=f"fleet/{ASKED}", drawn=".questions article")
    yield View(name="form", address=f"fleet/{FLEET}", drawn=".plot canvas", then=_fill_in)
    yield View(name="events", address="events", drawn="table.events")
    applied = page.request.get(f"{url}/scaling/api/v1/events?kind=applied&fleet={FLEET}").json()["items"]
    for event in [each for each in applied if each["plan_id"]][-1:]:
        yield View(name="event", address=f"event/{event['id']}", drawn=".chain li")


def _fill_in(page: Page) -> None:
    """Open the form of a fleet, and begin with it."""
    page.get_by_role("button", name="Scale by hand…").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Instances", exact=True).fill("3")
    form.get_by_label("Reason", exact=True).fill("the sale begins at noon")


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


def _show(page: Page, address: str, view: View) -> None:
    """Let the view settle: nothing is loading any more, and the pointer rests where nothing reacts to it."""
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector(f"#scaling-page {view.drawn}")
    page.wait_for_function("!document.querySelector('#scaling-page').shadowRoot.querySelector('.loading')")
    if view.then:
        view.then(page)
    page.mouse.move(0, 0)
    page.wait_for_timeout(SETTLED)


if __name__ == "__main__":
    sys.exit(main())
