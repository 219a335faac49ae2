"""Services the tests share. Each is the real thing, started once a session and stopped after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from services import without

from demo.local_postgres import LocalPostgres, postgres_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest import TempPathFactory  # noqa: PT013 - a type


DEPLOYMENTS: Final = ("stack", "server")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep on one worker what shares a deployment, so that it is started once; else what stands in one file."""
    for item in items:
        names = getattr(item, "fixturenames", ())
        shared = next((name for name in DEPLOYMENTS if name in names), item.path.name)
        item.add_marker(pytest.mark.xdist_group(shared))


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: TempPathFactory) -> Iterator[LocalPostgres]:
    """A PostgreSQL server."""
    if postgres_folder() is None:
        without("PostgreSQL", "run `make services`")
    with LocalPostgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server
