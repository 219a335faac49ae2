"""The way to the product's tables: the Airflow connection `scaling_ledger`, with an engine of our own.

A task may not use Airflow's own session, so the product opens its own connections, with no pool to inherit across a
fork. On Postgres the connection's role needs no more than `include/sql/ledger_role.sql` grants.
"""

from __future__ import annotations

from datetime import UTC
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from predictive_scaling.database_address import address_of
from predictive_scaling.errors import LedgerUnavailable, LedgerUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

CONNECTION: Final = "scaling_ledger"
_MISSING: Final = "no such "
"""So SQLite begins to say that a table or column is missing, which it counts among the failures of a database."""
_HOW_TO_CONNECT: Final = (
    f"define the Airflow connection {CONNECTION!r}, for example "
    f"AIRFLOW_CONN_{CONNECTION.upper()}='postgresql://scaling_ledger:PASSWORD@HOST:5432/airflow'"
)


def url_of_connection(conn_id: str) -> str:
    """Give the SQLAlchemy address an Airflow connection holds, in its `sqlalchemy_url` extra or in its fields."""
    from airflow.sdk import Connection

    try:
        connection = Connection.get(conn_id)
    except Exception as error:
        msg = f"the ledger cannot be reached: no Airflow connection {conn_id!r}; {_HOW_TO_CONNECT}"
        raise LedgerUnavailable(msg) from error
    if url := connection.extra_dejson.get("sqlalchemy_url"):
        return str(url)
    return str(connection.get_uri()).replace("postgres://", "postgresql+psycopg2://", 1)


def engine_of_connection(conn_id: str = CONNECTION) -> sa.Engine:
    """Give the engine a task reaches the tables with."""
    return engine_for(url_of_connection(conn_id))


@lru_cache
def engine_for(url: str) -> sa.Engine:
    """Make the engine for an address: no pool, and on SQLite patience with Airflow's own writes."""
    try:
        address = address_of(url)
        waits = {"timeout": 30} if address.get_backend_name() == "sqlite" else {"connect_timeout": 10}
        engine = sa.create_engine(address, poolclass=NullPool, connect_args=waits)
    except (SQLAlchemyError, ImportError) as error:
        msg = f"the ledger's connection {CONNECTION!r} has no usable address ({error}); {_HOW_TO_CONNECT}"
        raise LedgerUnavailable(msg) from error
    if address.get_backend_name() == "sqlite":
        sa.event.listen(engine, "connect", _make_durable)
    sa.event.listen(engine, "handle_error", _tell_what_may_pass)
    return engine


def _make_durable(connection: Any, _record: object) -> None:
    """An intent must survive a power cut, so SQLite syncs every commit; and foreign keys are kept."""
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _tell_what_may_pass(trouble: sa.ExceptionContext) -> None:
    """A database that is restarted, or locked, may answer the next time; a table that is not there needs a person."""
    error = trouble.sqlalchemy_exception
    if not isinstance(error, OperationalError | InterfaceError) or _MISSING in str(error.orig):
        return
    place = trouble.engine.url.render_as_string(hide_password=True) if trouble.engine else CONNECTION
    msg = (
        f"the ledger in {place} gave no answer ({first_line(error)}): try again in a moment; if it goes on, see that "
        f"its database runs and that the connection {CONNECTION!r} is right"
    )
    raise LedgerUnreachable(msg) from error


def first_line(error: SQLAlchemyError) -> str:
    """Give what the database itself said, without the statement."""
    cause = getattr(error, "orig", None) or error
    return next(iter(str(cause).strip().splitlines()), type(cause).__name__)


def put_row(
    engine: sa.Engine,
    table: sa.Table,
    row: dict[str, Any],
    beside: Callable[[sa.Connection], None] = lambda _connection: None,
) -> None:
    """Write the present of a thing, and what is written beside it: replace the row of the same key, or make it."""
    key = sa.and_(*(column == row[column.name] for column in table.primary_key))
    replacing = sa.update(table).where(key).values(row)
    try:
        with engine.begin() as connection:
            if not connection.execute(replacing).rowcount:
                connection.execute(sa.insert(table), row)
            beside(connection)
    except IntegrityError:  # another task made the row between our look and our insert
        with engine.begin() as connection:
            connection.execute(replacing)
            beside(connection)


def in_utc(instant: datetime | None) -> datetime | None:
    """SQLite gives instants back without their zone; all of ours are UTC."""
    return instant.replace(tzinfo=UTC) if instant and instant.tzinfo is None else instant
