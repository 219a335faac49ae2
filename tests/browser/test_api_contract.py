"""The API answers as its own description says, whatever it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

if TYPE_CHECKING:
    from page_server import PageServer


BOUNDED = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="session")
def described(server: PageServer) -> Any:
    """The API by its OpenAPI document."""
    return schemathesis.openapi.from_dict(server.scaling("api/v1/openapi.json").json())


@pytest.fixture(scope="session")
def proof(server: PageServer) -> dict[str, str]:
    return {"Authorization": f"Bearer {server.token('otto')}"}


def test_no_question_breaks_the_api(described: Any, server: PageServer, proof: dict[str, str]) -> None:
    checks = [not_a_server_error, status_code_conformance, response_schema_conformance]

    def holds(case: Any) -> None:
        answer = case.call(base_url=f"{server.url}/scaling", headers=proof)
        case.validate_response(answer, checks=checks)

    operations = [found.ok() for found in described.get_all_operations()]
    assert len(operations) > 10
    for operation in operations:
        BOUNDED(given(case=operation.as_strategy())(holds))()
    for made in server.scaling("api/v1/autoscalers?limit=500").json()["items"]:
        server.send("DELETE", f"api/v1/autoscalers/{made['asked']['name']}")
