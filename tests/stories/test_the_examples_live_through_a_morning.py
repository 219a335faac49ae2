"""The promise: the shipped example fleets, built from their blueprints, keep every message within its file's word."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import sandbox
from bench.day import KINDS, a_day, environment

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_no_message_waits_longer_than_its_file_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(tmp_path).items():
        if name != "AIRFLOW_HOME":
            monkeypatch.setenv(name, value)
    kinds = [kind for kind in KINDS if kind.name in {"video", "ai-gpu"}]
    with sandbox.in_process() as cloud:
        day = a_day(cloud, tmp_path, kinds, begin=9, engine="seasonal_naive")
        day.live(1)
        for work in day.works:
            _, actions = day.product.written(work.spec.name)
            assert work.done > 50, work
            assert (work.late, work.longest <= work.allowed) == (0, True), work
            assert actions >= 1, "the forecast scheduled its floor"
            assert work.instances > timedelta(hours=1)
        video, gpu = day.works
        assert day.product.written(video.spec.name)[0] >= 1, "its first messages moved it before its floor was due"
        assert video.longest_from_zero > timedelta(minutes=2), "its first messages waited for the first boot"
        assert gpu.longest_from_zero == timedelta(0), "one is always on, and others wait warm"
