from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from golden.make import Kernel
from golden.make_rows import CASES, FOLDER, contents, membership
from test_frames import assert_same
from trackbook._drawn import Look, palette, plot_of, smooth, style_runs


def kept(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_the_golden_rows_are_what_is_drawn(case: Any) -> None:
    made = json.loads(json.dumps(contents(case)))
    assert made["keyframe"] == kept(case.__name__)["keyframe"]
    assert_same(made["views"], kept(case.__name__)["views"])


def test_every_file_of_golden_rows_has_its_case() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == {case.__name__ for case in CASES} | {"members"}
    assert json.loads(json.dumps(membership())) == kept("members")


def test_smoothing_is_the_centred_mean_cut_off_at_the_ends() -> None:
    values = np.array([1.0, 2, 3, np.nan, 5])
    got = smooth(values, np.isfinite(values).astype(float), 1)
    assert got.tolist() == [1.5, 2, 2.5, 4, 5]


def test_where_nothing_is_finite_smoothing_gives_nan() -> None:
    assert np.isnan(smooth(np.array([np.nan, np.nan]), np.zeros(2), 3)).all()


def test_a_window_wider_than_the_series_takes_all_of_it() -> None:
    assert smooth(np.array([1.0, 3.0]), np.ones(2), 20).tolist() == [2, 2]


def test_no_smoothing_leaves_the_values() -> None:
    values = np.array([1.0, np.nan])
    assert smooth(values, np.ones(2), 0) is values


def test_a_run_has_the_colour_that_was_chosen_for_it() -> None:
    kernel = Kernel()
    kernel.run(0, "first")
    kernel.points(0, "loss", range(3), [1, 2, 3])
    plot = plot_of(kernel.picture, "loss", Look(colors={"run0": "#123456"}))
    assert {row["color"] for row in plot.rows} == {"#123456"}


def test_the_colours_come_round_again_with_another_dash() -> None:
    kernel = Kernel()
    for key in (0, 10):
        kernel.run(key, str(key))
    first, eleventh = style_runs(kernel.picture.runs.values(), Look()).values()
    assert first.color == eleventh.color == palette()["light"]["line"][0]
    assert first.dash != eleventh.dash
