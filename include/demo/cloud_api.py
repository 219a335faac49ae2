"""The sandbox cloud as a program reaches it, wherever it runs: its control endpoints and AWS clients for it."""

from __future__ import annotations

from typing import Any, Final

import boto3
import httpx

REGION: Final = "us-east-1"
CREDENTIALS: Final = {"aws_access_key_id": "AKIASANDBOX", "aws_secret_access_key": "any-key-will-do"}


class CloudApi:
    """A sandbox at an address."""

    def __init__(self, url: str) -> None:
        self.url = url

    def is_ready(self) -> bool:
        """Whether a sandbox answers there."""
        try:
            return bool(httpx.get(f"{self.url}/_sandbox/health", timeout=5).json().get("status") == "ready")
        except (httpx.HTTPError, ValueError, AttributeError):
            return False

    def client(self, service: str) -> Any:
        """Give a boto3 client of the sandbox."""
        options: dict[str, Any] = {"region_name": REGION, **CREDENTIALS}
        return boto3.client(service, endpoint_url=self.url, **options)

    def control(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Turn a knob: clock, advance, config, faults."""
        answer = httpx.post(f"{self.url}/_sandbox/{path}", json=body, timeout=120)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def clear_faults(self) -> None:
        """Let every call through again."""
        httpx.delete(f"{self.url}/_sandbox/faults", timeout=30).raise_for_status()

    def calls(self, *, reset: bool = False) -> dict[str, int]:
        """Count the calls by `service.Operation` since the last reset."""
        found: dict[str, int] = httpx.get(f"{self.url}/_sandbox/calls", timeout=30).json()
        if reset:
            httpx.delete(f"{self.url}/_sandbox/calls", timeout=30).raise_for_status()
        return found

    def writes(self) -> dict[str, int]:
        """The counted calls that change something."""
        looks = ("Describe", "Get", "List")
        return {name: count for name, count in self.calls().items() if not name.split(".")[1].startswith(looks)}
