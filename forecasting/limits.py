"""How fast and how often capacity may change: what a plan must do earlier, or later, to keep within that.

Everything here raises capacity or keeps it up, so that a plan never falls below the need; the one exception is the
present, from which no plan can rise faster than the policy allows.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from forecasting.sliding import leading_max, trailing_max

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    import numpy.typing as npt

    from forecasting.freeze import Freeze
    from forecasting.policy import Policy

    Sizes = npt.NDArray[np.int64]


def limited(capacity: Sizes, policy: Policy, start: datetime, current: int | None) -> Sizes:
    """Bring capacity, in cells of the policy's granularity, within its limits on change."""
    if not limits_change(policy):
        return capacity
    frozen = [span for freeze in policy.freezes if (span := _span(freeze, policy, start, len(capacity)))]
    sizes = capacity.copy()
    _freeze(sizes, frozen, current)
    before = None
    # What one rule keeps up may put off a lowering that another must know of; all only raise, so this ends.
    while before is None or (before != sizes).any():
        before = sizes.copy()
        _raise_together(sizes, _cells(policy.cooldown_up, policy))
        _keep_direction(sizes, _cells(policy.no_reversal, policy))
        _lower_apart(sizes, _cells(policy.cooldown_down, policy))
        _descend(sizes, policy, current)
        _climb(sizes, policy)
        _freeze(sizes, frozen, current)
    _reach(sizes, policy, frozen, current)
    return sizes


def limits_change(policy: Policy) -> bool:
    """Tell whether the policy says anything of how capacity may change."""
    times = policy.cooldown_up or policy.cooldown_down or policy.no_reversal
    return bool(times or policy.max_step_up or policy.max_step_down or policy.freezes)


def _cells(duration: timedelta, policy: Policy) -> int:
    return math.ceil(duration / policy.granularity)


def _raise_together(sizes: Sizes, cooldown: int) -> None:
    """Make all raises within a cooldown one, at the earliest time: as few as can be with no more shortage.

    The action plan of Netflix's Scryer follows the same rule.
    """
    for cell in range(1, len(sizes)):
        if cooldown > 1 and sizes[cell] > sizes[cell - 1]:
            window = sizes[cell : cell + cooldown]
            window[:] = np.maximum.accumulate(window[::-1])[::-1]


def _keep_direction(sizes: Sizes, window: int) -> None:
    """Stay up after a raise, and skip a lowering that a raise would follow within the window."""
    for cell in range(1, len(sizes)):
        if window > 1 and sizes[cell] < sizes[cell - 1]:
            coming = sizes[cell : cell + window]
            coming[:] = np.maximum.accumulate(coming[::-1])[::-1]
        if window > 1 and sizes[cell] > sizes[cell - 1]:
            coming = sizes[cell : cell + window]
            coming[:] = np.maximum.accumulate(coming)


def _lower_apart(sizes: Sizes, cooldown: int) -> None:
    """Put off a lowering that follows another too soon."""
    last = -cooldown
    for cell in range(1, len(sizes)):
        if sizes[cell] >= sizes[cell - 1]:
            continue
        if cell - last < cooldown:
            sizes[cell] = sizes[cell - 1]
        else:
            last = cell


def _climb(sizes: Sizes, policy: Policy) -> None:
    """Begin a great rise early, so that no cooldown sees more of it than one step."""
    step = policy.max_step_up
    if step is None:
        return
    apart = max(1, _cells(policy.cooldown_up, policy))
    need = sizes.copy()
    for count in _steps(need, step, apart):
        np.maximum(sizes, leading_max(need, 1 + count * apart) - count * step, out=sizes)


def _reach(sizes: Sizes, policy: Policy, frozen: list[slice], current: int | None) -> None:
    """Rise from the present no faster than the policy allows, and not at all within a freeze."""
    step = policy.max_step_up
    if step is None or current is None:
        return
    still = {cell for span in frozen for cell in range(span.start, span.stop)}
    reachable, free = current, 0
    for cell in range(len(sizes)):
        if cell >= free and cell not in still:
            reachable, free = reachable + step, cell + _cells(policy.cooldown_up, policy)
        sizes[cell] = min(sizes[cell], max(reachable, policy.min_size))


def _descend(sizes: Sizes, policy: Policy, current: int | None) -> None:
    """Stretch a great fall, so that no cooldown sees more of it than one step."""
    step = policy.max_step_down
    if step is None:
        return
    apart = max(1, _cells(policy.cooldown_down, policy))
    if current is not None:
        kept = current - step * (1 + np.arange(len(sizes)) // apart)
        np.maximum(sizes, np.minimum(kept, policy.ceiling), out=sizes)
    need = np.minimum(sizes, policy.ceiling)
    for count in _steps(need, step, apart):
        np.maximum(sizes, trailing_max(need, 1 + count * apart) - count * step, out=sizes)


def _steps(need: Sizes, step: int, apart: int) -> range:
    """Count the steps of the greatest change, as far as there is time for them."""
    return range(1, 1 + min(math.ceil(np.ptp(need) / step), math.ceil(len(need) / apart)))


def _span(freeze: Freeze, policy: Policy, start: datetime, count: int) -> slice | None:
    """Give the cells that a freeze touches, where there are any."""
    first = math.floor((freeze.start - start) / policy.granularity)
    last = math.ceil((freeze.end - start) / policy.granularity)
    return slice(max(first, 0), min(last, count)) if last > 0 and first < count else None


def _freeze(sizes: Sizes, frozen: list[slice], current: int | None) -> None:
    """Let nothing change within a freeze: its greatest need is met before it begins, or is too late to meet."""
    held = 0
    for span in sorted(frozen, key=lambda each: each.start):
        if current is not None and span.start <= held:
            held = max(held, span.stop)
            sizes[:held] = current
        else:
            inside = slice(max(span.start - 1, 0), span.stop)
            sizes[inside] = sizes[inside].max()
