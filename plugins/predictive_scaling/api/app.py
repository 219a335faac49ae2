"""The app Airflow mounts at `/scaling`: the API, its own description, and the built page."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request

from predictive_scaling import __version__
from predictive_scaling.api import (
    approval_routes,
    autoscaler_routes,
    budget_routes,
    event_routes,
    fleet_routes,
    override_routes,
    person_routes,
    what_if_routes,
)
from predictive_scaling.api.etag import ETags
from predictive_scaling.api.problem import answer_with_problems, mounted_at
from predictive_scaling.api.rights import Reading
from predictive_scaling.page import routes as page_routes

PREFIX = "/api/v1"

app = FastAPI(
    title="Scaling",
    version=__version__,
    description=(
        "What every fleet is doing, why, and what comes next. Reading needs the right to read DAGs, "
        "making and deleting an autoscaler the right to change them."
    ),
    # FastAPI would serve these to anybody.
    openapi_url=None,
    docs_url=None,
    redoc_url=None,
)
app.add_middleware(ETags)
answer_with_problems(app)
for routes in (
    fleet_routes,
    autoscaler_routes,
    override_routes,
    approval_routes,
    budget_routes,
    event_routes,
    what_if_routes,
    person_routes,
):
    app.include_router(routes.router, prefix=PREFIX, dependencies=[Reading])
app.include_router(page_routes.router, prefix="/page")


@app.get(f"{PREFIX}/openapi.json", dependencies=[Reading], include_in_schema=False)
def describe_the_api(request: Request) -> dict[str, Any]:
    """Give the OpenAPI document."""
    return app.openapi() | {"servers": [{"url": mounted_at(request)}]}
