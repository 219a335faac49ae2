"""Every route of the API and the page that reads, and what the tables of rights act with."""

from __future__ import annotations

from typing import Any, Final

ROUTES: Final = [
    "api/v1/fleets",
    "api/v1/fleets/web-shop",
    "api/v1/fleets/web-shop/history",
    "api/v1/fleets/web-shop/capacity",
    "api/v1/fleets/web-shop/forecast",
    "api/v1/fleets/web-shop/plan",
    "api/v1/fleets/web-shop/events",
    "api/v1/fleets/web-shop/accuracy",
    "api/v1/fleets/web-shop/gate",
    "api/v1/fleets/web-shop/inventory",
    "api/v1/budgets",
    "api/v1/overrides",
    "api/v1/approvals",
    "api/v1/autoscalers",
    "api/v1/autoscalers/trainer",
    "api/v1/events",
    "api/v1/events.csv",
    "api/v1/events/1",
    "api/v1/whatif",
    "api/v1/me",
    "api/v1/openapi.json",
    "page/scaling.js",
]
MANUAL: Final = [
    "kill_switch",
    "pause_fleet",
    "promote_fleet",
    "replay_policy",
    "resume_fleet",
    "roll_back",
    "scale_manually",
]
TRAINER: Final[dict[str, Any]] = {
    "name": "trainer",
    "workload": {"name": "trainer", "namespace": "ml"},
    "group": "trainer-gpu",
    "min_replicas": 1,
    "max_replicas": 8,
    "target_gpu_percent": 70,
}
