"""The promise: what a person decides is laid down once and told once, whatever its task or its database dies at."""

from __future__ import annotations

import itertools
import re
import runpy
import sqlite3
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from by_hand import a_desk

from demo.local_airflow import ROOT
from forecasting.gate import Stage, Standing
from predictive_scaling.errors import CloudUnavailable, LedgerUnreachable
from predictive_scaling.fleet_folder import read_fleets
from predictive_scaling.ledger.gates import Gate, SqlGates
from predictive_scaling.ledger.overrides import EVERY_FLEET, SqlOverrides
from predictive_scaling.ledger.records import EventKind
from predictive_scaling.operators import (
    KillSwitchOperator,
    PauseFleetOperator,
    PromoteFleetOperator,
    ResumeFleetOperator,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from by_hand import Desk

    import sandbox

DECISIONS = (EventKind.OVERRIDDEN, EventKind.RETURNED, EventKind.MOVED)


@pytest.fixture
def desk(cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("AIRFLOW__PREDICTIVE_SCALING__STORAGE", f"file://{tmp_path}/storage")
    return a_desk(cloud, tmp_path, monkeypatch, rights=("auto",))


class Killed(BaseException):
    """The end of a task's process: nothing that it does any more reaches the database."""


@dataclass(eq=False)
class Blow:
    """Strikes the so-manieth of what a process does to its database, be that a statement or a commit."""

    at: int
    error: BaseException
    lasts: bool
    struck: bool = False

    def __call__(self, *_: object) -> None:
        self.at -= 1
        if self.at == 0 or (self.struck and self.lasts):
            self.struck = True
            raise self.error


@contextmanager
def struck(engine: sa.Engine, what: str, blow: Blow) -> Iterator[None]:
    sa.event.listen(engine, what, blow)
    try:
        yield
    finally:
        sa.event.remove(engine, what, blow)


def carried_out(desk: Desk, operator: Any, run: int, *, attempt: int = 1, asked_at: datetime | None = None) -> None:
    """Do it; that there is no forecast to go back to is no matter here."""
    try:
        desk.carry_out(operator, run, attempt=attempt, asked_at=asked_at)
    except AirflowFailException as error:
        if "no forecast is stored yet" not in str(error):
            raise


def decided(desk: Desk) -> tuple[object, ...]:
    """Give what holds by a person's word, and what the ledger tells of it."""
    engine = desk.ledger._engine  # noqa: SLF001 - one database for all tables
    gate = SqlGates(engine).of("web")
    open_ones = [(each.kind, bool(each.ended_at)) for each in SqlOverrides(engine).open("web", EVERY_FLEET)]
    events = [each.kind for each in reversed(desk.ledger.events(limit=1000)) if each.kind in DECISIONS]
    return open_ones, events, gate and gate.standing.stage


def pause() -> PauseFleetOperator:
    return PauseFleetOperator(task_id="pause", fleet="web", kind="hold", reason="a test", sizes={"size": "5"})


def switch(action: str) -> KillSwitchOperator:
    return KillSwitchOperator(task_id="switch", params={"action": action, "reason": "a test"})


def promotion() -> PromoteFleetOperator:
    return PromoteFleetOperator(task_id="promote", params={"fleet": "web", "to": "auto", "reason": "a test"})


def waiting_for_approval(desk: Desk, folder: Path) -> None:
    (spec,) = read_fleets(folder / "fleets").fleets
    standing = Standing(stage=Stage.APPROVE, since=datetime.now(UTC))
    gate = Gate(fleet="web", standing=standing, actor="ada", measured_by=spec.measured_by)
    SqlGates(desk.ledger._engine).save(gate)  # noqa: SLF001 - one database for all tables


WORDS = {
    "pause": (None, pause),
    "resume": (pause, lambda: ResumeFleetOperator(task_id="resume", params={"fleet": "web", "reason": "over"})),
    "stop": (None, lambda: switch("stop")),
    "lift": (lambda: switch("stop"), lambda: switch("lift")),
    "promote": (None, promotion),
}


@pytest.mark.parametrize("commit", [1, 2, 3])
@pytest.mark.parametrize("word", WORDS)
def test_a_task_that_dies_at_any_commit_is_retried_to_one_word_that_is_told_once(
    desk: Desk, tmp_path: Path, word: str, commit: int
) -> None:
    before, said = WORDS[word]
    waiting_for_approval(desk, tmp_path)
    if before:
        carried_out(desk, before(), 1)
    asked_at = datetime.now(UTC)
    blow = Blow(at=commit, error=Killed(), lasts=True)
    with struck(desk.ledger._engine, "commit", blow), suppress(Killed):  # noqa: SLF001 - its process's connections
        carried_out(desk, said(), 2, asked_at=asked_at)
    carried_out(desk, said(), 2, attempt=2, asked_at=asked_at)

    laid, ended = [EventKind.OVERRIDDEN], [EventKind.OVERRIDDEN, EventKind.OVERRIDDEN, EventKind.RETURNED]
    assert (
        decided(desk)
        == {
            "pause": ([("hold", False)], laid, Stage.APPROVE),
            "resume": ([], ended, Stage.APPROVE),
            "stop": ([("stop", False)], laid, Stage.APPROVE),
            "lift": ([], ended, Stage.APPROVE),
            "promote": ([], [EventKind.MOVED], Stage.AUTO),
        }[word]
    )


def test_a_fleet_is_promoted_once_however_often_its_task_is_tried(desk: Desk, tmp_path: Path) -> None:
    waiting_for_approval(desk, tmp_path)
    for attempt in (1, 2):
        carried_out(desk, promotion(), 1, attempt=attempt)
    with pytest.raises(AirflowFailException, match="only one that waits at approve can be promoted"):
        desk.carry_out(promotion(), 2)
    assert decided(desk)[1:] == ([EventKind.MOVED], Stage.AUTO)


def test_a_kill_switch_is_tried_again_whenever_its_database_gives_no_answer_once(desk: Desk) -> None:
    for statement in itertools.count(1):
        blow = Blow(at=statement, error=sqlite3.OperationalError("database is locked"), lasts=False)
        with struck(desk.ledger._engine, "before_cursor_execute", blow):  # noqa: SLF001 - its process's connections
            trouble = trouble_of(desk, switch("stop"), statement)
        if not blow.struck:
            break
        assert not isinstance(trouble, AirflowFailException), f"statement {statement}: Airflow tries it again"
        assert trouble is None or re.search(r"gave no answer \(database is locked\): try again in", str(trouble))
        assert "\n" not in str(trouble)
        carried_out(desk, switch("stop"), statement, attempt=2)
        assert decided(desk)[0] == [("stop", False)], f"statement {statement}"
        carried_out(desk, switch("lift"), 1000 + statement)
    assert statement > 20


def trouble_of(desk: Desk, operator: Any, run: int) -> Exception | None:
    try:
        carried_out(desk, operator, run)
    except (AirflowException, LedgerUnreachable) as error:
        return error
    return None


def test_what_a_person_wants_kept_after_a_change_by_hand_is_kept_though_aws_does_not_answer_at_first(
    cloud: sandbox.Cloud, desk: Desk
) -> None:
    keep = runpy.run_path(str(ROOT / "dags" / "scale_manually.py"))["keep"]
    word = PauseFleetOperator(task_id="keep", fleet="web", kind="freeze", hours="2", reason="a sale")
    cloud.faults.add(
        service="autoscaling", operation="DescribeAutoScalingGroups", error="AccessDenied", status=403, count=1
    )
    for attempt in range(1, keep.retries + 2):
        with suppress(CloudUnavailable):
            desk.carry_out(word, attempt=attempt)
            break
    (laid,) = SqlOverrides(desk.ledger._engine).open("web")  # noqa: SLF001 - one database for all
    assert (laid.reason, laid.ended_at) == ("a sale", None)
