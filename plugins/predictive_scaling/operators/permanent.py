"""What no retry can mend fails a task at once."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def mended_by_a_person() -> Iterator[None]:
    """Fail without a retry on what was asked wrongly, or cannot work as it is set up; the message says what to do."""
    from airflow.sdk.exceptions import AirflowFailException

    from forecasting import ForecastingError
    from predictive_scaling.errors import InvalidSetting, LedgerUnavailable

    try:
        yield
    except (ForecastingError, InvalidSetting, LedgerUnavailable) as error:
        raise AirflowFailException(str(error)) from error
