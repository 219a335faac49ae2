"""The sandbox cloud as a process of its own."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from demo.cloud_api import CloudApi
from demo.process import Process

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class LocalCloud(Process, CloudApi):
    """`python -m sandbox`, ready to be asked."""

    def __init__(self, *options: str, log: Path, env: Mapping[str, str], port: int = 0) -> None:
        command = [sys.executable, "-m", "sandbox", "--port", str(port), *options]
        Process.__init__(self, command, log=log, env=env)
        self.wait_until(lambda: "ready http" in self.tail(), what="the sandbox cloud", seconds=180)
        CloudApi.__init__(self, self.tail().split("ready ")[1].split()[0])
