"""Calibration: what is learnt once in some hours and used every hour, kept between processes as plain JSON.

`calibrate` tries every guess at earlier origins and remembers what came of it; `refresh` fits the curves to what is
known now, and weighs them and their quantiles as the calibration says.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from forecasting.carry import UNTRIED
from forecasting.errors import InvalidCalibration, InvalidRequest, shown
from forecasting.forecast import checked_quantiles
from forecasting.forecaster import parts
from forecasting.learnt import Learnt
from forecasting.models import model
from forecasting.models.blended import Blended
from forecasting.panel import DAY
from forecasting.prepared import grouped, panel, read_back
from forecasting.request import QUANTILES, WORKERS, Request
from forecasting.side_by_side import side_by_side
from forecasting.slots import Slots

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from forecasting.demand import Demand
    from forecasting.event import Event
    from forecasting.forecast import Forecast
    from forecasting.prepared import Prepared

_FORMAT = "calibration/1"
_PARTS = ("weights", "away", "carry", "error")
_GREATEST = 1e6  # Nothing learnt is greater: weights are shares, distances logarithms, errors in units of the mean.


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibration:
    """What was learnt of each series, for one engine, horizon and set of quantiles."""

    engine: str
    horizon: timedelta
    quantiles: tuple[float, ...]
    steps: dict[str, timedelta] = field(default_factory=dict)
    learnt: dict[str, Learnt] = field(default_factory=dict)

    @property
    def terms(self) -> tuple[str, timedelta, tuple[float, ...]]:
        """What it was learnt for."""
        return self.engine, self.horizon, self.quantiles

    def carry(self, name: str) -> tuple[float, ...]:
        """Tell how much of a miss stays after the leads of a tick."""
        known = self.learnt.get(name)
        return UNTRIED if known is None else tuple(known.carry[0].tolist())

    def error(self, name: str) -> float:
        """Tell how far the trials were off, in units of the mean; one that was never tried is off by anything."""
        known = self.learnt.get(name)
        return math.inf if known is None else float(known.error[0])

    def of(self, names: Iterable[str]) -> Calibration:
        """Keep what was learnt of some series."""
        known = [name for name in names if name in self.learnt]
        return replace(
            self,
            steps={name: self.steps[name] for name in known},
            learnt={name: self.learnt[name] for name in known},
        )

    @classmethod
    def joined(cls, parts: Sequence[Calibration]) -> Calibration:
        """Bring calibrations of one engine, horizon and set of quantiles together."""
        first = parts[0]
        if any(each.terms != first.terms for each in parts):
            msg = "calibrations of different engines, horizons or quantiles cannot be joined: calibrate again"
            raise InvalidRequest(msg)
        steps = {name: step for each in parts for name, step in each.steps.items()}
        learnt = {name: learnt for each in parts for name, learnt in each.learnt.items()}
        return replace(first, steps=steps, learnt=learnt)

    def to_json(self) -> str:
        """Write versioned, plain JSON."""
        series = {
            name: {"step_seconds": self.steps[name].total_seconds(), **_plain(learnt)}
            for name, learnt in self.learnt.items()
        }
        return json.dumps(
            {
                "format": _FORMAT,
                "engine": self.engine,
                "horizon_seconds": self.horizon.total_seconds(),
                "quantiles": list(self.quantiles),
                "series": series,
            }
        )

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read what `to_json` wrote."""
        try:
            data = _current(json.loads(text))
            quantiles = checked_quantiles(tuple(data["quantiles"]), InvalidCalibration)
            return cls(
                engine=data["engine"],
                horizon=timedelta(seconds=data["horizon_seconds"]),
                quantiles=quantiles,
                steps={name: timedelta(seconds=each["step_seconds"]) for name, each in data["series"].items()},
                learnt={name: _read(name, each, len(quantiles)) for name, each in data["series"].items()},
            )
        except InvalidCalibration:
            raise
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
            msg = f"not the JSON of a calibration ({type(error).__name__}: {error}): write it with to_json()"
            raise InvalidCalibration(msg) from error


def calibrate(  # noqa: PLR0913  (as forecast_many: all but the demands have defaults)
    demands: Mapping[str, Demand],
    *,
    horizon: timedelta = timedelta(hours=48),
    quantiles: tuple[float, ...] = QUANTILES,
    engine: str = "ensemble",
    timezone: str = "UTC",
    events: Sequence[Event] = (),
    country: str | None = None,
) -> Calibration:
    """Learn from trials at earlier origins; a series too short to be tried is left out, and forecast afresh."""
    asked = Request(
        horizon=horizon,
        quantiles=quantiles,
        engine=engine,
        timezone=timezone,
        events=tuple(events),
        country=country,
        workers=WORKERS,
    )
    _blended(engine)
    nothing = Calibration(engine=engine, horizon=horizon, quantiles=asked.quantiles)
    made = side_by_side(partial(_calibrated, asked=asked), parts(demands, asked), WORKERS)
    return Calibration.joined([nothing, *made])


