"""The promise: the documents agree with each other and with the code."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

import pytest

from demo.local_airflow import ROOT
from forecasting import ENGINES
from forecasting.duration import parse_duration
from predictive_scaling.burst_file import BurstFields
from predictive_scaling.fleet_file import ApprovalFields, EventFields, FleetFile
from predictive_scaling.fleet_folder import read_fleets
from predictive_scaling.ledger.records import EventKind
from predictive_scaling.metric_file import KINDS
from predictive_scaling.settings import OPTIONS

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import BaseModel

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def name_of(document: Path) -> str:
    return str(document.relative_to(ROOT))


def links(document: Path) -> list[str]:
    found = LINK.findall(FENCED.sub("", document.read_text()))
    return [link for link in found if not link.startswith(("http:", "https:"))]


@cache
def anchors(document: Path) -> set[str]:
    """Give the anchors of the headings, made as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", document.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def rows(document: str, heading: str = "") -> dict[str, str]:
    """Give the rows of a document's tables, or of those under a heading, by the words in backquotes in front."""
    text = (ROOT / document).read_text()
    if heading:
        text = re.split(r"^#", text.split(f"\n{heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    cells = re.findall(r"^\| *(`[^|]+?) *\|(.*)$", text, re.MULTILINE)
    return {key: rest for first, rest in cells for key in re.findall(r"`([^`]+)`", first)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_link_leads_somewhere(document: Path) -> None:
    for link in links(document):
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), f"{link} leads to nothing"
        if anchor:
            assert anchor in anchors(target), f"{link}: {name_of(target)} has only {sorted(anchors(target))}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    # At the start of a line of a shell block, or in backquotes: elsewhere "make" is a verb.
    named = set(re.findall(r"(?:^|`)make ([a-z][a-z-]*)", document.read_text(), re.MULTILINE))

    assert named <= targets


FIELDS: dict[str, type[BaseModel]] = {
    "## Keys": FleetFile,
    "### `approval`": ApprovalFields,
    "### `burst`": BurstFields,
    "### `events`": EventFields,
    **{f"### `metric`: {kind}": fields for kind, fields in KINDS.items()},
}


@pytest.mark.parametrize("heading", FIELDS)
def test_every_key_of_a_fleet_file_is_described(heading: str) -> None:
    described = rows("docs/fleets.md", heading) | rows("docs/fleets.md", "### `metric`")

    assert set(FIELDS[heading].model_fields) <= set(described)


@pytest.mark.parametrize("heading", FIELDS)
def test_every_default_is_the_codes_own(heading: str) -> None:
    described = rows("docs/fleets.md", "### `metric`") | rows("docs/fleets.md", heading)
    for name, field in FIELDS[heading].model_fields.items():
        written = described[name].split("|")[0].strip().strip("`")
        match field.default:
            case timedelta() as default:
                assert parse_duration(written) == default, name
            case str() | float() as default:
                assert written == str(default), name


SOUND = """name: {name}
group: {name}
metric: {{namespace: A, name: B}}
target_per_instance: 5
min: 2
max: 4
"""
SPOILT: dict[str, dict[str, str]] = {
    "one": {"max: 4": "max: 4\ncooldown: 5m"},
    "two": {"name: B": "name: CPUUtilization, statistic: Average"},
    "three": {"min: 2": "min: 5"},
    "four": {"name: B": "name: B, period: 7m"},
    "five": {"max: 4": "max: 4\nmax: 30"},
    "six": {"max: 4": "max: 4\nlead_time: soon"},
    "seven": {"max: 4": "max: 4\nengine: magic"},
    "eight": {"group: eight": "group: shared"},
    "nine": {"group: nine": "group: shared"},
    "ten": {"group: ten": "group: 12", "min: 2": "min: two"},
    "eleven": {"max: 4": "max: 4\ntimezone: Berlin"},
}


def test_the_complaints_that_are_shown_are_those_that_are_made(tmp_path: Path) -> None:
    for name, faults in SPOILT.items():
        text = SOUND.format(name=name)
        for right, wrong in faults.items():
            text = text.replace(right, wrong)
        (tmp_path / f"{name}.yaml").write_text(text)
    shown = re.findall(r"^\w+\.yaml: .*$", (ROOT / "docs" / "fleets.md").read_text(), re.MULTILINE)

    assert sorted(shown) == sorted(str(problem) for problem in read_fleets(tmp_path).problems)


def test_the_described_engines_are_those_there_are() -> None:
    described = set(re.findall(r"`(\w+)`", rows("docs/fleets.md")["engine"].split("|")[1]))

    assert described == set(ENGINES)


def test_every_option_stands_in_the_readme_with_its_default() -> None:
    described = rows("README.md")

    assert set(described) == set(OPTIONS)
    for name, option in OPTIONS.items():
        assert (f"`{option['default']}`" if option["default"] else "none") in described[name], name


def test_every_kind_of_event_is_explained() -> None:
    assert {kind.value for kind in EventKind} <= set(rows("docs/operations.md"))


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "adr"

    assert {file.name for file in folder.glob("0*.md")} == set(links(folder / "README.md"))


def test_the_readme_shows_the_demos_own_fleet() -> None:
    fleet = (ROOT / "include" / "fleets" / "web-shop.yaml").read_text().split("\n", 1)[1]

    assert fleet in (ROOT / "README.md").read_text()


def test_pictures_are_small_enough_for_a_first_look() -> None:
    for picture in (ROOT / "docs" / "images").iterdir():
        assert picture.stat().st_size < 150_000, picture.name
