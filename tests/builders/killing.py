"""How a story kills an Airflow task in the middle of a write."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deployment import Stack

    from predictive_scaling.ledger.records import Operation


def process_of(task_instance: str) -> int:
    """Find the process of a task instance by the title Airflow gives it."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            title = (folder / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if f"airflow worker -- {task_instance}" in title:
            return int(folder.name)
    msg = f"no process has the title of task instance {task_instance}"
    raise LookupError(msg)


def kill_during_the_write(stack: Stack, fleet: str, run: str) -> None:
    """Wait for a durable intent of this run, then kill its task."""
    for _ in range(600):
        if held := _held(stack, fleet, run):
            return _kill(stack, held)
        time.sleep(0.1)
    pytest.fail("no intent was written")


def kill_before_the_answer(stack: Stack, runs: Mapping[str, str], before: Mapping[str, int]) -> None:
    """Wait until the desired capacity of each fleet has moved, and kill the task that waits for the answer."""
    left = dict(runs)
    for _ in range(600):
        for fleet, run in tuple(left.items()):
            if (held := _held(stack, fleet, run)) and stack.desired(fleet) != before[fleet]:
                _kill(stack, held)
                del left[fleet]
        if not left:
            return
        time.sleep(0.1)
    pytest.fail(f"nothing was written to {', '.join(left)}")


def _held(stack: Stack, fleet: str, run: str) -> Operation | None:
    held = stack.ledger.open_operation(fleet)
    return held if held and held.by.run_id == run else None


def _kill(stack: Stack, held: Operation) -> None:
    tasks = stack.airflow.tasks(str(held.by.dag_id), str(held.by.run_id))
    (task,) = (task for task in tasks if task["task_id"] == held.by.task_id)
    os.kill(process_of(task["id"]), signal.SIGKILL)
