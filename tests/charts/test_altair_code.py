"""The code that a chart's menu copies (`js/src/interact/altair-code.ts`) draws the chart, whatever the names are."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import altair as alt
import pytest

import trackbook as tb

PROGRAMS = json.loads((Path(__file__).with_name("altair_code.json")).read_text(encoding="utf-8"))
METRIC, X_METRIC = 'it\'s "quoted" \\ and\nbroken', "'; drop table points; --"


def last_expression(program: str, names: dict[str, Any]) -> Any:
    *statements, last = ast.parse(program).body
    assert isinstance(last, ast.Expr)
    exec(compile(ast.Module(statements, []), "copied", "exec"), names)
    return eval(compile(ast.Expression(last.value), "copied", "eval"), names)


@pytest.mark.parametrize("count", [5_000, 5_001, 12_345])
def test_copied_code_draws_no_more_rows_than_altair_takes(count: int) -> None:
    program = PROGRAMS[0]
    for key in range(2):
        with tb.init(project='it\'s a "project"', name="any", display=False) as run:
            for i in range(count // 2 + key):
                run.log({METRIC: i + 1})
        program = program.replace(f'"id{key}"', f'"{run.id}"').replace(f"'id{key}'", f"'{run.id}'")
    names: dict[str, Any] = {}
    last_expression(program, names).to_dict()  # Altair raises MaxRowsError
    assert names["points"]["run"].n_unique() == 2


@pytest.mark.parametrize("program", PROGRAMS, ids=["step", "relative", "time", "metric"])
def test_copied_code_draws_the_chart_of_hostile_names(program: str) -> None:
    for key in range(2):
        with tb.init(project='it\'s a "project"', name="any", display=False) as run:
            for i in range(5):
                run.log({METRIC: i + 1 + key, X_METRIC: 10 * i})
        program = program.replace(f'"id{key}"', f'"{run.id}"').replace(f"'id{key}'", f"'{run.id}'")
    names: dict[str, Any] = {}
    chart = last_expression(program, names)
    assert isinstance(chart, alt.Chart)
    assert chart.to_dict()["encoding"]["y"]["title"] == METRIC
    points = names["points"]
    assert sorted(points["value"]) == [1, 2, 2, 3, 3, 4, 4, 5, 5, 6]
    assert points["x"].null_count() == 0
    assert points["run"].n_unique() == 2
