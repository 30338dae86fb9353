from __future__ import annotations

import warnings
from pathlib import Path

import pytest

import trackbook
from trackbook._errors import TrackbookWarning, warn


def test_a_warning_points_at_the_line_that_called_us() -> None:
    with pytest.warns(TrackbookWarning, match="half of it") as warned:
        warn("half of it")
    assert warned[0].filename == __file__


def test_a_warning_from_deep_within_points_at_the_line_that_called_us() -> None:
    inside = compile(
        "def deep(warn):\n    warn('x')\ndef call(warn):\n    deep(warn)\n",
        f"{Path(trackbook.__file__).parent}/x.py",
        "exec",
    )
    names: dict[str, object] = {}
    exec(inside, names)
    with pytest.warns(TrackbookWarning) as warned:
        names["call"](warn)  # type: ignore[operator]
    assert warned[0].filename == __file__


def test_a_warning_from_a_folder_whose_name_begins_like_ours_points_there() -> None:
    path = f"{Path(trackbook.__file__).parent}-experiments/train.py"
    with pytest.warns(TrackbookWarning) as warned:
        exec(compile("warn('x')", path, "exec"), {"warn": warn})
    assert warned[0].filename == path


def test_warnings_can_be_silenced_as_users_warnings() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        warn("nothing to hear")
    assert issubclass(trackbook.TrackbookWarning, UserWarning)
