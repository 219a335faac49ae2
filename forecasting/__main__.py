"""`python -m forecasting`: forecasts, plans and their trials from files, with no Airflow in sight."""

from __future__ import annotations

import argparse
import io
import os
import sys
from typing import TYPE_CHECKING, NoReturn

from forecasting.cli import add_commands
from forecasting.errors import ForecastingError

if TYPE_CHECKING:
    from collections.abc import Sequence


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without repeating the usage."""

    def error(self, message: str) -> NoReturn:
        """Leave with 2, the code of bad input."""
        self.exit(2, f"error: {_one_line(message)}; see {self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command: 0 done, 2 bad input (one line on stderr), 1 anything else."""
    _open_streams()
    try:
        _run(arguments)
    except ForecastingError as error:
        return _failed(f"error: {error}", 2)
    except KeyboardInterrupt:
        return _failed("interrupted", 1)
    except BrokenPipeError:
        return _failed("", 1)
    except Exception as error:  # noqa: BLE001  (a person at a terminal is served by one line, not by a traceback)
        return _failed(f"failed: {type(error).__name__}: {error}", 1)
    return 0


def _run(arguments: Sequence[str] | None) -> None:
    parser = _Parser(prog="python -m forecasting", description=__doc__)
    add_commands(parser)
    try:
        options = parser.parse_args(arguments)
        options.run(options)
    finally:
        sys.stdout.flush()  # Here a full disk or a reader who went away is still ours to answer for.


def _open_streams() -> None:
    """Write what a terminal cannot show as escapes, and to nowhere when a stream was closed."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name) or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
        setattr(sys, name, stream)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _failed(why: str, code: int) -> int:
    if why:
        sys.stderr.write(f"{_one_line(why)}\n")
    try:
        sys.stdout.flush()
    except OSError:
        # Python would flush once more at its end, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _one_line(text: str) -> str:
    return " ".join(text.splitlines())


if __name__ == "__main__":
    sys.exit(main())
