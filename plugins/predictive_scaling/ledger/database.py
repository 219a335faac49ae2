"""Lets `airflow db migrate` create and migrate the ledger's tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from airflow.utils.db_manager import BaseDBManager

from predictive_scaling.ledger.tables import metadata as ledger_metadata

if TYPE_CHECKING:
    import sqlalchemy as sa

_HERE = Path(__file__).parent


class LedgerDatabase(BaseDBManager):
    """The tables `scaling_*` inside the Airflow metadata database."""

    metadata: sa.MetaData = ledger_metadata
    version_table_name: str = "alembic_version_predictive_scaling"
    migration_dir: str = str(_HERE / "migrations")
    alembic_file: str = str(_HERE / "migrations" / "alembic.ini")
    supports_table_dropping: bool = True
    revision_heads_map: dict[str, str] = {"0.1.0": "0007"}  # noqa: RUF012 - declared so by Airflow

    def downgrade(self, to_revision: str, from_revision: str | None = None, show_sql_only: bool = False) -> None:  # noqa: FBT001, FBT002 - Airflow's signature
        """Take the tables back to an earlier revision, or away with `base`."""
        from alembic import command

        revision = f"{from_revision}:{to_revision}" if from_revision and show_sql_only else to_revision
        config = self.get_alembic_config()  # type: ignore[no-untyped-call]
        command.downgrade(config, revision=revision, sql=show_sql_only)
