"""Asking several at the same time, so that one who hangs keeps no other waiting.

Not every driver can be told how long to wait. Who has not answered in time is left to it in a thread of its own, is not
asked again meanwhile, and is heard when the answer comes.
"""

from __future__ import annotations

from concurrent.futures import Future, wait
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Thread
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping
    from datetime import datetime

K = TypeVar("K", bound="Hashable")
T = TypeVar("T")

PATIENCE: Final = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Asked(Generic[T]):
    """When one was asked, and the answer, which may still be to come."""

    at: datetime
    answer: Future[T]


@dataclass(slots=True)
class SideBySide(Generic[K, T]):
    """Remembers who still owes an answer."""

    patience: timedelta = PATIENCE
    _under_way: dict[K, Asked[T]] = field(default_factory=dict)

    def ask(self, questions: Mapping[K, Callable[[], T]], *, now: datetime) -> dict[K, Asked[T]]:
        """Ask whoever owes no answer, wait a while for those asked now, and tell of each."""
        for key, question in questions.items():
            if key not in self._under_way:
                self._under_way[key] = Asked(now, _in_a_thread(question))
        told = {key: self._under_way[key] for key in questions}
        wait([each.answer for each in told.values() if each.at == now], timeout=self.patience.total_seconds())
        self._under_way = {key: each for key, each in self._under_way.items() if not each.answer.done()}
        return told


def _in_a_thread(question: Callable[[], T]) -> Future[T]:
    """Ask in a thread that not even the end of the process waits for."""
    answer: Future[T] = Future()

    def work() -> None:
        try:
            answer.set_result(question())
        except BaseException as error:  # noqa: BLE001 - raised where the answer is read
            answer.set_exception(error)

    Thread(target=copy_context().run, args=(work,), daemon=True).start()
    return answer
