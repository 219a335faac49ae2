"""Asking about one fleet after another, connection by connection, so that no fleet's trouble becomes another's."""

from __future__ import annotations

import logging
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, Final, TypeVar

from predictive_scaling.errors import unforeseen
from predictive_scaling.sources import SourceUnavailable, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from predictive_scaling.fleet_spec import FleetSpec

_log: Final = logging.getLogger(__name__)
S = TypeVar("S")
T = TypeVar("T")


def in_turn(
    fleets: Sequence[FleetSpec], *, reach: Callable[[str], S], ask: Callable[[S, FleetSpec], T]
) -> tuple[dict[str, T], dict[str, str]]:
    """Give the answers and the problems by the fleet's name; each connection is reached once."""
    reach = cache(reach)
    answers: dict[str, T] = {}
    problems: dict[str, str] = {}
    for connection, group in groupby(sorted(fleets, key=_connection), key=_connection):
        down: Unreachable | None = None
        for fleet in group:
            if down:
                problems[fleet.name] = str(down)
                continue
            try:
                answers[fleet.name] = ask(reach(connection), fleet)
            except Unreachable as error:
                # The others behind the same connection would each wait for the same silence.
                down = error
                problems[fleet.name] = str(error)
            except SourceUnavailable as error:
                problems[fleet.name] = str(error)
            except Exception as error:  # noqa: BLE001 - whatever an answer makes a parser or a driver trip over
                _log.exception("%s: %s cannot be read", fleet.name, fleet.metric.described)
                problems[fleet.name] = f"{fleet.metric.described} cannot be read: {unforeseen(error)}"
    return answers, problems


def _connection(fleet: FleetSpec) -> str:
    return fleet.metric.reached_by or fleet.connection
