"""`python -m forecasting` as a person or a script runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from forecasting.cli import tables
from forecasting.synthetic import synthetic_demand

if TYPE_CHECKING:
    from pathlib import Path


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "forecasting", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def demand_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demand") / "web.csv"
    demand = synthetic_demand(days=15, level=8_000)
    rows = (f"{when.isoformat()},{value:.3f}" for when, value in zip(demand.times(), demand.values, strict=True))
    path.write_text("\n".join(["timestamp,value", *rows, ""]))
    return path


@pytest.fixture(scope="module")
def policy_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("policy") / "web.yaml"
    path.write_text("min: 2\nmax: 40\ntarget_per_instance: 600\nlead_time: 6m\n")
    return path


def test_forecast_prints_one_json_object_and_nothing_else(demand_file: Path) -> None:
    done = run("forecast", demand_file, "--horizon", "24h", "--quantiles", "0.5,0.8", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    data = json.loads(done.stdout)
    assert data["quantiles"] == [0.5, 0.8]
    assert len(data["values"][1]) == 288
    assert data["engine"]
    assert data["reason"]


def test_forecast_prints_a_table(demand_file: Path) -> None:
    done = run("forecast", demand_file)
    assert done.returncode == 0
    assert "p90" in done.stdout
    assert "Tue 12:00 UTC" in done.stdout


def test_plan_prints_one_json_object_and_nothing_else(demand_file: Path, policy_file: Path) -> None:
    done = run("plan", demand_file, "--policy", policy_file, "--now", "2026-01-19T06:00Z", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    data = json.loads(done.stdout)
    assert data["steps"][0]["at"] == "2026-01-19T06:00:00+00:00"
    assert data["steps"][-1]["capacity"] == 2
    assert data["plan_id"]


def test_plan_prints_a_table_with_reasons(demand_file: Path, policy_file: Path) -> None:
    done = run("plan", demand_file, "--policy", policy_file, "--timezone", "Europe/Berlin")
    assert done.returncode == 0
    assert "raised 6m early (lead time)" in done.stdout
    assert "CET" in done.stdout


@pytest.mark.parametrize(("name", "begins"), [("f.png", b"\x89PNG"), ("f.html", b"<!doctype html>")])
def test_a_picture_is_drawn(demand_file: Path, policy_file: Path, tmp_path: Path, name: str, begins: bytes) -> None:
    done = run("plan", demand_file, "--policy", policy_file, "--plot", tmp_path / name)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / name).read_bytes().startswith(begins)


def test_backtest_scores_engines_over_files(demand_file: Path) -> None:
    done = run("backtest", demand_file, "--engine", "ensemble_quick", "--origins", "2", "--horizon", "12h", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    data = json.loads(done.stdout)
    assert [score["engine"] for score in data["scores"]] == ["ensemble_quick", "seasonal_naive"]
    assert data["summary"][1]["relative"] == pytest.approx(1.0)


@pytest.mark.parametrize(("name", "begins"), [("b.png", b"\x89PNG"), ("b.html", b"<!doctype html>")])
def test_backtest_draws_what_was_told_over_what_came(
    demand_file: Path, tmp_path: Path, name: str, begins: bytes
) -> None:
    given = ("--engine", "ensemble_quick", "--origins", "2", "--horizon", "12h", "--plot", tmp_path / name)
    done = run("backtest", demand_file, *given)
    assert (done.returncode, done.stderr) == (0, "")
    assert "ensemble_quick" in done.stdout
    assert (tmp_path / name).read_bytes().startswith(begins)


def test_backtest_refuses_an_unknown_engine_before_it_starts(demand_file: Path) -> None:
    done = run("backtest", demand_file, "--engine", "auto,crystal")
    assert done.returncode == 2
    assert "engine 'crystal' is unknown" in done.stderr


def test_replay_prints_one_scorecard(demand_file: Path, policy_file: Path) -> None:
    since = "2026-01-19T18:00Z"
    done = run("replay", demand_file, "--policy", policy_file, "--mode", "hybrid", "--since", since, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    data = json.loads(done.stdout)
    assert data["mode"] == "hybrid"
    assert 0 <= data["under_time_share"] <= 1
    assert {"over_hours_share", "theta_u", "theta_o", "instance_hours", "actions_per_day", "cost"} <= set(data)


@pytest.mark.parametrize(("name", "begins"), [("r.png", b"\x89PNG"), ("r.html", b"<!doctype html>")])
@pytest.mark.parametrize("mode", ["reactive", "all"])
def test_replay_draws_demand_supply_and_what_was_missing(
    demand_file: Path, policy_file: Path, tmp_path: Path, name: str, begins: bytes, mode: str
) -> None:
    given = ["--since", "2026-01-19T22:00Z", "--engine", "seasonal_naive", "--mode", mode, "--plot", tmp_path / name]
    done = run("replay", demand_file, "--policy", policy_file, *given)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / name).read_bytes().startswith(begins)


def test_replay_of_a_short_demand_takes_what_there_is(policy_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "short.csv"
    rows = (f"2026-01-05T{hour:02}:{minute:02}Z,{1_000 + hour}" for hour in range(20) for minute in (0, 30))
    path.write_text("\n".join(["timestamp,value", *rows, ""]))
    done = run("replay", path, "--policy", policy_file, "--mode", "reactive", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["since"] == "2026-01-05T00:30:00+00:00"


def test_what_could_not_be_computed_is_null_and_told(tmp_path: Path) -> None:
    path = tmp_path / "zero.csv"
    rows = (f"2026-01-{day:02}T{hour:02}:00Z,0" for day in range(1, 8) for hour in range(24))
    path.write_text("\n".join(["timestamp,value", *rows, ""]))
    given = ("backtest", path, "--engine", "seasonal_naive", "--horizon", "12h")
    why = f"{path}: all that came after the moments forecast from is 0"
    data = json.loads(run(*given, "--json").stdout, parse_constant=pytest.fail)
    assert data["scores"][0]["wape"] is None
    assert data["notes"][0].startswith(why)
    shown = run(*given).stdout
    assert "nan" not in shown
    assert why in shown


def test_json_never_holds_what_json_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    tables.write_json({"a": [float("nan"), (1.0, float("-inf"))], "b": {"c": np.float64("inf")}})
    assert json.loads(capsys.readouterr().out) == {"a": [None, [1.0, None]], "b": {"c": None}}


def test_replay_prints_a_table_of_all_modes(demand_file: Path, policy_file: Path) -> None:
    given = ["--since", "2026-01-19T22:00Z", "--engine", "seasonal_naive"]
    done = run("replay", demand_file, "--policy", policy_file, *given)
    assert done.returncode == 0
    assert all(mode in done.stdout for mode in ("predictive", "reactive", "hybrid", "aws_hourly", "conpaas"))


def test_diff_tells_what_changed_from_one_plan_to_the_next(
    demand_file: Path, policy_file: Path, tmp_path: Path
) -> None:
    higher = tmp_path / "higher.yaml"
    higher.write_text(policy_file.read_text().replace("min: 2", "min: 10"))
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    for policy, path in ((policy_file, old), (higher, new)):
        path.write_text(run("plan", demand_file, "--policy", policy, "--engine", "seasonal_naive", "--json").stdout)
    data = json.loads(run("diff", old, new, "--json").stdout)
    assert any(change["before"] < change["after"] == 10 for change in data["changes"])
    shown = run("diff", old, new)
    assert shown.returncode == 0
    assert "held at min_size 10" in shown.stdout
    assert "are the same from" in run("diff", old, old).stdout


def test_diff_refuses_what_is_no_plan(demand_file: Path) -> None:
    done = run("diff", demand_file, demand_file)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {demand_file}: not the JSON of a plan")


def test_what_if_compares_policies_in_a_table_and_a_picture(
    demand_file: Path, policy_file: Path, tmp_path: Path
) -> None:
    careful = tmp_path / "careful.yaml"
    careful.write_text(policy_file.read_text() + "headroom: 0.3\n")
    picture = tmp_path / "both.png"
    given = ["--since", "2026-01-19T12:00Z", "--engine", "seasonal_naive", "--price", "0.1"]
    done = run("what-if", demand_file, "--policy", policy_file, careful, *given, "--plot", picture, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    rows = json.loads(done.stdout)["outcomes"]
    assert [(row["policy"], row["mode"]) for row in rows] == [
        (policy, mode) for policy in ("web", "careful") for mode in ("static", "reactive", "hybrid")
    ]
    static, reactive = rows[0], rows[1]
    assert static["under_time_share"] == 0
    assert static["monthly_cost"] > reactive["monthly_cost"] > 0
    assert rows[4]["monthly_cost"] > reactive["monthly_cost"]
    assert picture.read_bytes().startswith(b"\x89PNG")
    table = run("what-if", demand_file, "--policy", policy_file, *given, "--mode", "static", "react")
    assert table.returncode == 0
    assert "cost a month" in table.stdout


def test_what_if_at_another_price_lets_the_costs_choose_the_quantile_anew(demand_file: Path, tmp_path: Path) -> None:
    given = ("--engine", "seasonal_naive", "--mode", "predictive", "--refresh", "12h", "--json")
    costs = {"cheap": ("0.1", "--price", "0.8"), "dear": ("0.8",)}
    found = []
    for name, (price, *typed) in costs.items():
        policy = tmp_path / f"{name}.yaml"
        policy.write_text(f"min: 2\nmax: 40\ntarget_per_instance: 600\nshortage_cost: 0.9\nprice_per_hour: {price}\n")
        done = run("what-if", demand_file, "--policy", policy, *given, *typed)
        found.append({**json.loads(done.stdout)["outcomes"][0], "policy": ""})
    assert found[0] == found[1]


def test_what_if_refuses_a_policy_given_twice(demand_file: Path, policy_file: Path) -> None:
    done = run("what-if", demand_file, "--policy", policy_file, policy_file)
    assert done.returncode == 2
    assert "more than once" in done.stderr


def test_a_bad_row_ends_in_2_and_one_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("timestamp,value\n2026-01-05T00:00Z,1\n2026-01-05T00:05Z,many\n")
    done = run("forecast", path, "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert f"{path}: line 3: value 'many' is not a number" in done.stderr


def test_too_short_a_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "short.csv"
    path.write_text("timestamp,value\n2026-01-05T00:00Z,1\n2026-01-05T00:05Z,2\n")
    done = run("forecast", path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {path}: 2 observed values")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--horizon", "soon"], "'soon' is not a duration"),
        (["--engine", "crystal"], "engine 'crystal' is unknown"),
        (["--timezone", "Mars/Base"], "time zone 'Mars/Base' is unknown"),
        (["--quantiles", "a"], "'a' is not a list of quantiles"),
        (["--quantiles", "0.9,0.5"], "are not ascending"),
        (["--plot", "x.gif"], "name a .png or .html file"),
    ],
)
def test_a_bad_option_ends_in_2_and_one_line(demand_file: Path, arguments: list[str], words: str) -> None:
    done = run("forecast", demand_file, *arguments)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert words in done.stderr


def test_a_bad_policy_ends_in_2_and_one_line(demand_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("min: 2\nmax: 1\ntarget_per_instance: 600\n")
    done = run("plan", demand_file, "--policy", path)
    assert done.returncode == 2
    assert done.stderr == f"error: {path}: min_size is 2, above max_size 1: lower the one or raise the other\n"


def test_importing_the_package_stays_cheap() -> None:
    """What is slow to import is imported by the calls that need it."""
    slow = "('pandas', 'prophet', 'matplotlib', 'yaml', 'rich')"
    code = f"import sys, forecasting; print([name for name in {slow} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
