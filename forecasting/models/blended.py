"""What the batched engines share: logarithms, trials at earlier origins, quantiles from them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from forecasting.blend import Blend, origins
from forecasting.carry import learnt_carry
from forecasting.errors import InvalidCalibration
from forecasting.gaps import fill
from forecasting.guesses import Guesses
from forecasting.hourly import hourly_pattern
from forecasting.interval import CAP, OFFSET, distances, over_horizon, time_of_day_scale
from forecasting.learnt import Learnt
from forecasting.level_shift import LASTING_HOURS, find_shifts, forgotten, rebased
from forecasting.models.seasonal_naive import SeasonalNaive
from forecasting.one_week import share_of_its_kind, share_of_last_week
from forecasting.panel import Outlook, Panel
from forecasting.seasons import around
from forecasting.silence import find_beginnings, find_silences
from forecasting.skipped import skipped_work
from forecasting.slots import Slots
from forecasting.values import block_means, median_of, quantiles_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from forecasting.curve import Curve
    from forecasting.silence import Beginning, Silence
    from forecasting.values import Values

DAYS_FROM = 3
WEEKS_FROM = 14
FINEST = timedelta(minutes=5)


class Blended:
    """An engine that blends guesses by their errors at earlier origins.

    `curves` makes the curves for a grid of slots and a number of days of history; `all_kinds` adds what is no curve.
    """

    batch = 64  # Four weeks of so many series stay near the processor, with all that is made of them.

    def __init__(self, name: str, curves: Callable[[Slots, float], list[Curve]], *, all_kinds: bool) -> None:
        """Name the engine and its guesses."""
        self.name = name
        self._curves, self._all_kinds = curves, all_kinds

    def predict(self, panel: Panel) -> Outlook:
        """Forecast every series."""
        return self.learn(panel)[0]

    def learn(self, panel: Panel, learnt: Learnt | None = None) -> tuple[Outlook, Learnt | None]:
        """Forecast, and give what the trials taught; what they taught before makes new ones needless."""
        if panel.days < DAYS_FROM:
            outlook = SeasonalNaive().predict(panel)
            reasons = tuple(f"{each}; {self.name} needs 3 days" for each in outlook.reasons)
            return replace(outlook, reasons=reasons), None
        return self._learn(_whole_blocks(panel), learnt)

    def _learn(self, panel: Panel, known: Learnt | None) -> tuple[Outlook, Learnt]:
        whole = fill(panel.values, panel.per_day).astype(np.float32)
        slots = _slots(panel, 1)
        high, highest = quantiles_of(whole, (0.995, 0.999)).T[:, :, None]
        # A single absurd value would stretch the mean, and with it the logarithms; a level that lasts is none.
        lasting = median_of(whole[:, -slots.of(LASTING_HOURS) :], axis=1)[:, None]
        values = np.minimum(whole, 3 * np.maximum(high, lasting) + 1e-9)
        draft = _Draft(*self._forecast(values, panel, known), highest)
        moved = self._follow_shifts(draft, values, panel)
        for row in set(skipped_work(values, slots)) - moved:
            self._cover_last_day(draft, values, row, panel)
        for beginning in find_beginnings(whole, slots):
            self._begin(draft, beginning, panel)
            draft.highest[beginning.row] = whole[beginning.row].max()
        silences = [each for each in find_silences(panel.values, whole, slots) if each.row not in moved]
        for age in {each.age for each in silences}:  # What is down with all that is behind it fell silent together.
            self._overlook(draft, [each for each in silences if each.age == age], panel)
        quantiles = np.clip(draft.quantiles, 0.0, CAP * draft.highest[:, :, None])
        names = (self.name,) * len(whole)
        return Outlook(values=quantiles, engines=names, reasons=tuple(draft.reasons)), draft.learnt

    def _follow_shifts(self, draft: _Draft, values: Values, panel: Panel) -> set[int]:
        """Move the series whose level has changed; give their rows."""
        size = _block(panel)
        shifts = [
            replace(found, age=found.age * size) for found in find_shifts(_blocks(values, size), _slots(panel, size))
        ]
        for shift in shifts:
            row = panel.row(shift.row)
            # What was learnt of the series as it is, its shift for the greatest of errors, is not true of these.
            after, _, _ = self._forecast(rebased(values, shift)[None], row, None)
            if shift.factor < 1 and not shift.settled:
                # The hours of a fall would drag the old level down with them.
                risen = fill(forgotten(values, shift)[None], panel.per_day)
                draft.quantiles[shift.row] = self._forecast(risen, row, None)[0][0]
            before = draft.quantiles[shift.row]
            if shift.settled and shift.factor > 1:
                draft.quantiles[shift.row] = _risen(before, after[0], panel.quantiles)
            else:
                draft.quantiles[shift.row] = _either(before, after[0], panel.quantiles, follow=shift.settled)
            draft.reasons[shift.row] += f"; {shift.told(panel.step)}"
            # What was never seen before a rise is just what the new level promises.
            draft.highest[shift.row] *= max(1.0, shift.factor)
        return {shift.row for shift in shifts}

    def _cover_last_day(self, draft: _Draft, values: Values, row: int, panel: Panel) -> None:
        """Cover what a series would do if nobody had measured the last day, in which it skipped its work."""
        usual = values[row, None].copy()
        usual[:, -panel.per_day :] = np.nan
        as_ever, _, _ = self._forecast(fill(usual, panel.per_day), panel.row(row), None)
        draft.quantiles[row] = _either(draft.quantiles[row], as_ever[0], panel.quantiles, follow=False)
        draft.reasons[row] += "; its last day skipped what came at that time of other days: p90 covers both"

    def _begin(self, draft: _Draft, beginning: Beginning, panel: Panel) -> None:
        """Forecast a series by what came since it began."""
        row, skipped = beginning.row, panel.length - beginning.age
        start = panel.start + skipped * panel.step
        outlook = self.predict(replace(panel.row(row), values=panel.values[row, None, skipped:], start=start))
        draft.quantiles[row] = outlook.values[0]
        draft.reasons[row] = f"{outlook.reasons[0]}; there was nothing before"

    def _overlook(self, draft: _Draft, silences: Sequence[Silence], panel: Panel) -> None:
        """Forecast series as if their silence had not begun; of a failure nobody knows how long it goes on."""
        size = _block(panel)
        age = -(-silences[0].age // size) * size
        values = panel.values[[each.row for each in silences], :-age]
        outlook, _ = self._learn(replace(panel, values=values, horizon=panel.horizon + age), None)
        for silence, before in zip(silences, outlook.values[:, :, age:], strict=True):
            either = _either(draft.quantiles[silence.row], before, panel.quantiles, follow=True)
            draft.quantiles[silence.row] = either if silence.failed else before
            draft.reasons[silence.row] += f"; {silence.told(panel.step)}"

    def _forecast(self, values: Values, panel: Panel, learnt: Learnt | None) -> tuple[Values, list[str], Learnt]:
        """Give quantiles (series, quantiles, horizon), the reasons, and what was learnt by trial."""
        size = _block(panel)
        slots = _slots(panel, size)
        mean = np.maximum(values.mean(axis=1, keepdims=True), 1e-30)
        fine = np.log(values / mean + OFFSET)
        pattern = hourly_pattern(fine, _slots(panel, 1))
        fine -= around(pattern, 0, panel.length)
        logs = np.log(_blocks(np.exp(fine), size)) if size > 1 else fine
        tried = origins(logs.shape[1], slots) if learnt is None else []
        curves = self._curves(slots, panel.days)
        guesses = Guesses(logs, slots, curves, origins=tried, all_kinds=self._all_kinds)
        scale = time_of_day_scale(_finer(np.abs(guesses.residuals), size), panel.per_day)
        if learnt is None:
            missing = _unmeasured(panel, slots, size)
            # A block of which something was measured is known: so a series sampled now and then is judged too.
            truth, fine = _without(logs, _blocks(missing, size) > 1 - 0.5 / size), _without(fine, missing == 1)
            blend = Blend.tried(guesses, truth)
            # The quantiles are those of the series' own slots, which swing more than the blocks that were modelled.
            trials = [(origin * size, _finer(guess, size)) for origin, guess in blend.trials]
            away = distances(fine, trials, scale, _slots(panel, 1), panel.quantiles)
            carry = learnt_carry(fine, trials, _slots(panel, 1))
            learnt = Learnt(weights=blend.weights, away=away, carry=carry, error=blend.error(truth))
        weighed, made = learnt.weights.shape[1], len(guesses.names)
        if weighed != made:
            msg = f"{weighed} guesses were weighed, {self.name} makes {made}: calibrate again with this version"
            raise InvalidCalibration(msg)
        blend = Blend(weights=learnt.weights, segments=slots.segments())
        best, leaning = self._best(guesses, blend, learnt.error)
        best, leaning = _finer(best, size)[:, : panel.horizon], _finer(leaning, size)[:, : panel.horizon]
        away = over_horizon(learnt.away, scale, _slots(panel, 1))
        # The trials saw how the blend errs, and nothing of how a week errs that comes for the second time.
        away[:, np.array(panel.quantiles) == 0.5] *= 1 - leaning[:, None, :]
        best = best + around(pattern, panel.length, panel.length + panel.horizon)
        quantiles = (np.exp(best[:, None, :] + away) - OFFSET) * mean[:, :, None]
        leans = leaning.mean(axis=1).tolist()
        leant_on = "last week" if panel.length >= panel.per_week else "a day of its kind"
        blended = [_known_by_name(each, panel) for each in blend.shares(guesses.names)]
        shares = [_with_leaning(each, leant_on, lean) for each, lean in zip(blended, leans, strict=True)]
        reasons = [_reason(each, panel) for each in shares]
        return np.maximum.accumulate(np.maximum(quantiles, 0.0), axis=1), reasons, learnt

    def _best(self, guesses: Guesses, blend: Blend, error: Values) -> tuple[Values, Values]:
        """Blend the guesses of now, leaning on what was seen of a week, and tell how far: two of (series, horizon)."""
        length, slots = guesses.logs.shape[1], guesses.slots
        now = guesses.at(length)
        best = blend.mix(now)
        if not self._all_kinds or length >= 2 * slots.per_week:
            return best, np.zeros_like(best)
        if length < slots.per_week:
            share, usual = share_of_its_kind(np.exp(guesses.logs), slots)
            return (1 - share) * best + share * np.log(usual), share
        share = share_of_last_week(np.exp(guesses.logs), slots, error)
        return (1 - share) * best + share * now[:, guesses.names.index("last week")], share


@dataclass(slots=True)
class _Draft:
    """The forecast of a chunk, of which some series have yet to be seen to; `highest` is about the most ever seen."""

    quantiles: Values
    reasons: list[str]
    learnt: Learnt
    highest: Values


def _known_by_name(shares: dict[str, float], panel: Panel) -> dict[str, float]:
    """Where nobody has seen the same time last week, what repeats it is yesterday by another name."""
    unseen = (panel.per_week - panel.length) / panel.horizon
    if unseen <= 0 or "last week" not in shares:
        return shares
    moved = min(unseen, 1.0) * shares["last week"]
    return {**shares, "last week": shares["last week"] - moved, "yesterday": shares["yesterday"] + moved}


def _with_leaning(shares: dict[str, float], leant_on: str, lean: float) -> dict[str, float]:
    less = {name: (1 - lean) * share for name, share in shares.items()}
    return {**less, leant_on: less.get(leant_on, 0.0) + lean} if lean else shares


def _either(before: Values, after: Values, quantiles: tuple[float, ...], *, follow: bool) -> Values:
    """Cover both levels at the edges, and take one of them in the middle."""
    side = np.sign(np.array(quantiles) - 0.5)[:, None]
    outer = np.where(side > 0, np.maximum(before, after), np.minimum(before, after))
    return np.maximum.accumulate(np.where(side == 0, after if follow else before, outer), axis=0)


def _risen(before: Values, after: Values, quantiles: tuple[float, ...]) -> Values:
    """Follow a rise that is sure to stay: the trials before it erred by the rise itself, which is no error to come."""
    below = np.array(quantiles)[:, None] < 0.5
    return np.maximum.accumulate(np.where(below, np.minimum(before, after), after), axis=0)


def _block(panel: Panel) -> int:
    """Count the slots that make the finest step worth modelling."""
    size = FINEST // panel.step
    return size if size > 1 and size * panel.step == FINEST else 1


def _whole_blocks(panel: Panel) -> Panel:
    """Leave out the first slots if they do not fill a block."""
    skip = panel.length % _block(panel)
    return replace(panel, values=panel.values[:, skip:], start=panel.start + skip * panel.step)


def _blocks(values: Values, size: int) -> Values:
    return values if size == 1 else block_means(values, size)


def _finer(values: Values, size: int) -> Values:
    return values if size == 1 else np.repeat(values, size, axis=1)


def _slots(panel: Panel, size: int) -> Slots:
    return Slots(per_day=panel.per_day // size, phase=panel.phase // size, horizon=-(-panel.horizon // size))


def _unmeasured(panel: Panel, slots: Slots, size: int) -> Values:
    """Tell with ones what no guess can be judged by; of a series with too little else to judge by, nothing."""
    missing = np.isnan(panel.values)
    judged = missing[:, min(origins(panel.length // size, slots)) * size :]
    enough = (~judged).sum(axis=1, keepdims=True) >= panel.per_day
    return np.asarray(missing & enough, dtype=np.float32)


def _without(logs: Values, missing: np.ndarray) -> Values:
    return np.asarray(np.where(missing, np.nan, logs), dtype=logs.dtype) if missing.any() else logs


def _reason(shares: dict[str, float], panel: Panel) -> str:
    ranked = sorted(shares.items(), key=lambda item: -item[1])
    shown = ", ".join(f"{name} {share:.0%}" for name, share in ranked[:4])
    if panel.days >= WEEKS_FROM:
        allows = "enough for the week"
    elif panel.days >= 6:
        allows = "enough for the day, hardly for the week (14 days would be)"
    else:
        allows = "enough for a first shape of the day (6 days show it better, 14 the week)"
    return f"{shown}, from {panel.days:.0f} days of history, {allows}"
