"""The cost comparison inside Airflow: computed from a profile file, told as a table, kept as JSON with a picture."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecasting import InvalidRequest
from forecasting.cost_comparison import Way, as_json, compare_costs, lines
from forecasting.cost_profile import CostProfile
from forecasting.errors import shown
from forecasting.price_book import PriceBook

if TYPE_CHECKING:
    from datetime import datetime

    from predictive_scaling.cost_store import CostStore


@dataclass(frozen=True, slots=True, kw_only=True)
class CostReport:
    """What a comparison found, and where it is kept."""

    profile: CostProfile
    ways: tuple[Way, ...]
    address: str
    picture: str | None
    notes: tuple[str, ...]

    def story(self) -> list[str]:
        """Tell it to the person who reads the task log."""
        return [*lines(self.ways), *self.notes, f"kept as {self.address}"]

    def as_json(self) -> dict[str, Any]:
        """Give what the run's XCom keeps."""
        return {**as_json(self.profile, self.ways), "kept": self.address, "picture": self.picture}


def report_costs(
    file: str, folder: Path, store: CostStore, *, now: datetime, risk_limit: float | None = None
) -> CostReport:
    """Compare the ways to buy what a profile file of a folder asks for, with the price files of that folder."""
    book = PriceBook.read(sorted((folder / "prices").glob("*.yaml")))
    profile = CostProfile.from_yaml(_within(folder, file), book)
    if risk_limit is not None:
        profile = replace(profile, offers=replace(profile.offers, risk_limit=risk_limit))
    ways = compare_costs(profile)
    name = f"reports/{Path(file).stem}/{now:%Y%m%dT%H%M%SZ}"
    picture, notes = _picture(profile, ways, store, name)
    address = store.write(name, {**as_json(profile, ways), "at": now.isoformat(), "picture": picture})
    return CostReport(profile=profile, ways=ways, address=address, picture=picture, notes=notes)


def _within(folder: Path, file: str) -> Path:
    """Give the path of a file of a folder; who may start a run may not read every file of the machine."""
    path = folder / file
    if not path.resolve().is_relative_to(folder.resolve()):
        msg = f"profile {shown(file)} leads out of the folder that holds the fleets' own: name a file below it"
        raise InvalidRequest(msg)
    return path


def _picture(
    profile: CostProfile, ways: tuple[Way, ...], store: CostStore, name: str
) -> tuple[str | None, tuple[str, ...]]:
    """Draw it where matplotlib is installed; the figures need no picture."""
    from forecasting.cli.cost_picture import draw_costs

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "costs.png"
        try:
            draw_costs(str(path), profile, ways)
        except InvalidRequest as error:
            return None, (f"no picture: {error}",)
        return store.write_bytes(f"{name}.png", path.read_bytes()), ()
