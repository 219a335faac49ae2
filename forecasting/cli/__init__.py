"""The commands of `python -m forecasting`, one file each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecasting.cli import (
    backtest_command,
    cost_command,
    diff_command,
    forecast_command,
    plan_command,
    replay_command,
    what_if_command,
)

if TYPE_CHECKING:
    import argparse


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Add every command to the parser."""
    commands = parser.add_subparsers(title="commands", required=True, dest="command", metavar="COMMAND")
    for command in (
        forecast_command,
        backtest_command,
        plan_command,
        diff_command,
        replay_command,
        what_if_command,
        cost_command,
    ):
        command.add_to(commands)
