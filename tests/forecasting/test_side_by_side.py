"""Many series are shared out among processes, and nobody need know of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from forecasting import Calibration, Demand, NotEnoughHistory, calibrate, forecast, forecast_many, refresh
from forecasting.forecaster import parts
from forecasting.models.blended import Blended
from forecasting.request import Request
from forecasting.side_by_side import side_by_side
from forecasting.synthetic import synthetic_demand

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.queues import Queue

HOUR = timedelta(hours=1)
MANY = 2 * Blended.batch + 1
PATIENCE = timedelta(seconds=60)

SLEEPERS = """
import os, sys, time
from pathlib import Path
from forecasting.side_by_side import side_by_side

def sleep(_):
    Path(sys.argv[1], str(os.getpid())).touch()
    time.sleep(600)

side_by_side(sleep, [1, 2], 2)
"""


def told_by(part: int) -> tuple[int, int]:
    return part, os.getpid()


def many() -> dict[str, Demand]:
    return {f"{index:03}": synthetic_demand(days=4, step=HOUR, seed=index) for index in range(MANY)}


def test_parts_come_back_in_order_from_other_processes() -> None:
    told = side_by_side(told_by, list(range(20)), 2)
    assert [part for part, _ in told] == list(range(20))
    assert os.getpid() not in {process for _, process in told}


def test_several_threads_may_share_out_work_at_once() -> None:
    with ThreadPoolExecutor(3) as threads:
        told = [each.result() for each in [threads.submit(side_by_side, told_by, [1, 2, 3], 2) for _ in range(3)]]
    assert [[part for part, _ in each] for each in told] == [[1, 2, 3]] * 3


@pytest.mark.parametrize(("count", "workers"), [(1, 2), (5, 1), (0, 2)])
def test_what_cannot_be_shared_out_is_done_here(count: int, workers: int) -> None:
    assert side_by_side(told_by, list(range(count)), workers) == [(part, os.getpid()) for part in range(count)]


def test_the_parts_of_many_series_suit_the_engine_and_weigh_the_same_for_every_worker() -> None:
    asked = partial(Request, horizon=2 * HOUR, quantiles=(0.5,), timezone="UTC", events=(), workers=2)
    demands = many()
    sizes = [len(part) for part in parts(demands, asked(engine="ensemble"))]
    assert (len(sizes), sum(sizes), max(sizes) - min(sizes)) == (4, MANY, 1)
    assert [len(part) for part in parts(demands, asked(engine="prophet"))] == [1] * MANY
    few = dict(list(demands.items())[: Blended.batch])
    assert parts(few, asked(engine="ensemble")) == [few]
    assert parts({}, asked(engine="ensemble")) == []


def test_each_of_many_series_is_told_what_it_would_be_told_alone_and_in_the_order_they_came() -> None:
    demands = many()
    shuffled = {name: demands[name] for name in sorted(demands, key=lambda name: name[::-1])}
    found = forecast_many(shuffled)
    assert list(found) == list(shuffled)
    for name in list(shuffled)[:: MANY // 4]:
        alone = forecast(demands[name])
        assert np.allclose(found[name].values, alone.values, rtol=1e-5)
        assert found[name].reason == alone.reason


def test_series_of_several_grids_are_shared_out_too() -> None:
    finer = {f"finer {seed}": synthetic_demand(days=3, step=HOUR / 2, seed=seed) for seed in range(5)}
    demands = many() | finer
    found = forecast_many(demands)
    assert {found[name].step for name in finer} == {HOUR / 2}
    assert np.allclose(found["finer 4"].values, forecast(finer["finer 4"]).values, rtol=1e-5)


def test_a_refusal_names_its_series_from_wherever_it_comes() -> None:
    demands = many()
    demands["empty"] = Demand(demands["000"].start, HOUR, np.full(96, np.nan))
    with pytest.raises(NotEnoughHistory, match="empty: 0 observed values") as refused:
        forecast_many(demands)
    assert refused.value.series == "empty"


def test_what_was_learnt_side_by_side_serves_side_by_side() -> None:
    demands = many()
    learnt = calibrate(demands)
    assert set(learnt.learnt) == set(demands)
    kept = Calibration.from_json(learnt.to_json())
    found, afresh = refresh(demands, kept), forecast_many(demands)
    assert list(found) == list(demands)
    assert all(np.allclose(found[name].values, afresh[name].values, rtol=1e-3) for name in demands)


def told_from_within(answers: Queue[list[tuple[int, int]]]) -> None:
    answers.put(side_by_side(told_by, [1, 2, 3], 2))


def test_a_process_that_may_have_no_children_does_all_by_itself() -> None:
    context = get_context("fork")
    answers: Queue[list[tuple[int, int]]] = context.Queue()
    daemon = context.Process(target=told_from_within, args=(answers,), daemon=True)
    daemon.start()
    told = answers.get(timeout=PATIENCE.total_seconds())
    daemon.join()
    assert told == [(part, daemon.pid) for part in (1, 2, 3)]


def die(_part: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_child_that_was_killed_is_told_of_in_words_one_can_act_on() -> None:
    with pytest.raises(RuntimeError, match="was killed, most likely for want of memory: give the worker more"):
        side_by_side(die, [1, 2], 2)


def test_no_child_outlives_a_parent_that_was_killed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", SLEEPERS, str(tmp_path)]) as parent:
        wait_until(lambda: len(list(tmp_path.iterdir())) == 2)
        parent.kill()
    children = [int(path.name) for path in tmp_path.iterdir()]
    wait_until(lambda: not any(alive(child) for child in children))


def test_an_interrupt_is_told_once_and_leaves_nobody_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SLEEPERS.replace("600", "2"), str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as parent:
        wait_until(lambda: len(list(tmp_path.iterdir())) == 2)
        os.killpg(parent.pid, signal.SIGINT)
        _, told = parent.communicate()
    assert told.count("KeyboardInterrupt") == 1
    assert not any(alive(int(path.name)) for path in tmp_path.iterdir())


def alive(process: int) -> bool:
    """Whether it runs: one that ended may wait for somebody to ask how."""
    try:
        return " Z " not in Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE.total_seconds()
    while not true():
        assert time.monotonic() < until, "it did not come to pass"
        time.sleep(0.05)
