"""Start the sandbox cloud: python -m sandbox --port 5555 --seed-demo."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from datetime import UTC, datetime

from sandbox.cloud import LOOPBACK, running
from sandbox.control import MAX_SPEED

MAX_PORT = 65_535
MAX_FLEETS = 10_000


def main(arguments: list[str] | None = None) -> int:
    """Serve until a signal comes; 0 then, 2 if the sandbox cannot start as asked."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="sandbox: %(message)s")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        with running(options.port, options.host) as cloud:
            cloud.clock(speed=options.speed)
            _seed(options)
            print(f"ready {cloud.url}", flush=True)
            stop.wait()
    except OSError as error:
        print(_why_not(options, error), file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="An AWS that behaves in time, on loopback.")
    parser.add_argument("--port", type=_port, default=5555, help="0 takes any free port (default: 5555)")
    parser.add_argument("--host", default=LOOPBACK, help="in a container 0.0.0.0 (default: 127.0.0.1)")
    parser.add_argument("--speed", type=_speed, default=1.0, help="virtual seconds per real second (default: 1)")
    parser.add_argument("--seed-demo", action="store_true", help="three fleets with 28 days of history")
    parser.add_argument("--seed-fleets", type=_fleets, default=0, metavar="N", help="fleets fleet-0001 to fleet-N")
    region = os.environ.get("AWS_DEFAULT_REGION") or os.environ.get("AWS_REGION") or "us-east-1"
    parser.add_argument("--region", default=region, help="where to seed (default: AWS_DEFAULT_REGION or us-east-1)")
    return parser


def _port(text: str) -> int:
    return int(_between(text, 0, MAX_PORT, whole=True))


def _fleets(text: str) -> int:
    return int(_between(text, 0, MAX_FLEETS, whole=True))


def _speed(text: str) -> float:
    return _between(text, 0, MAX_SPEED, whole=False)


def _between(text: str, low: float, high: float, *, whole: bool) -> float:
    try:
        value = int(text) if whole else float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        message = f"{text!r} is not a {'whole ' if whole else ''}number from {low:g} to {high:g}"
        raise argparse.ArgumentTypeError(message)
    return value


def _seed(options: argparse.Namespace) -> None:
    from sandbox.seed import seed_demo, seed_fleets

    now = datetime.now(UTC)
    if options.seed_demo:
        seed_demo(now, options.region)
    if options.seed_fleets:
        seed_fleets(options.seed_fleets, now, options.region)


def _why_not(options: argparse.Namespace, error: OSError) -> str:
    why = os.strerror(error.errno or 0)
    return f"sandbox: port {options.port} of {options.host} cannot be used ({why}); give another one with --port"


if __name__ == "__main__":
    sys.exit(main())
