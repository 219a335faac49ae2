"""One sandbox per test module, empty and standing still at the same instant before every test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

START = "2026-01-05T08:00:00+00:00"
"""A Monday morning."""


@pytest.fixture(scope="module")
def served() -> Iterator[sandbox.Cloud]:
    with sandbox.running(port=0) as cloud:
        yield cloud


@pytest.fixture
def cloud(served: sandbox.Cloud) -> sandbox.Cloud:
    served.reset()
    served.clock(now=START, speed=0)
    served.configure(boot_seconds=120, boot_jitter=0, health_seconds=20, drain_seconds=60)
    return served
