"""Parts of a work done side by side, in processes: threads wait for each other's Python a quarter of the time.

Each of them keeps to one thread of algebra: on small matrices more only wait for each other, ten times as long as the
work.
"""

from __future__ import annotations

import os
import signal
import sys
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import current_process, get_context, parent_process
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

GREATEST_BLOCK = 31 << 20  # bytes
Part = TypeVar("Part")
Result = TypeVar("Result")
_share: list[tuple[Callable[[Any], Any], Sequence[Any]]] = []  # in a child, what it was forked for


def side_by_side(work: Callable[[Part], Result], parts: Sequence[Part], workers: int) -> list[Result]:
    """Do every part, as many at a time as there are workers; one at a time is done here."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    workers = min(workers, len(parts))
    with threadpool_limits(limits=1, user_api="blas"):
        if workers <= 1:
            return [work(part) for part in parts]
        if sys.platform != "linux" or current_process().daemon:  # where it is not safe, or not allowed, to fork
            with ThreadPoolExecutor(workers) as threads:
                return list(threads.map(work, parts))
        return _in_children(work, parts, workers)


def _in_children(work: Callable[[Part], Result], parts: Sequence[Part], workers: int) -> list[Result]:
    """Fork: a child has all that its parent has, so only which part to do, and what came of it, goes between them."""
    try:
        with ProcessPoolExecutor(workers, get_context("fork"), _settle, (work, parts)) as children:
            return list(children.map(_done, range(len(parts))))
    except BrokenExecutor as error:
        msg = "a process that did part of the work was killed, most likely for want of memory: give the worker more"
        raise RuntimeError(msg) from error


def _settle(work: Callable[[Any], Any], parts: Sequence[Any]) -> None:
    """Begin a child: it leaves interrupts to its parent, ends with it even if it was killed, and keeps its memory."""
    _share[:] = [(work, parts)]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    Thread(target=_end_with_parent, daemon=True).start()
    # Once a block of this size was freed, glibc asks for no fresh pages for smaller ones: mallopt(3), M_MMAP_THRESHOLD.
    np.empty(GREATEST_BLOCK, dtype=np.uint8)


def _done(index: int) -> Any:
    work, parts = _share[-1]
    return work(parts[index])


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
