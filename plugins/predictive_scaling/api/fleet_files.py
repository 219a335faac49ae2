"""The fleet files, read again only when one of them has changed: reading a thousand takes seconds."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from predictive_scaling.fleet_folder import FleetFolder, read_folder

if TYPE_CHECKING:
    from pathlib import Path

Fingerprint = tuple[tuple[str, int, int], ...]


class FleetFiles:
    """The folder's fleets as they are now."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = Lock()
        self._known: tuple[Fingerprint, FleetFolder] | None = None

    def now(self) -> FleetFolder:
        """Give what the folder holds."""
        seen = _fingerprint(self._folder)
        with self._lock:
            if self._known is None or self._known[0] != seen:
                self._known = seen, read_folder(self._folder)
            return self._known[1]


def _fingerprint(folder: Path) -> Fingerprint:
    if not folder.is_dir():
        return ()
    return tuple(sorted((path.name, *_stamp(path)) for path in folder.iterdir()))


def _stamp(path: Path) -> tuple[int, int]:
    """Tell when a file was changed, and its size; what an editor leaves beside it may be gone, or lead nowhere."""
    try:
        look = path.stat()
    except OSError:
        return 0, 0
    return look.st_mtime_ns, look.st_size
