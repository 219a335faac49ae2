"""The looks of a watch as they are worth keeping: each load beside the instances that it was measured on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from predictive_scaling.look import LoadSeen, Look, is_news

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from predictive_scaling.reaction import Sight, Watched
    from predictive_scaling.sources import Seen

REMEMBERED: Final = timedelta(hours=1)
"""For so long it is known how many instances there were: a load is measured before it is seen."""


@dataclass(slots=True)
class Lookbook:
    """Remembers which look of each fleet was kept, and how many instances it had when."""

    kept: dict[str, Look] = field(default_factory=dict)
    counts: dict[str, list[tuple[datetime, int]]] = field(default_factory=dict)

    def news(self, watched: Iterable[Watched], now: datetime) -> list[Look]:
        """Give the looks that are worth keeping."""
        looks = [self._look(each, now) for each in watched]
        there = {look.fleet for look in looks}
        for known in (self.kept, self.counts):
            for name in known.keys() - there:
                del known[name]
        return [look for look in looks if is_news(look, self.kept.get(look.fleet))]

    def keep(self, looks: Iterable[Look]) -> None:
        """Remember that these were kept."""
        self.kept |= {look.fleet: look for look in looks}

    def _look(self, watched: Watched, now: datetime) -> Look:
        name, group = watched.spec.name, watched.group
        counts = self.counts[name] = _counted(self.counts.get(name, ()), group.in_service, now)
        loads = tuple(_load(sight, sight.seen, counts) for sight in watched.sights if sight.seen)
        problem = "; ".join(sight.problem for sight in watched.sights if sight.problem)
        return Look.at_group(name, group, now, loads=loads, problem=problem or None)


def _load(sight: Sight, seen: Seen, counts: Sequence[tuple[datetime, int]]) -> LoadSeen:
    """Put a load beside the instances that it was of: more that came since serve what nobody has measured yet."""
    there = seen.instances if seen.instances is not None else _count_at(seen.at, counts)
    return LoadSeen(metric=sight.load.metric_identity, value=seen.whole, at=seen.at, instances=there)


def _counted(known: Sequence[tuple[datetime, int]], count: int, now: datetime) -> list[tuple[datetime, int]]:
    """Add a count where it is another; of those long ago the last one stays."""
    changed = not known or known[-1][1] != count
    every = [*known, (now, count)] if changed else list(known)
    old = [at for at, each in enumerate(every) if each[0] <= now - REMEMBERED]
    return every[old[-1] if old else 0 :]


def _count_at(when: datetime, counts: Sequence[tuple[datetime, int]]) -> int | None:
    return next((count for at, count in reversed(counts) if at <= when), None)
