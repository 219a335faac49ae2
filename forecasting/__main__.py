"""`python -m forecasting`: forecasts, plans and their trials from files, with no Airflow in sight."""

from __future__ import annotations

import argparse
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
        self.exit(2, f"error: {message}; see {self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command: 0 done, 2 bad input (one line on stderr), 1 anything else."""
    parser = _Parser(prog="python -m forecasting", description=__doc__)
    add_commands(parser)
    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except ForecastingError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 1
    except BrokenPipeError:
        return 1
    except Exception as error:  # noqa: BLE001  (a person at a terminal is served by one line, not by a traceback)
        sys.stderr.write(f"failed: {type(error).__name__}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
