from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from trackbook.charts.column_colors import column_colors
from trackbook.charts.theme import theme

# Read by js/test/runs/color-by.test.ts too: both languages give a run the same color.
GOLDEN = json.loads((Path(__file__).parent.parent / "golden" / "colors" / "columns.json").read_text("utf-8"))


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case["name"])
def test_colors_are_those_of_the_front_end(case: Any) -> None:
    values = {f"r{number}": value for number, value in enumerate(case["values"])}
    assert list(column_colors(values, case["theme"]).values()) == case["colors"]


def test_few_values_have_a_color_each_and_many_numbers_a_ramp() -> None:
    line, ramp = theme()["light"]["line"], theme()["light"]["ramp"]
    assert column_colors({"a": "sgd", "b": "adam", "c": "sgd"}) == {"a": line[1], "b": line[0], "c": line[1]}
    colors = column_colors({str(number): number for number in range(11)})
    assert (colors["0"], colors["10"]) == (ramp[0], ramp[-1])
    assert len(set(colors.values())) == 11


def test_magnitudes_are_spaced_evenly() -> None:
    colors = column_colors({str(power): 10.0**power for power in range(-4, 5)})
    assert colors["0"] == theme()["light"]["ramp"][2]


def test_run_without_a_value_is_grey() -> None:
    colors = column_colors({"a": 1, "b": None, "c": "", "d": float("nan"), "e": 2})
    assert {colors["b"], colors["c"], colors["d"]} == {theme()["light"]["faded"]["line"]}
