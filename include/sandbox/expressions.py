"""A subset of CloudWatch metric math: arithmetic, comparisons, and a dozen functions, walked as a syntax tree."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sandbox.errors import ValidationError
from sandbox.metrics import Floats, Points

if TYPE_CHECKING:
    from typing import Never

Value = float | Points | list[Points]
Lookup = Callable[[str], Points]

OPERATORS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
REDUCTIONS: dict[str, Callable[..., Any]] = {"MAX": np.max, "MIN": np.min, "SUM": np.sum, "AVG": np.mean}
ROUNDINGS: dict[str, Callable[[Any], Any]] = {"ABS": np.abs, "CEIL": np.ceil, "FLOOR": np.floor}


class Expression:
    """One expression of a GetMetricData call.

    A point exists where every operand has one, and a division by zero leaves none, as in CloudWatch.
    """

    def __init__(self, text: str, *, lookup: Lookup, metrics: Sequence[str], grid: Floats, period: float) -> None:
        """Take the text, the way to another query's points, the metric queries, and the periods of the range."""
        self._text = text
        self._lookup = lookup
        self._metrics = metrics
        self._grid = grid
        self._period = period

    def points(self) -> Points:
        """Return the value of the expression: one time series."""
        try:
            tree = ast.parse(self._text.replace("^", "**"), mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            self._refuse("it cannot be parsed")
        try:
            value = self._value(tree.body)
        except RecursionError:
            self._refuse("it is nested too deep")
        if isinstance(value, Points):
            return value
        if isinstance(value, list):
            self._refuse("it returns several time series, give an expression that returns one")
        return Points(self._grid, np.full(len(self._grid), value))

    def _refuse(self, why: str) -> Never:
        message = f"Error in expression '{self._text}': {why}. The sandbox knows + - * / ^, comparisons and "
        raise ValidationError(message + ", ".join(sorted([*REDUCTIONS, *ROUNDINGS, "FILL", "IF", "METRICS", "PERIOD"])))

    def _value(self, node: ast.expr) -> Value:  # noqa: PLR0911 - one return per kind of node
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return float(number)
            case ast.Name(id=name):
                return self._lookup(name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._combine(operator.sub, 0.0, self._value(operand))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self._value(operand)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
                return self._combine(OPERATORS[type(op)], self._value(left), self._value(right))
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in OPERATORS:
                return self._combine(OPERATORS[type(op)], self._value(left), self._value(right))
            case ast.List(elts=elements):
                return [self._series(element) for element in elements]
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._call(name, arguments)
        return self._refuse(f"{ast.unparse(node)} is not supported")

    def _series(self, node: ast.expr) -> Points:
        value = self._value(node)
        if not isinstance(value, Points):
            self._refuse(f"{ast.unparse(node)} is not a time series")
        return value

    def _combine(self, function: Callable[[Any, Any], Any], left: Value, right: Value) -> Value:
        if isinstance(left, list) or isinstance(right, list):
            return self._combine_lists(function, left, right)
        if isinstance(left, float) and isinstance(right, float):
            if function is operator.truediv and right == 0:
                self._refuse("it divides by the constant 0")
            return float(function(left, right))
        times = left.times if isinstance(left, Points) else right.times if isinstance(right, Points) else self._grid
        if isinstance(left, Points) and isinstance(right, Points):
            times, at_left, at_right = np.intersect1d(left.times, right.times, return_indices=True)
            return _clean(times, function, left.values[at_left], right.values[at_right])
        return _clean(times, function, _plain(left), _plain(right))

    def _combine_lists(self, function: Callable[[Any, Any], Any], left: Value, right: Value) -> Value:
        if isinstance(left, list) and isinstance(right, list):
            self._refuse("two lists cannot be combined")
        if isinstance(left, list):
            return [self._one(self._combine(function, each, right)) for each in left]
        assert isinstance(right, list)
        return [self._one(self._combine(function, left, each)) for each in right]

    def _one(self, value: Value) -> Points:
        if not isinstance(value, Points):
            self._refuse("a list holds something that is not a time series")
        return value

    def _call(self, name: str, arguments: list[ast.expr]) -> Value:  # noqa: C901, PLR0911 - one case per function
        match name, arguments:
            case "METRICS", []:
                return [self._lookup(each) for each in self._metrics]
            case "PERIOD", [ast.Name()]:
                return float(self._period)
            case "IF", [condition, yes]:
                return self._if(self._value(condition), self._value(yes), None)
            case "IF", [condition, yes, no]:
                return self._if(self._value(condition), self._value(yes), self._value(no))
            case "FILL", [series, filler]:
                return self._fill(self._series(series), filler)
            case _, [argument] if name in ROUNDINGS:
                value = self._value(argument)
                if isinstance(value, Points):
                    return Points(value.times, ROUNDINGS[name](value.values))
                if isinstance(value, float):
                    return float(ROUNDINGS[name](value))
            case _, [argument] if name in REDUCTIONS:
                return self._reduce(name, self._value(argument))
            case _, [_, _, *_] if name in REDUCTIONS:
                return self._reduce(name, [self._series(each) for each in arguments])
        return self._refuse(f"{name} with {len(arguments)} argument(s) is not supported")

    def _reduce(self, name: str, value: Value) -> Value:
        """Reduce a list of series point by point, and one series to a number, as CloudWatch does."""
        function = REDUCTIONS[name]
        if isinstance(value, Points):
            return float(function(value.values)) if len(value.values) else 0.0
        if isinstance(value, float):
            return value
        if not value:
            return Points.none()
        times = np.unique(np.concatenate([each.times for each in value]))
        table = np.full((len(value), len(times)), np.nan)
        for row, each in enumerate(value):
            table[row, np.searchsorted(times, each.times)] = each.values
        columns = (column[~np.isnan(column)] for column in table.T)
        return Points(times, np.array([function(column) for column in columns]))

    def _if(self, condition: Value, yes: Value, no: Value | None) -> Value:
        if isinstance(condition, list) or isinstance(yes, list) or isinstance(no, list):
            self._refuse("IF takes time series and numbers, not lists")
        present = [each for each in (condition, yes, no) if isinstance(each, Points)]
        if not present:
            return yes if condition else (0.0 if no is None else no)
        times = present[0].times
        for each in present[1:]:
            times = np.intersect1d(times, each.times)
        chosen = np.where(_at(condition, times) != 0, _at(yes, times), np.nan if no is None else _at(no, times))
        kept = ~np.isnan(chosen)
        return Points(times[kept], chosen[kept])

    def _fill(self, series: Points, filler: ast.expr) -> Points:
        """Give a value to every period of the range that has none."""
        if not len(self._grid):
            return series
        values = np.full(len(self._grid), np.nan)
        inside = np.isin(series.times, self._grid)
        values[np.searchsorted(self._grid, series.times[inside])] = series.values[inside]
        holes = np.isnan(values)
        match filler:
            case ast.Name(id="REPEAT"):
                last = np.maximum.accumulate(np.where(holes, -1, np.arange(len(values))))
                values = np.where(last < 0, np.nan, values[last])
            case ast.Name(id="LINEAR"):
                if (~holes).any():
                    values = np.interp(self._grid, self._grid[~holes], values[~holes], left=np.nan, right=np.nan)
            case _:
                number = self._value(filler)
                if not isinstance(number, float):
                    self._refuse("FILL takes a number, REPEAT or LINEAR")
                values[holes] = number
        kept = ~np.isnan(values)
        return Points(self._grid[kept], values[kept])


def _plain(value: Value) -> Any:
    return value.values if isinstance(value, Points) else value


def _at(value: Value, times: Floats) -> Floats:
    """Return a value at instants, which a series has all of."""
    if isinstance(value, Points):
        return value.values[np.searchsorted(value.times, times)]
    return np.full(len(times), value)


def _clean(times: Floats, function: Callable[[Any, Any], Any], left: Any, right: Any) -> Points:
    with np.errstate(all="ignore"):
        values = np.asarray(function(left, right), dtype=float)
    kept = np.isfinite(values)
    return Points(times[kept], values[kept])
