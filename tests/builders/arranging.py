"""The cloud that most stories of capacity begin with: four instances that serve, and a clock that stands still."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rights import marked

import sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

EIGHT = "2026-01-05T08:00:00+00:00"


@contextmanager
def a_cloud_of_four(*, balanced: bool = False, **settings: Any) -> Iterator[sandbox.Cloud]:
    """Run a cloud whose group `web` has four instances and bounds 2..20; no second passes by itself."""
    with sandbox.running() as cloud:
        cloud.clock(now=EIGHT, speed=0)
        cloud.configure(**settings)
        cloud.create_fleet("web", min_size=2, max_size=20, desired=4, balanced=balanced)
        marked(cloud)
        cloud.advance(900)
        yield cloud
