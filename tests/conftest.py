"""Services the tests share. Each is the real thing, started once a session and stopped after it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from demo.local_postgres import LocalPostgres, postgres_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest import TempPathFactory  # noqa: PT013 - a type


def without(service: str, mend: str) -> None:
    """Skip with a line that names the service; on CI a missing service is a failure."""
    message = f"{service} is not installed: {mend}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: TempPathFactory) -> Iterator[LocalPostgres]:
    """A PostgreSQL server."""
    if postgres_folder() is None:
        without("PostgreSQL", "run `make services`")
    with LocalPostgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server
