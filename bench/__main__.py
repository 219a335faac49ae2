"""`python -m bench [NAME …] [--traces FOLDER]`: run the measurements and print them."""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path
from typing import Final

MEASUREMENTS: Final = (
    "speed",
    "accuracy",
    "planning",
    "scaling",
    "gate",
    "reaction",
    "burst",
    "workers",
    "throttle",
    "day",
    "page",
    "cycle",
)
"""Each is a module of this package with a `measure(traces)` that prints what it found."""


def main() -> None:
    """Run the measurements asked for, or all."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(MEASUREMENTS)}; all by default")
    parser.add_argument("--traces", type=Path, help="folder of real traces (timestamp,value CSV); synthetic without it")
    options = parser.parse_args()
    if unknown := set(options.names) - set(MEASUREMENTS):
        parser.error(f"no measurement {', '.join(sorted(unknown))}: choose from {', '.join(MEASUREMENTS)}")
    if options.traces and not options.traces.is_dir():
        parser.error(f"--traces {options.traces}: is no folder")
    for name in options.names or MEASUREMENTS:
        print(f"\n## {name}\n", flush=True)
        import_module(f"bench.{name}").measure(options.traces)


if __name__ == "__main__":
    main()
