"""What the name of a region of AWS looks like, wherever it stands in another name."""

from __future__ import annotations

from typing import Final

REGION: Final = r"[a-z]+(?:-[a-z]+)+-\d+"
