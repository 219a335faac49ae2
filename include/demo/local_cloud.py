"""The sandbox cloud as a process, with its control endpoints and AWS clients for it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import boto3
import httpx

from demo.process import Process

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

REGION: Final = "us-east-1"
CREDENTIALS: Final = {"aws_access_key_id": "AKIASANDBOX", "aws_secret_access_key": "any-key-will-do"}


class LocalCloud(Process):
    """`python -m sandbox`, ready to be asked."""

    def __init__(self, *options: str, log: Path, env: Mapping[str, str], port: int = 0) -> None:
        super().__init__([sys.executable, "-m", "sandbox", "--port", str(port), *options], log=log, env=env)
        self.wait_until(lambda: "ready http" in self.tail(), what="the sandbox cloud", seconds=180)
        self.url = self.tail().split("ready ")[1].split()[0]

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