def refresh(
    demands: Mapping[str, Demand],
    calibration: Calibration,
    *,
    timezone: str = "UTC",
    events: Sequence[Event] = (),
    country: str | None = None,
) -> dict[str, Forecast]:
    """Forecast with what was learnt before; series the calibration does not know are tried as they come."""
    asked = Request(
        horizon=calibration.horizon,
        quantiles=calibration.quantiles,
        engine=calibration.engine,
        timezone=timezone,
        events=tuple(events),
        country=country,
        workers=WORKERS,
    )
    _blended(calibration.engine)
    each_known = [(part, calibration.of(part)) for part in parts(demands, asked)]
    made = side_by_side(partial(_refreshed, asked=asked), each_known, WORKERS)
    found = {name: each for part in made for name, each in part.items()}
    return {name: found[name] for name in demands}


def learns(engine: str) -> bool:
    """Whether what an engine learns can be kept."""
    return isinstance(model(engine), Blended)


def _calibrated(demands: Mapping[str, Demand], asked: Request) -> Calibration:
    made = Calibration(engine=asked.engine, horizon=asked.horizon, quantiles=asked.quantiles)
    for names, series in grouped(demands, asked):
        _, learnt = _blended(asked.engine).learn(panel(series, asked))
        for row, name in enumerate(names if learnt else ()):
            made.learnt[name] = learnt.row(row)  # type: ignore[union-attr]
            made.steps[name] = series[row].step
    return made


def _refreshed(known: tuple[Mapping[str, Demand], Calibration], asked: Request) -> dict[str, Forecast]:
    demands, calibration = known
    found: dict[str, Forecast] = {}
    for names, series in grouped(demands, asked):
        for tried, part in _by_knowledge(names, series, calibration):
            some, members = [name for name, _ in part], [each for _, each in part]
            learnt = Learnt.joined([calibration.learnt[name] for name in some]) if tried else None
            outlook, _ = _blended(asked.engine).learn(panel(members, asked), learnt)
            found.update(read_back(some, members, outlook, asked))
    return found


def _by_knowledge(
    names: list[str], series: list[Prepared], calibration: Calibration
) -> list[tuple[bool, list[tuple[str, Prepared]]]]:
    """Part the series into those whose calibration holds, and those that have none of their step."""
    parts: dict[bool, list[tuple[str, Prepared]]] = defaultdict(list)
    for name, each in zip(names, series, strict=True):
        parts[calibration.steps.get(name) == each.step and _fits(calibration.learnt[name], each)].append((name, each))
    return list(parts.items())


def _fits(learnt: Learnt, series: Prepared) -> bool:
    """Tell whether it was learnt for as many parts of the horizon: a change of clocks may add one or take it away."""
    slots = Slots(per_day=DAY // series.step, phase=0, horizon=series.wall.horizon)
    return int(learnt.away.shape[2]) == len(slots.segments())


def _blended(engine: str) -> Blended:
    found = model(engine)
    if not isinstance(found, Blended):
        msg = f"engine {engine!r} learns nothing that could be kept: calibrate ensemble, or forecast with it afresh"
        raise InvalidRequest(msg)
    return found


def _plain(learnt: Learnt) -> dict[str, Any]:
    """Give the numbers of one series, to six digits."""
    return {part: _rounded(getattr(learnt, part)[0]) for part in _PARTS}


def _current(data: dict[str, Any]) -> dict[str, Any]:
    if data["format"] != _FORMAT:
        msg = f"format {data['format']!r} is not {_FORMAT!r}: calibrate again with this version"
        raise InvalidCalibration(msg)
    return data


def _rounded(values: Any) -> Any:
    numbers = np.asarray(values, dtype=np.float64)
    return [_rounded(each) for each in numbers] if numbers.ndim else float(f"{float(numbers):.6g}")


def _read(name: str, data: dict[str, Any], quantiles: int) -> Learnt:
    read = {part: np.array(data[part], dtype=np.float32) for part in _PARTS}
    segments = read["away"].shape[-1:]
    shapes = {"away": (quantiles, *segments), "weights": (*read["weights"].shape[:1], *segments), "error": ()}
    for part, numbers in read.items():
        shape = shapes.get(part, (len(UNTRIED),))
        if numbers.shape != shape or not (np.abs(numbers) <= _GREATEST).all():
            msg = f"{name}: {part} is {shown(data[part])}: it must be numbers in the shape of {shape}, calibrate again"
            raise InvalidCalibration(msg)
    return Learnt(**{part: numbers[None] for part, numbers in read.items()})
