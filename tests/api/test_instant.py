"""An instant in an address is a date that a person wrote, and nothing is guessed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import TypeAdapter, ValidationError

from predictive_scaling.api.instant import Instant

INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)


@pytest.mark.parametrize("number", ["20261123", "2026", "0.5", "-1", "1e9", "", "12:00"])
def test_a_number_is_no_instant_and_is_not_taken_for_seconds_since_1970(number: str) -> None:
    with pytest.raises(ValidationError, match="a date and time in ISO 8601, such as 2026-11-23T06:00Z"):
        INSTANT.validate_python(number)


def test_a_date_is_its_midnight_and_without_a_zone_it_is_utc() -> None:
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert INSTANT.validate_python("2026-11-23") == noon - timedelta(hours=12)
    assert INSTANT.validate_python("2026-11-23T12:00") == noon
    assert INSTANT.validate_python("2026-11-23T14:00+02:00") == noon
    assert INSTANT.validate_python(noon.astimezone(timezone(timedelta(hours=5)))) == noon
