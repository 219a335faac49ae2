"""One background process with a log, ended the way it can be ended cleanly."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType


class DidNotStart(RuntimeError):
    """A process ended, or stayed silent, before it was ready."""


class Process:
    """A program in a session of its own, its output in a file, stopped with SIGINT when the block ends."""

    def __init__(self, command: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self.log = log
        _mind_interrupts()
        with log.open("wb") as output:
            self._popen = subprocess.Popen(  # noqa: S603 - our own commands
                list(command), stdout=output, stderr=subprocess.STDOUT, env=env, start_new_session=True
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process, which leads a session and group of the same number."""
        return self._popen.pid

    def wait_until(self, ready: Callable[[], bool], *, what: str, seconds: float) -> None:
        """Wait for a sign of life; raise with the end of the log when none comes."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self._popen.poll() is not None:
                msg = f"{what} ended with code {self._popen.returncode}:\n{self.tail()}"
                raise DidNotStart(msg)
            if time.monotonic() > deadline:
                msg = f"{what} was not ready after {seconds:.0f} s:\n{self.tail()}"
                raise DidNotStart(msg)
            time.sleep(0.2)

    def tail(self, lines: int = 40) -> str:
        """Give the end of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self, *, patience: float = 30) -> None:
        """Interrupt, as Ctrl-C does; whatever is left of the group after a while is killed."""
        if self._popen.poll() is None:
            self._popen.send_signal(signal.SIGINT)
            try:
                self._popen.wait(patience)
            except subprocess.TimeoutExpired:
                self._popen.terminate()
        for last_resort in (signal.SIGTERM, signal.SIGKILL):
            if not _group_lives(self.pid):
                break
            os.killpg(self.pid, last_resort)
            _wait_for_group(self.pid, seconds=5)
        self._popen.wait(patience)


def _mind_interrupts() -> None:
    """A shell's background job ignores SIGINT, and so would its children, which then could not be stopped by it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)


def free_port() -> int:
    """Give a loopback port nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _wait_for_group(group: int, *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while _group_lives(group) and time.monotonic() < deadline:
        time.sleep(0.1)
