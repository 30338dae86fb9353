"""Random programs: an instrumented cell behaves as the plain one, and reports what a copy with explicit calls logs."""

from __future__ import annotations

import ast
import contextlib
import io
import re
import traceback
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings

from random_programs import TRACKED, programs
from trackbook.magics.instrument import KINDS, VALUE, instrument, passing_name
from trackbook.magics.targets import parse_targets
from trackbook.magics.tracked_code import Options, track_code
from trackbook.magics.tracker import Passing, Tracker

pytestmark = [pytest.mark.first, pytest.mark.slow]


class Outcome(NamedTuple):
    output: str
    variables: dict[str, Any]
    error: tuple[str, str, list[int | None]] | None


def outcome(tree: ast.Module, extra: dict[str, Any]) -> Outcome:
    scope: dict[str, Any] = dict(extra)
    error = None
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        try:
            exec(compile(tree, "cell", "exec"), scope)
        except Exception as caught:  # noqa: BLE001  whatever it is, the other program has to raise it too
            lines = [frame.lineno for frame in traceback.extract_tb(caught.__traceback__) if frame.filename == "cell"]
            error = type(caught).__name__, str(caught), lines
    plain = {name: scope[name] for name in scope if isinstance(scope[name], (int, str, list, type(None)))}
    return Outcome(output.getvalue(), plain, error)


@given(programs())
@settings(max_examples=120)
def test_instrumented_program_behaves_and_logs_like_a_copy(pair: tuple[str, str]) -> None:
    plain, copy = pair
    told: list[tuple[str, Any]] = []
    logged: list[tuple[str, Any]] = []

    def tracker(code: int, value: Any) -> bool:
        assert code % KINDS == VALUE
        told.append((TRACKED[code // KINDS], value))
        return False

    tree = instrument(ast.parse(plain), parse_targets(TRACKED), "__tracker__").tree
    expected = outcome(ast.parse(plain), {})
    assert outcome(ast.fix_missing_locations(tree), {"__tracker__": tracker}) == expected
    outcome(ast.parse(copy), {"log": lambda name, value: logged.append((name, value))})
    assert told == logged


@given(programs())
@settings(max_examples=80)
def test_options_do_not_change_behaviour(pair: tuple[str, str]) -> None:
    plain, _ = pair
    tree = instrument(
        ast.parse(plain),
        parse_targets(["a", "s=a+b", "q=1//(c-1)", "r=f.__name__"]),
        "__tracker__",
        step=ast.parse("c", mode="eval").body,
        throttled=True,
    ).tree

    def tracker(code: int, value: Any) -> bool:
        return code % 3 > 0

    expected = outcome(ast.parse(plain), {})
    assert outcome(ast.fix_missing_locations(tree), {"__tracker__": tracker}) == expected


@given(programs())
@settings(max_examples=100)
def test_cell_without_names_behaves_as_before(pair: tuple[str, str]) -> None:
    plain = re.sub(r"\bb\b", "val_acc", re.sub(r"\ba\b", "loss", pair[0]))
    plain = f"{plain}\nlosses = []\nfor i in range(2):\n    losses.append(loss)\n    print('loss', loss, f'acc {{val_acc}}')"
    tree = ast.parse(plain)
    code = track_code(tree, [], Options("__tracker__"), {})
    tracker = Tracker(code.selected.metrics, lenient=True, axes=code.selected.axes)
    expected = outcome(ast.parse(plain), {})
    extra = {"__tracker__": tracker, passing_name("__tracker__"): Passing(tracker)}
    assert outcome(ast.fix_missing_locations(tree), extra) == expected
