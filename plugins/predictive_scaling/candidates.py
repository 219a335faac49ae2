"""Which instances to let go, in what order, and why not the others. Pure.

The unhealthy go first, then the oldest. Never a protected one, never the last that serves, never below the minimum,
and never more than the limits allow at once and in an hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from predictive_scaling.fleets import Instance, Observed

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many instances may leave at a time and in an hour, and how many left in the last one."""

    at_once: int = 5
    per_hour: int = 20
    last_hour: int = 0

    def __post_init__(self) -> None:
        if self.at_once < 1 or self.per_hour < 1:
            msg = f"at_once {self.at_once} and per_hour {self.per_hour} must be at least 1"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is let go with the reason of each, what stays with its reason, and what held the number down."""

    chosen: tuple[tuple[Instance, str], ...]
    spared: tuple[tuple[Instance, str], ...]
    bound: str = ""

    def story(self) -> list[str]:
        """Tell it to the person who reads the task log at night."""
        lines = [f"let go {instance.id} ({instance.zone}): {why}" for instance, why in self.chosen]
        lines += [f"keep {instance.id} ({instance.zone}): {why}" for instance, why in self.spared]
        return [*lines, *([self.bound] if self.bound else [])]


def candidates(observed: Observed, wanted: int, limits: Limits) -> Choice:
    """Choose at most `wanted` of the instances."""
    allowed, bound = _allowed(observed, wanted, limits)
    serving, room = sum(instance.serving for instance in observed.instances), observed.desired - observed.min_size
    chosen: list[tuple[Instance, str]] = []
    spared: list[tuple[Instance, str]] = []
    for instance in _ordered(each for each in observed.instances if not each.leaving):
        if why := _untouchable(instance):
            spared.append((instance, why))
        elif len(chosen) == allowed:
            continue
        elif instance.serving and serving <= 1:
            spared.append((instance, "the last one that serves"))
        elif instance.weight > room:
            spared.append((instance, f"its {instance.weight} units are more than the {room} above the minimum"))
        else:
            serving, room = serving - instance.serving, room - instance.weight
            chosen.append((instance, _why(instance)))
    return Choice(chosen=tuple(chosen), spared=tuple(spared), bound=bound)


def _allowed(observed: Observed, wanted: int, limits: Limits) -> tuple[int, str]:
    """The smallest of the limits, and its name if it is less than what is wanted."""
    leaving = sum(instance.leaving for instance in observed.instances)
    bounds = [
        (wanted, ""),
        (observed.desired - observed.min_size, f"the group's minimum is {observed.min_size}, of {observed.desired}"),
        (limits.at_once - leaving, f"{limits.at_once} may leave at once, and {leaving} are leaving"),
        (limits.per_hour - limits.last_hour, f"{limits.per_hour} may leave an hour, and {limits.last_hour} did"),
    ]
    number, why = min(bounds, key=lambda bound: bound[0])
    allowed = max(number, 0)
    return allowed, f"{allowed} of {wanted} may go: {why}" if why else ""


def _ordered(instances: Iterable[Instance]) -> list[Instance]:
    return sorted(instances, key=lambda each: (each.healthy, each.serving, each.launched_at or _LONG_AGO, each.id))


def _untouchable(instance: Instance) -> str:
    if instance.protected:
        return "protected from scale-in"
    return "" if instance.in_service else f"not in service but {instance.lifecycle}"


def _why(instance: Instance) -> str:
    if not instance.healthy:
        return "unhealthy"
    if not instance.serving:
        return f"not serving: {', '.join(instance.targets)} in its target groups"
    age = f"launched {instance.launched_at:%m-%d %H:%M} UTC" if instance.launched_at else "launch time unknown"
    return f"the oldest, {age}"
