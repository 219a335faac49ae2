"""`airflow db migrate` makes the ledger's tables, the same ones however it gets there, and takes them away again."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from deployment import migrate

from demo.local_airflow import Place
from predictive_scaling.ledger.tables import metadata

if TYPE_CHECKING:
    from demo.local_postgres import LocalPostgres

TABLES = tuple(metadata.tables)
_numbers = itertools.count()


def a_database(request: pytest.FixtureRequest, kind: str, folder: Path) -> str:
    if kind == "sqlite":
        return f"sqlite:///{folder}/airflow{next(_numbers)}.db"
    server: LocalPostgres = request.getfixturevalue("postgres")
    return server.create_database(f"tables_{next(_numbers)}")


def shape(database: str) -> dict[str, Any]:
    """Everything the database says about our tables, in an order of its own."""
    look = sa.inspect(sa.create_engine(database))
    return {
        table: {
            "columns": sorted(
                (c["name"], str(c["type"]), c["nullable"], bool(c.get("identity"))) for c in look.get_columns(table)
            ),
            "primary key": look.get_pk_constraint(table),
            "indexes": sorted(
                (index["name"], index["column_names"], bool(index["unique"]), _texts(index.get("dialect_options", {})))
                for index in look.get_indexes(table)
            ),
            "unique": sorted(map(str, look.get_unique_constraints(table))),
            "checks": sorted(map(str, look.get_check_constraints(table))),
            "foreign keys": sorted(map(str, look.get_foreign_keys(table))),
        }
        for table in TABLES
    }


def _texts(options: dict[str, Any]) -> dict[str, str]:
    """A partial index's condition is an expression; its text is what counts."""
    return {name: str(value) for name, value in options.items()}


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_fresh_database_and_a_migrated_one_are_alike_and_a_downgrade_takes_the_tables_away(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    fresh, migrated = a_database(request, kind, tmp_path), a_database(request, kind, tmp_path)
    migrate(fresh)
    migrate(migrated, "--use-migration-files")
    assert shape(fresh) == shape(migrated)

    program = (
        "from airflow.utils.session import create_session\n"
        "from predictive_scaling.ledger.database import LedgerDatabase\n"
        "with create_session(scoped=False) as session:\n"
        "    LedgerDatabase(session).downgrade('base')\n"
    )
    env = Place(home=tmp_path / "home", cloud_url="", port=0, database=migrated).environment()
    env["PYTHONPATH"] += f":{Path(env['AIRFLOW__CORE__PLUGINS_FOLDER'])}"
    subprocess.run([sys.executable, "-c", program], env=env, check=True, capture_output=True)

    left = set(sa.inspect(sa.create_engine(migrated)).get_table_names())
    assert left & set(TABLES) == set()
    assert "dag_run" in left, "Airflow's own tables stay"
