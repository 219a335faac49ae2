"""A Prometheus server of its own, in a folder, on loopback, with a past it is given."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Final
from urllib.request import urlopen

from demo.process import Process, free_port

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

_NO_TARGETS: Final = "global: {scrape_interval: 1m}\n"
Sample = tuple[str, "datetime", float]
"""A series as PromQL writes it, an instant, and the value it had."""


def prometheus_program() -> str | None:
    """Find Debian's server."""
    return shutil.which("prometheus")


class LocalPrometheus(Process):
    """A running server, which scrapes nothing and remembers the samples it was started with."""

    def __init__(self, folder: Path, *, samples: Iterable[Sample] = (), settings: str = "") -> None:
        program = prometheus_program()
        if program is None:
            msg = "Prometheus is not installed: run `make services`, or install prometheus"
            raise FileNotFoundError(msg)
        self.port, data = free_port(), folder / "data"
        data.mkdir(parents=True)
        _remember(samples, folder, data)
        (folder / "prometheus.yml").write_text(_NO_TARGETS + settings)
        flags = [
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={data}",
            # Samples of any age are kept: a test's past does not move on.
            "--storage.tsdb.retention.time=10y",
            f"--web.listen-address=127.0.0.1:{self.port}",
        ]
        super().__init__([program, *flags], log=folder / "prometheus.log")
        self.wait_until(self._answers, what="Prometheus", seconds=60)

    @property
    def url(self) -> str:
        """Give the server's address."""
        return f"http://127.0.0.1:{self.port}"

    def _answers(self) -> bool:
        try:
            with urlopen(f"{self.url}/-/ready", timeout=5) as answer:  # noqa: S310 - our own server
                return bool(answer.status == 200)  # noqa: PLR2004 - ready
        except OSError:
            return False


def _remember(samples: Iterable[Sample], folder: Path, data: Path) -> None:
    """Make the server's own blocks of the samples, as its `promtool` does when a past is brought in."""
    lines = [f"{series} {value!r} {when.timestamp():.3f}" for series, when, value in sorted(samples)]
    if not lines:
        return
    past = folder / "past.txt"
    past.write_text("\n".join([*lines, "# EOF", ""]))
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(past), str(data)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - our own command
    if done.returncode:
        msg = f"promtool refused the samples: {done.stderr.strip()}"
        raise RuntimeError(msg)
