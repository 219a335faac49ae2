"""Where each fleet stands at the gate, in the table `scaling_gate` and, for tests, in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

import sqlalchemy as sa

from forecasting.gate import Stage, Standing
from predictive_scaling.ledger.connection import engine_of_connection, in_utc, put_row
from predictive_scaling.ledger.records import utc_now
from predictive_scaling.ledger.store import tell
from predictive_scaling.ledger.tables import scaling_gate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from predictive_scaling.ledger import Ledger
    from predictive_scaling.ledger.records import Event

OTHER_METRIC: Final = (
    "since its last review its load is measured by another metric, or in another account: "
    "run review_fleets, or wait for its next run"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One fleet at the gate: where it stands, on what evidence, and how long its instances take to boot."""

    fleet: str
    standing: Standing
    actor: str
    measured_by: str  # the metrics it was judged on, as `FleetSpec.measured_by` names them
    evidence: Mapping[str, Any] | None = None
    reviewed_at: datetime | None = None
    boot: timedelta | None = None  # nine launches of ten were in service within it
    launches: int = 0  # how many it was learned from

    def on(self, measured_by: str) -> Gate:
        """Give it as it counts on these metrics: trust that was earned on others is none, the boot time holds."""
        if measured_by == self.measured_by:
            return self
        anew = self.standing.demoted(OTHER_METRIC, now=self.reviewed_at or self.standing.since)
        return replace(self, standing=anew, evidence=None, reviewed_at=None)


class Gates(Protocol):
    """Keeps the present of each fleet's gate."""

    def of(self, fleet: str) -> Gate | None:
        """Give one fleet's gate; None before its first review."""

    def all(self) -> Sequence[Gate]:
        """Give every fleet's gate, by name."""

    def save(self, gate: Gate, *told: Event) -> None:
        """Keep it, in place of the one before, and remember the events, all or none."""


class SqlGates:
    """Keeps the contract of `Gates` in SQL."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], datetime] = utc_now) -> None:
        self._engine = engine
        self._clock = clock

    @classmethod
    def from_connection(cls) -> SqlGates:
        """Reach the table as a task does."""
        return cls(engine_of_connection())

    def of(self, fleet: str) -> Gate | None:
        """Give one fleet's gate."""
        query = sa.select(scaling_gate).where(scaling_gate.c.fleet == fleet)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return _gate(row) if row else None

    def all(self) -> Sequence[Gate]:
        """Give every fleet's gate, by name."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(scaling_gate).order_by(scaling_gate.c.fleet)).mappings()
            return tuple(_gate(row) for row in rows)

    def save(self, gate: Gate, *told: Event) -> None:
        """Keep it, in place of the one before."""
        put_row(self._engine, scaling_gate, _row(gate), lambda connection: tell(connection, told, at=self._clock()))


class MemoryGates:
    """Keeps the contract of `Gates` for as long as the process lives."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: dict[str, Gate] = {}

    def of(self, fleet: str) -> Gate | None:
        """Give one fleet's gate."""
        return self._known.get(fleet)

    def all(self) -> Sequence[Gate]:
        """Give every fleet's gate, by name."""
        return tuple(self._known[fleet] for fleet in sorted(self._known))

    def save(self, gate: Gate, *told: Event) -> None:
        """Keep it, in place of the one before."""
        self._known[gate.fleet] = gate
        self._ledger.record(*told)


def _row(gate: Gate) -> dict[str, Any]:
    standing, figures = gate.standing, {"figures": gate.evidence} if gate.evidence else {}
    put_back = {"put_back": True} if standing.put_back else {}
    return {
        "fleet": gate.fleet,
        "stage": standing.stage.value,
        "since": standing.since,
        "reason": standing.reason,
        "failures": standing.failures,
        "evidence": {"measured_by": gate.measured_by, **put_back, **figures},
        "reviewed_at": gate.reviewed_at,
        "boot_seconds": gate.boot.total_seconds() if gate.boot is not None else None,
        "launches": gate.launches,
        "actor": gate.actor,
    }


def _gate(row: Mapping[Any, Any]) -> Gate:
    since = in_utc(row["since"])
    assert since is not None
    boot, judged = row["boot_seconds"], row["evidence"] or {}
    standing = Standing(
        stage=Stage(row["stage"]),
        since=since,
        reason=row["reason"],
        failures=row["failures"],
        put_back=judged.get("put_back", False),
    )
    return Gate(
        fleet=row["fleet"],
        standing=standing,
        actor=row["actor"],
        measured_by=judged.get("measured_by", ""),
        evidence=judged.get("figures"),
        reviewed_at=in_utc(row["reviewed_at"]),
        boot=None if boot is None else timedelta(seconds=boot),
        launches=row["launches"],
    )
