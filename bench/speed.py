"""How long forecasting takes, beside the time to read the same numbers from memory's own file system."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from forecasting import Demand, Forecast, Policy, calibrate, forecast_many, refresh, tick
from forecasting.synthetic import MONDAY, synthetic_demand
from predictive_scaling.fleet_spec import FleetSpec
from predictive_scaling.metric import Metric
from predictive_scaling.storage import Points, Storage

if TYPE_CHECKING:
    from collections.abc import Callable

FIVE = timedelta(minutes=5)
QUANTILES = (0.5, 0.9, 0.95)


def measure(_traces: Path | None) -> None:
    """Print seconds, and how often the matrix could have been read in that time."""
    print("| what | seconds | times reading the matrix |")
    print("|---|---|---|")
    _forecast(_demands(_matrix(2, 14)), "ensemble")  # What is imported late, and settled once, is no part of the work.
    for count, days in ((1000, 14), (1000, 28)):
        matrix = _matrix(count, days)
        reading = _reading(matrix)
        demands = _demands(matrix)
        for engine in ("ensemble_quick", "ensemble"):
            took = _seconds(lambda demands=demands, engine=engine: _forecast(demands, engine))  # type: ignore[misc]
            what = f"{engine}: {count:,} series x {days} d x 5 min -> 48 h x 3 quantiles"
            print(f"| {what} | {took:.2f} | {took / reading:.0f} |", flush=True)
    matrix = _matrix(1000, 28)
    stored = _reading_as_stored(matrix)
    print(f"| to read 1,000 series x 28 d from the product's own files | {stored:.2f} | |", flush=True)
    demands = _demands(matrix)
    calibration = calibrate(demands)
    held: dict[str, Forecast] = {}
    reading = _reading(matrix)
    took = _seconds(lambda: held.update(refresh(demands, calibration)))
    print(f"| refresh with a calibration: 1,000 series x 28 d | {took:.2f} | {took / reading:.0f} |", flush=True)
    fresh = {name: Demand(each.start, FIVE, 1.2 * each.at(0.5)[:6]) for name, each in held.items()}
    took = min(_seconds(lambda: tick(held, fresh, calibration)) for _ in range(5))
    print(f"| tick: 1,000 series, 6 fresh points each -> 6 h x 3 quantiles | {took:.3f} | |", flush=True)
    seconds, own, of_child = _worker(10_000)
    what = "ensemble_quick: 10,000 series x 28 d, a thousand at a time"
    peak = f"peak memory of the process {own:.0f} MB, of each child, with what it shares, {of_child:.0f} MB"
    print(f"| {what}; {peak} | {seconds:.1f} | |", flush=True)
    few = {str(seed): synthetic_demand(days=28, seed=seed) for seed in range(32)}
    _forecast({"first": few["0"]}, "prophet")  # Prophet takes a second or two to import.
    took = _seconds(lambda: _forecast(few, "prophet"))
    print(f"| prophet: {len(few)} series x 28 d ({len(few) / took:.1f} series/s) | {took:.2f} | |", flush=True)
    print(f"| `import forecasting` in a new process, less Python's own start | {_import_seconds():.2f} | |")


def _demands(matrix: np.ndarray) -> dict[str, Demand]:
    return {str(row): Demand(MONDAY, FIVE, values) for row, values in enumerate(matrix)}


WORKER = """
import resource, sys, time
from pathlib import Path
import numpy as np
from bench.speed import _demands, _forecast
path, shards, length = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
spent = 0.0
for shard in range(shards):
    demands = _demands(np.fromfile(path, count=1000 * length, offset=8000 * length * shard).reshape(1000, length))
    began = time.perf_counter()
    _forecast(demands, "ensemble_quick")
    spent += time.perf_counter() - began
    del demands
# What `resource` tells of a process that was just started begins at its parent's peak.
own = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
print(spent, own // 1024, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
"""


def _worker(count: int) -> list[float]:
    """Forecast as a worker does, in a process of its own that reads its shards from a file: seconds, two megabytes."""
    with tempfile.TemporaryDirectory() as folder:
        some = _matrix(1000, 28)
        shards = count // 1000
        with Path(folder, "matrix").open("wb") as file:
            for _ in range(shards):
                some.tofile(file)
        command = [sys.executable, "-c", WORKER, f"{folder}/matrix", str(shards), str(some.shape[1])]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()  # noqa: S603
    return [float(each) for each in printed]


def _forecast(demands: dict[str, Demand], engine: str) -> object:
    return forecast_many(demands, horizon=timedelta(hours=48), quantiles=QUANTILES, engine=engine, workers=2)


def _matrix(count: int, days: int) -> np.ndarray:
    some = np.stack([synthetic_demand(days=days, seed=seed).values for seed in range(20)])
    random = np.random.default_rng(0)
    rows = some[np.arange(count) % len(some)]
    return np.asarray(rows * random.lognormal(0.0, 0.05, rows.shape))


READER = """
import sys, time
import numpy as np
began = time.perf_counter()
np.load(sys.argv[1]).sum()
print(time.perf_counter() - began)
"""


def _reading(matrix: np.ndarray) -> float:
    """Read it as a process does that has just begun, into memory it has yet to be given."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:  # noqa: S108
        np.save(f"{folder}/matrix.npy", matrix)
        command = [sys.executable, "-c", READER, f"{folder}/matrix.npy"]
        readings = (subprocess.run(command, check=True, capture_output=True, text=True) for _ in range(5))  # noqa: S603
        return min(float(each.stdout) for each in readings)


def _reading_as_stored(matrix: np.ndarray) -> float:
    """Read the histories of as many fleets, as the hourly forecast does before it begins."""
    times = int(MONDAY.timestamp()) + FIVE // timedelta(seconds=1) * np.arange(matrix.shape[1], dtype=np.int64)
    metric, policy = Metric(namespace="Bench", name="Load", period=FIVE), Policy(1, 2, 1.0)
    fleets = [FleetSpec(name=f"fleet-{row}", group="bench", metric=metric, policy=policy) for row in range(len(matrix))]
    with tempfile.TemporaryDirectory() as folder:
        storage = Storage.at(f"file://{folder}")
        for fleet, values in zip(fleets, matrix, strict=True):
            storage.append(fleet, Points(times, values))
        return _seconds(lambda: [storage.demand(fleet, since=MONDAY) for fleet in fleets])


def _import_seconds() -> float:
    bare = min(_seconds(lambda: subprocess.run([sys.executable, "-c", ""], check=True)) for _ in range(3))
    whole = [sys.executable, "-c", "import forecasting"]
    return min(_seconds(lambda: subprocess.run(whole, check=True)) for _ in range(3)) - bare  # noqa: S603


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
