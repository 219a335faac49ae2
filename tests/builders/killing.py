"""How a story kills an Airflow task in the middle of a write."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from deployment import Stack


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
        held = stack.ledger.open_operation(fleet)
        if held and held.by.run_id == run:
            tasks = stack.airflow.tasks(str(held.by.dag_id), run)
            (task,) = (task for task in tasks if task["task_id"] == held.by.task_id)
            os.kill(process_of(task["id"]), signal.SIGKILL)
            return
        time.sleep(0.1)
    pytest.fail("no intent was written")
