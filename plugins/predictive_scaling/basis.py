"""What a fleet's plan is drawn from: read, and judged. What cannot be read keeps no person's word from being obeyed."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from forecasting import ForecastingError
from predictive_scaling.errors import NoHistory, PredictiveScalingError, unforeseen
from predictive_scaling.permission import May, Permission

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from forecasting import Forecast
    from forecasting.accuracy import Accuracy
    from forecasting.override import Override
    from predictive_scaling.circumstances import Circumstances
    from predictive_scaling.fleet_spec import FleetSpec

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What a plan is drawn from, or why it cannot be had."""

    forecast_id: str | None = None
    forecasts: tuple[Forecast, ...] = ()  # of each load, or none
    accuracies: dict[str, Accuracy] = field(default_factory=dict)
    missing: str = ""  # why there is no forecast
    trouble: str = ""  # why nothing could be read
    followed: bool = False  # what is scheduled goes on in spite of it

    @property
    def untold(self) -> tuple[str, ...]:
        """Say why no plan was drawn, where a person's word was obeyed in spite of it."""
        return (f"no plan was drawn, a person's word is obeyed: {self.trouble}",) if self.trouble else ()


def basis_of(
    spec: FleetSpec, around: Circumstances, may: Permission, overrides: Sequence[Override], now: datetime
) -> tuple[Basis, Permission]:
    """Give what a plan is drawn from, and what may be written by it.

    Where there is no forecast a person's word still holds, and what was scheduled can be taken back. While files cannot
    be read it rules alone, where it can.
    """
    alone = _rules_alone(may, overrides, now)
    try:
        found = _read(spec, around, now, budgets=alone and may.may is May.PLAN)
    except Exception as error:
        if not alone:
            raise
        trouble = _in_words(spec, error)
        unseen = Basis(trouble=trouble, followed=may.may is May.PLAN)
        return unseen, Permission(min(may.may, May.OVERRIDE), may.reason or trouble)
    return found, Permission(min(may.may, May.OVERRIDE), found.missing) if found.missing else may


def _rules_alone(may: Permission, overrides: Sequence[Override], now: datetime) -> bool:
    """Whether a person's word can be obeyed without a plan: a stop can, any other until one is over.

    The way back from it is a plan; and what stays as it was scheduled is what was planned before.
    """
    under_way = all(each.over_at is None or now < each.over_at for each in overrides)
    return bool(overrides) and may.may is not May.NOTHING and (may.back or under_way)


def _read(spec: FleetSpec, around: Circumstances, now: datetime, *, budgets: bool) -> Basis:
    """Read each load's newest forecast, and how forecasts fared; one that has ended is none."""
    accuracies = around.storage.accuracies(spec)
    try:
        ids, forecasts = zip(*map(around.storage.newest_forecast, spec.loads), strict=True)
    except NoHistory as error:
        return Basis(accuracies=accuracies, missing=str(error))
    if (end := min(each.end for each in forecasts)) <= now:
        ended = f"the forecast ended at {end.isoformat()}, before now ({now.isoformat()})"
        missing = f"fleet {spec.name}: {ended}: see why forecast_demand makes no new one"
        return Basis(accuracies=accuracies, missing=missing)
    if budgets:
        _ = around.cost_gate.budgets
    return Basis(forecast_id=ids[0], forecasts=forecasts, accuracies=accuracies)


def _in_words(spec: FleetSpec, error: Exception) -> str:
    if isinstance(error, PredictiveScalingError | ForecastingError):
        return str(error)
    _log.error("%s: what plans are drawn from cannot be read", spec.name, exc_info=error)
    return unforeseen(error)
