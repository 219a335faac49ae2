"""Services the tests share. Each is the real thing, started once a session and stopped after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from services import without

from demo.local_postgres import LocalPostgres, postgres_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest import TempPathFactory  # noqa: PT013 - a type


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: TempPathFactory) -> Iterator[LocalPostgres]:
    """A PostgreSQL server."""
    if postgres_folder() is None:
        without("PostgreSQL", "run `make services`")
    with LocalPostgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server
