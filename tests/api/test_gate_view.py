"""What was learned of a fleet's boot time is told, and that nothing was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from forecasting.gate import Stage, Standing
from forecasting.override import Override, OverrideKind
from predictive_scaling.api.override_views import gate_view, override_view
from predictive_scaling.ledger.gates import Gate

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("boot", [None, timedelta(0), timedelta(seconds=142)])
def test_instances_that_are_there_at_once_are_told_from_those_nobody_has_timed(boot: timedelta | None) -> None:
    standing = Standing(stage=Stage.AUTO, since=NOW, reason="short less often")
    gate = Gate(fleet="web", standing=standing, actor="ada", measured_by="requests", boot=boot, launches=6)
    assert gate_view(gate).boot_seconds == (None if boot is None else boot.total_seconds())


@pytest.mark.parametrize(("laid", "shown"), [("123456789012/eu-west-1/web/blue", "web/blue"), (None, None)])
def test_an_override_tells_the_group_it_was_laid_on(laid: str | None, shown: str | None) -> None:
    stop = Override(
        id="1", fleet="web", kind=OverrideKind.STOP, reason="r", actor="a", starts_at=NOW, created_at=NOW, group_id=laid
    )
    assert override_view(stop, now=NOW).group == shown
