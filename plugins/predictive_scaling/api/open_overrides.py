"""The overrides of all fleets that are not over, in one look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from forecasting.override import Override, OverrideKind
from predictive_scaling.ledger.connection import in_utc
from predictive_scaling.ledger.tables import scaling_override

if TYPE_CHECKING:
    from collections.abc import Sequence

_SAME = ("id", "fleet", "reason", "actor", "min_size", "max_size", "max_before", "group_id")
_INSTANTS = ("starts_at", "ends_at", "created_at", "ended_at")


class OpenOverrides:
    """Looks through `scaling_override`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def all(self) -> Sequence[Override]:
        """Give those that no fleet has been seen to be back from, the newest first."""
        table = scaling_override.c
        query = sa.select(scaling_override).where(table.returned_at.is_(None))
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(table.created_at.desc(), table.id)).mappings().all()
        return tuple(
            Override(
                kind=OverrideKind(row["kind"]),
                **{name: row[name] for name in _SAME},
                **{name: in_utc(row[name]) for name in _INSTANTS},  # type: ignore[arg-type]
            )
            for row in rows
        )
