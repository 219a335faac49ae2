"""Services the tests share. Each is the real thing, started once a session and stopped after it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from botocore.loaders import JSONFileLoader
from services import without

from demo.local_postgres import LocalPostgres, postgres_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest import TempPathFactory  # noqa: PT013 - a type


@pytest.fixture(scope="session", autouse=True)
def _descriptions_of_services() -> Iterator[None]:
    """Each cloud has clients of its own; botocore would read what it knows of a service, megabytes, for every one."""
    read = JSONFileLoader.load_file
    loader = JSONFileLoader()

    @cache
    def read_once(path: str) -> Any:
        return read(loader, path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", lambda _loader, path: read_once(path))
        yield


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: TempPathFactory) -> Iterator[LocalPostgres]:
    """A PostgreSQL server."""
    if postgres_folder() is None:
        without("PostgreSQL", "run `make services`")
    with LocalPostgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server
