"""The command: python -m sandbox."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

INCLUDE = Path(__file__).parents[2] / "include"


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "sandbox", *arguments],
        env={**os.environ, "PYTHONPATH": str(INCLUDE)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def ready(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = start(*arguments)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert re.fullmatch(r"ready http://127\.0\.0\.1:\d+\n", line)
        yield process, line.split()[1]
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_the_demo_and_quits_cleanly(stop: signal.Signals) -> None:
    with ready("--port", "0", "--seed-demo") as (process, url):
        autoscaling = boto3.client(
            "autoscaling",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="sandbox",
            aws_secret_access_key="sandbox",
        )
        groups = autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
        assert [group["AutoScalingGroupName"] for group in groups] == ["web-shop", "api-checkout", "batch-video"]
        process.send_signal(stop)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out, err) == (0, "", "")


def test_a_port_in_use_is_one_clear_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start("--port", str(port))
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (2, "")
    assert (
        err
        == f"sandbox: port {port} of 127.0.0.1 cannot be used (Address already in use); give another one with --port\n"
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "70000"], "'70000' is not a whole number from 0 to 65535"),
        (["--speed", "fast"], "'fast' is not a number from 0 to"),
        (["--seed-fleets", "-1"], "'-1' is not a whole number"),
    ],
)
def test_a_bad_argument_is_named(arguments: list[str], words: str) -> None:
    process = start(*arguments)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 2
    assert words in err
