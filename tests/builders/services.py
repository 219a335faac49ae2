"""What to do about a service that a suite needs and that is not there."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def without(service: str, mend: str) -> NoReturn:
    """Skip with a line that names the service; on CI a missing service is a failure."""
    message = f"{service} is not there: {mend}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
