"""How a task fails: at once on what no retry can mend, else so that it is tried again."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@contextmanager
def mended_by_a_person() -> Iterator[None]:
    """Fail without a retry on what was asked wrongly, or cannot work as it is set up; the message says what to do."""
    from airflow.sdk.exceptions import AirflowFailException

    from forecasting import ForecastingError
    from predictive_scaling.errors import InvalidFleet, InvalidSetting, LedgerUnavailable, OutOfBounds

    try:
        yield
    except (ForecastingError, InvalidFleet, InvalidSetting, LedgerUnavailable, OutOfBounds) as error:
        raise AirflowFailException(str(error)) from error


def fail_if_any(troubles: Mapping[str, Exception], what: str) -> None:
    """Fail after the last fleet: a retry helps against a busy or failing cloud, and not against a wrong fleet file."""
    from airflow.sdk.exceptions import AirflowException, AirflowFailException

    from predictive_scaling.steer import may_pass

    if troubles:
        msg = f"{what}: {'; '.join(f'{name}: {trouble}' for name, trouble in troubles.items())}"
        passing = any(may_pass(trouble) for trouble in troubles.values())
        raise (AirflowException if passing else AirflowFailException)(msg)
