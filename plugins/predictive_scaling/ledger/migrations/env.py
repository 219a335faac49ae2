"""Alembic's entry: runs the ledger's migrations on Airflow's own engine."""

from __future__ import annotations

from typing import Any

from airflow import settings
from alembic import context

from predictive_scaling.ledger.database import LedgerDatabase


def _only_ours(_object: object, name: str | None, kind: str, *_args: object) -> bool:
    return kind != "table" or name in LedgerDatabase.metadata.tables


OPTIONS: dict[str, Any] = {
    "target_metadata": LedgerDatabase.metadata,
    "version_table": LedgerDatabase.version_table_name,
    "compare_type": True,
    "render_as_batch": True,
    "include_object": _only_ours,
}

if context.is_offline_mode():
    context.configure(url=settings.SQL_ALCHEMY_CONN, literal_binds=True, **OPTIONS)
    with context.begin_transaction():
        context.run_migrations()
else:
    assert settings.engine is not None
    with settings.engine.connect() as connection:
        context.configure(connection=connection, transaction_per_migration=True, **OPTIONS)
        with context.begin_transaction():
            context.run_migrations()
