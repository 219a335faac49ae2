"""The algebra of small matrices in one thread: more of them only wait for each other, ten times as long as the work."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


def one_thread_of_algebra() -> AbstractContextManager[object]:
    """Keep BLAS to one thread within; the chunks of a panel are what runs side by side."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    limits: AbstractContextManager[object] = threadpool_limits(limits=1, user_api="blas")
    return limits
