"""A bound in time made a bound on the ids of events as well.

Without it, asking for a day of last spring, newest first, would walk through everything since.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa

from predictive_scaling.ledger.tables import scaling_event

SKEW: Final = timedelta(hours=1)
"""Ids rise with time but for clocks that differ and transactions that last: by less than this."""
_EARLIEST: Final = datetime(1, 1, 2, tzinfo=UTC)
_LATEST: Final = datetime(9999, 12, 30, tzinfo=UTC)


def first_id(*, since: datetime) -> sa.ScalarSelect[int]:
    """Give an id that no event since then is below; null, and so no event, when there is none."""
    other = scaling_event.alias()
    earliest = max(since, _EARLIEST) - SKEW
    return sa.select(other.c.id).where(other.c.at >= earliest).order_by(other.c.at).limit(1).scalar_subquery()


def last_id(*, until: datetime) -> sa.ScalarSelect[int]:
    """Give an id that no event before then is above; null, and so no event, when there is none."""
    other = scaling_event.alias()
    latest = min(until, _LATEST) + SKEW
    return sa.select(other.c.id).where(other.c.at < latest).order_by(other.c.at.desc()).limit(1).scalar_subquery()
