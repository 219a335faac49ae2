"""Whatever is typed or stands in a file: exit 2, and one line that names file, row or key, the value and the mend."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecasting.__main__ import main
from forecasting.synthetic import synthetic_demand

if TYPE_CHECKING:
    from pathlib import Path

POLICY = "min: 2\nmax: 40\ntarget_per_instance: 600\n"
COMMAND = [sys.executable, "-m", "forecasting"]
QUICK = ("--engine", "seasonal_naive")


class Done(NamedTuple):
    code: int | str | None
    out: str
    err: str


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> Done:
    """Run a command in this process, which is quicker by half a second than in one of its own."""
    capsys.readouterr()
    try:
        code: int | str | None = main([str(argument) for argument in arguments])
    except SystemExit as left:
        code = left.code
    return Done(code, *capsys.readouterr())


def a_demand(folder: Path, name: str = "ok.csv", value: str | None = None, days: int = 4) -> Path:
    """Write a demand; `value` stands in every row instead of what was invented."""
    demand = synthetic_demand(days=days, step=timedelta(minutes=30), level=8_000)
    pairs = zip(demand.times(), demand.values, strict=True)
    rows = (f"{when.isoformat()},{f'{number:.2f}' if value is None else value}\n" for when, number in pairs)
    (folder / name).write_text("timestamp,value\n" + "".join(rows))
    return folder / name


def a_policy(folder: Path, more: str = "", name: str = "pol.yaml") -> Path:
    (folder / name).write_text(POLICY + more)
    return folder / name


def a_plan(folder: Path, name: str, **changes: object) -> Path:
    step = {"at": "2026-01-05T00:00Z", "capacity": 3, "reason": "as asked"} | changes
    (folder / name).write_text(json.dumps({"format": "plan/1", "steps": [step]}))
    return folder / name


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--now", "0001-01-01T00:00+14:00", "argument --now: instant 0001-.* outside the years 1900 to 2199"),
        ("--now", "9999-12-31T23:59-14:00", "argument --now: .* check the year"),
        ("--current", "-3", "argument --current: '-3' is not a whole number of 0 to"),
        ("--current", "9" * 5_000, r"argument --current: '9+\.\.\.9+' is not"),
        ("--horizon", "0h", "argument --horizon: horizon 0s is not between 0 and 14 days"),
        ("--horizon", "9" * 30 + ":00:00", "argument --horizon: '9+:00:00' is too long"),
        ("--engine", "nope", "argument --engine: engine 'nope' is unknown: choose one of auto"),
        ("--country", "HolidayBase", "argument --country: country 'HolidayBase' is unknown"),
        ("--timezone", "Mars", "argument --timezone: time zone 'Mars' is unknown"),
        ("--plot", "nowhere/x.png", "argument --plot: 'nowhere/x.png' cannot be written"),
    ],
)
def test_a_bad_option_is_named_and_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, value: str, words: str
) -> None:
    demand, policy = a_demand(tmp_path), a_policy(tmp_path)
    done = run(capsys, "plan", demand, "--policy", policy, f"{option}={value}")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert str(demand) not in done.err
    assert re.search(words, done.err)


@pytest.mark.parametrize("now", ["2020-01-01T00:00Z", "2031-01-05T00:00Z"])
def test_a_plan_is_drawn_where_something_is_known(tmp_path: Path, capsys: pytest.CaptureFixture[str], now: str) -> None:
    done = run(capsys, "plan", a_demand(tmp_path), "--policy", a_policy(tmp_path), f"--now={now}")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert re.search(f"ok.csv: --now {now[:10]}.* must lie between .*, where the demand begins, and ", done.err)


@pytest.mark.parametrize("quantiles", ["nan", "0.5,nan", "nan,0.5", "1.5", "0", "inf"])
def test_a_quantile_is_a_share(tmp_path: Path, capsys: pytest.CaptureFixture[str], quantiles: str) -> None:
    done = run(capsys, "forecast", a_demand(tmp_path), "--quantiles", quantiles, "--json")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: argument --quantiles: quantiles (")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("timezone: Mars\n", "timezone: time zone 'Mars' is unknown"),
        ("timezone: 5\n", "timezone is 5: write a name"),
        ("engine: nope\n", "engine: engine 'nope' is unknown"),
        ("country: NO\n", "country is False: write a name, in quotes"),
        ("events: [{name: sale}]\n", "events[0] is {'name': 'sale'}: write {name: sale, start: "),
        ("granularity: 0\n", "granularity is 0s: give whole minutes"),
        ("granularity: 7m\n", "granularity is 7m: give whole minutes"),
        ("max: 5\n", "line 4: key 'max' stands twice: keep one"),
        ("breach_max: 99999999999\n", "breach_max is 99999999999: "),
        ("price_per_hour: 1.0e+300\n", "price_per_hour is 1e+300: give 0 to 1e+09"),
        ("a: " + "[" * 50_000 + "]" * 50_000, "nested more than 100 deep"),
        ("freezes: 5\n", "freezes is 5: list each as"),
    ],
)
def test_a_bad_key_of_a_policy_is_named_with_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: str, words: str
) -> None:
    policy = a_policy(tmp_path, more)
    done = run(capsys, "plan", a_demand(tmp_path), "--policy", policy)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert done.err.startswith(f"error: {policy}: ")
    assert words in done.err


@pytest.mark.parametrize("zero", ['"0"', "0s", '"00:00:00"', "PT0S", "0"])
def test_no_time_at_all_is_a_duration(tmp_path: Path, capsys: pytest.CaptureFixture[str], zero: str) -> None:
    policy = a_policy(tmp_path, f"cooldown_up: {zero}\n")
    boot = zero.strip('"')
    done = run(capsys, "replay", a_demand(tmp_path), "--policy", policy, "--mode", "reactive", f"--boot={boot}")
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("1e308", "line 2: value '1e308' is above 1e+15, more than any fleet is asked for: count in a greater unit"),
        ("", "as of 2026-01-07T09:30:00+00:00: 0 observed values in the last 115 slots of 30m"),
    ],
)
def test_a_bad_value_is_named_with_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], value: str, words: str
) -> None:
    demand = a_demand(tmp_path, value=value)
    done = run(capsys, "backtest", demand, "--horizon", "6h", *QUICK)
    assert done.code == 2
    assert done.err.startswith(f"error: {demand}: {words}")


@pytest.mark.parametrize("year", ["0001", "9999"])
def test_a_year_nobody_lived_in_is_named_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], year: str
) -> None:
    demand = tmp_path / "year.csv"
    demand.write_text(f"timestamp,value\n{year}-01-01T00:00+14:00,1\n{year}-01-01T01:00+14:00,2\n")
    for command in (("forecast", demand), ("replay", demand, "--policy", a_policy(tmp_path))):
        done = run(capsys, *command)
        assert done.code == 2
        assert f"{demand}: line 2: timestamp {year}-01-01T00:00:00+14:00 lies outside" in done.err


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"capacity": 1.7}, "step 0: capacity is 1.7: write a whole number"),
        ({"capacity": float("inf")}, "step 0: capacity is inf: write a whole number"),
        ({"capacity": True}, "step 0: capacity is True"),
        ({"capacity": "3"}, "step 0: capacity is '3'"),
        ({"reason": 5}, "step 0: reason is 5: write a sentence"),
        ({"demand": float("nan")}, "step 0: demand is nan: write a finite number"),
        ({"at": "0001-01-01T00:00+14:00"}, "step at 0001-01-01T00:00:00+14:00 lies outside the years"),
    ],
)
def test_a_plan_with_a_field_that_is_none_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, object], words: str
) -> None:
    good, bad = a_plan(tmp_path, "good.json"), a_plan(tmp_path, "bad.json", **changes)
    done = run(capsys, "diff", good, bad)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert done.err.startswith(f"error: {bad}: {words}")


def test_json_nested_without_end_is_no_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    deep = tmp_path / "deep.json"
    deep.write_text("[" * 100_000)
    assert run(capsys, "diff", deep, deep).code == 2


def test_a_file_given_twice_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    demand = a_demand(tmp_path)
    done = run(capsys, "backtest", demand, demand)
    assert (done.code, done.err) == (2, f"error: DEMAND.csv names {demand} more than once: give every file once\n")


def test_no_origins_are_one_fault_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = run(capsys, "backtest", a_demand(tmp_path), "--origins", "0")
    assert done.code == 2
    assert "argument --origins: '0' is not a whole number of 1 to 1,000;" in done.err


@pytest.mark.parametrize("text", ["", "5", "a,b\n1,2\n"])
def test_what_is_no_cost_profile_gets_the_hint_for_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    path = tmp_path / "day.yaml"
    path.write_text(text)
    done = run(capsys, "costs", path)
    assert done.code == 2
    assert done.err.startswith(f"error: {path}: holds ")
    assert "write for example always_on: {capacity: 600" in done.err


def test_keys_of_a_price_file_that_are_none_are_named_whatever_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prices, day = tmp_path / "prices.yaml", tmp_path / "day.yaml"
    prices.write_text("as_of: 2026-01-05\nsource: invoice\nrates: [{name: m6i.large, spot: 1, 1: 2, foo: 3}]\n")
    day.write_text('always_on: {capacity: 600, per_hour: 1}\nprofile: {"00:00": 10}\n')
    done = run(capsys, "costs", day, "--prices", prices)
    assert done.code == 2
    assert done.err.startswith(f"error: {prices}: m6i.large has [1, 'foo']: write one or more of on_demand")


def test_a_path_of_two_lines_is_told_in_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = run(capsys, "forecast", tmp_path / "a\nb.csv")
    assert (done.code, done.err.count("\n")) == (2, 1)


def test_a_reader_who_goes_away_hears_no_complaint(tmp_path: Path) -> None:
    command = [*COMMAND, "forecast", str(a_demand(tmp_path)), *QUICK, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as begun:
        assert begun.stdout
        assert begun.stderr
        begun.stdout.close()
        assert begun.stderr.read() == b""
    assert begun.returncode == 1


def test_a_fault_of_the_arguments_alone_ends_in_one_line_too(tmp_path: Path) -> None:
    """In a process of its own, where a traceback would be seen."""
    given = ("plan", a_demand(tmp_path), "--policy", a_policy(tmp_path), "--now", "0001-01-01T00:00+14:00")
    done = subprocess.run([*COMMAND, *map(str, given)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


OPTIONS = ("--now", "--current", "--horizon", "--country", "--timezone", "--engine", "--policy", "--since", "--json")
HOSTILE = st.one_of(
    st.text(max_size=30),
    st.from_regex(r"-?[0-9]{1,40}[dhms]?", fullmatch=True),
    st.from_regex(r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:00[+-][0-2][0-9]:00", fullmatch=True),
    st.sampled_from(["nan", "inf", "1e999", "0", "DE", "UTC", "auto", "/", ".", ""]),
)


@given(options=st.lists(st.tuples(st.sampled_from(OPTIONS), HOSTILE), max_size=3))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_typed_brings_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[tuple[str, str]]
) -> None:
    demand, policy = a_demand(tmp_path, days=2), a_policy(tmp_path)
    typed = [f"{name}={value}" for name, value in options]
    done = run(capsys, "plan", demand, "--policy", policy, *QUICK, *typed)
    assert done.code in {0, 2}
    assert done.err.count("\n") == (done.code == 2)


@given(content=st.binary(max_size=300))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_in_a_file_brings_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    path = tmp_path / "any"
    path.write_bytes(content)
    for command in (("forecast", path), ("diff", path, path), ("costs", path)):
        done = run(capsys, *command)
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
