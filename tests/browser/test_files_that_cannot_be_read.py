"""A stored file that nobody can read is told of in one sentence: whose it is, which, and what to do about it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from page_server import PageServer


@pytest.mark.parametrize(
    ("kind", "route"),
    [
        ("history", "fleets/web-shop/history"),
        ("forecasts", "fleets/web-shop/forecast"),
        ("accuracy", "fleets/web-shop/accuracy"),
        ("sizes", "fleets/web-shop/capacity"),
    ],
)
def test_the_api_names_the_file_of_a_fleet_that_cannot_be_used(server: PageServer, kind: str, route: str) -> None:
    files = [path for path in (server.place.home / "storage" / kind).rglob("*") if "web-shop" in str(path)]
    kept = {path: path.read_bytes() for path in files if path.is_file()}
    assert kept
    try:
        for path in kept:
            path.write_bytes(b"{")
        answer = server.scaling(f"api/v1/{route}")
    finally:
        for path, content in kept.items():
            path.write_bytes(content)

    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    told = answer.json()["detail"]
    assert told.startswith(f"stored file {kind}/web-shop")
    assert " of fleet web-shop cannot be used (" in told
    assert told.endswith("): put it back from a backup, or remove it")
    assert server.scaling(f"api/v1/{route}").status_code == HTTPStatus.OK
