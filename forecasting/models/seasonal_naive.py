"""The yardstick and the last resort: tomorrow will be as the same day last week was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forecasting.gaps import fill
from forecasting.interval import ceiling, offset, spread
from forecasting.panel import Outlook

if TYPE_CHECKING:
    from forecasting.panel import Panel
    from forecasting.values import Values

WEEKS_FROM = 14
DAYS_FROM = 2


class SeasonalNaive:
    """Repeat last week from 14 days of history on, yesterday from 2 days on, else the level of the last hours."""

    name = "seasonal_naive"
    batch = 400

    def predict(self, panel: Panel) -> Outlook:
        """Repeat the last period; the quantiles come from how well the period before it foretold it."""
        values = fill(panel.values, panel.per_day)
        season, reason = _season(panel)
        add = offset(values)
        logs = np.log(values + add)
        guess = repeat(logs, season, panel.horizon) if season else level(logs, panel)
        distances = spread(_errors(logs, season), panel.quantiles)
        quantiles = np.exp(guess[:, None, :] + distances[:, :, None]) - add[:, :, None]
        return Outlook(
            values=np.clip(quantiles, 0.0, np.maximum(ceiling(values), values.max(axis=1, keepdims=True))[:, :, None]),
            engines=(self.name,) * len(values),
            reasons=(reason,) * len(values),
        )


def instead(panel: Panel, why: str) -> Outlook:
    """Serve in the place of an engine that cannot, and say why."""
    outlook = SeasonalNaive().predict(panel)
    return Outlook(
        values=outlook.values,
        engines=outlook.engines,
        reasons=tuple(f"{why}; instead {each}" for each in outlook.reasons),
    )


def repeat(values: Values, season: int, horizon: int) -> Values:
    """Repeat the last season over the horizon."""
    last = values.shape[1] - season
    return np.asarray(values[:, last + np.arange(horizon) % season])


def level(values: Values, panel: Panel) -> Values:
    """Start at the mean of the last hour and settle, over some hours, at the median."""
    hour = max(1, panel.per_day // 24)
    share = 0.5 ** (np.arange(1, panel.horizon + 1) / (6 * hour))
    recent = values[:, -hour:].mean(axis=1, keepdims=True)
    usual = np.median(values, axis=1, keepdims=True)
    return np.asarray(share * recent + (1 - share) * usual)


def _season(panel: Panel) -> tuple[int, str]:
    if panel.days >= WEEKS_FROM:
        return panel.per_week, f"the same time last week, known from {panel.days:.0f} days of history"
    if panel.days >= DAYS_FROM:
        return panel.per_day, f"the same time yesterday: {panel.days:.1f} days of history do not show a week twice"
    hours = panel.days * 24
    known = f"{hours:.0f} hours" if hours >= 1.5 else f"{hours * 60:.0f} minutes"
    return 0, f"the level of the last hours: {known} of history do not show a day twice"


def _errors(logs: Values, season: int) -> Values:
    if season:
        return np.asarray(logs[:, season:] - logs[:, :-season])
    return np.asarray(logs - np.median(logs, axis=1, keepdims=True))
