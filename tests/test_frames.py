from __future__ import annotations

import base64
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden.make import CASES, FOLDER, contents
from trackbook._frames import Picture
from wire import FrontEnd, kernel_picture, plain


def unpacked(message: dict[str, Any]) -> dict[str, Any]:
    return {
        trait: {"header": frame["header"], "data": base64.b64decode(frame["data"])} for trait, frame in message.items()
    }


def assert_same(got: Any, expected: Any, where: str = "") -> None:
    """Equal, but for the last digits of means, which depend on the order of additions."""
    if isinstance(expected, dict):
        assert got.keys() == expected.keys(), where
        for key, item in expected.items():
            assert_same(got[key], item, f"{where}/{key}")
    elif isinstance(expected, list):
        assert len(got) == len(expected), where
        for place, (one, other) in enumerate(zip(got, expected, strict=True)):
            assert_same(one, other, f"{where}[{place}]")
    elif isinstance(expected, float) and isinstance(got, float):
        assert math.isclose(got, expected, rel_tol=1e-9, abs_tol=1e-9), where
    else:
        assert got == expected, where


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_the_golden_files_are_what_the_kernel_sends(case: Any) -> None:
    kept = json.loads((FOLDER / f"{case.__name__}.json").read_text())
    assert json.loads(json.dumps(contents(case))) == kept


def test_every_golden_file_has_its_case() -> None:
    assert {path.stem for path in Path(FOLDER).glob("*.json")} == {case.__name__ for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_a_front_end_assembles_the_kernels_picture(case: Any) -> None:
    golden = contents(case)
    front_end = FrontEnd()
    for message in golden["frames"]:
        front_end.receive(**unpacked(message))
    assert front_end.picture is not None
    assert_same(plain(front_end.picture), golden["picture"])


def run_header(key: int, **more: Any) -> Any:
    return {"key": key, "id": f"run{key}", "name": f"run {key}", "state": "running"} | more


points = st.lists(st.tuples(st.integers(0, 1), st.sampled_from(["a", "b/c"]), st.integers(0, 3)), max_size=8)
acts = st.lists(st.one_of(points, st.sampled_from(["keyframe", "delta", "lost delta", "run"])), max_size=30)


@given(acts)
def test_whatever_is_sent_and_lost_keyframe_and_delta_are_the_whole_picture(acts: list[Any]) -> None:
    kernel, front_end = Picture("p"), FrontEnd()
    for key in (0, 1):
        kernel.put_run(run_header(key))
    keyframe = kernel.keyframe(0.0)
    front_end.receive(keyframe=keyframe, delta=kernel.delta(0.0))
    next_step: dict[tuple[int, str], int] = {}
    for number, act in enumerate(acts):
        if isinstance(act, list):
            for run, metric, stretch in act:
                start = next_step.get((run, metric), 0)
                steps = np.arange(start, start + 40 * stretch + 1) * 3
                next_step[run, metric] = start + len(steps)
                kernel.add_points(f"run{run}", metric, steps, steps / 2, np.sin(steps))
        elif act == "keyframe":
            front_end.receive(keyframe=kernel.keyframe(0.0), delta=kernel.delta(0.0))
        elif act == "run":
            kernel.put_run(run_header(0, done=number))
        elif act == "delta":
            front_end.receive(delta=kernel.delta(0.0))
        else:
            kernel.delta(0.0)
    front_end.receive(delta=kernel.delta(0.0))
    seq = kernel.seq
    assert front_end.picture is not None
    assert_same(plain(front_end.picture), plain(kernel_picture(kernel)) | {"seq": seq})


def test_a_delta_carries_only_what_changed_since_its_keyframe() -> None:
    kernel = Picture("p")
    kernel.put_run(run_header(0))
    kernel.add_points("run0", "loss", np.arange(100), np.arange(100.0), np.arange(100.0))
    kernel.add_points("run0", "acc", np.arange(100), np.arange(100.0), np.arange(100.0))
    kernel.keyframe(0.0)
    kernel.add_points("run0", "loss", np.array([100]), np.array([100.0]), np.array([100.0]))
    delta = kernel.delta(0.0)
    assert delta["header"]["series"] == [{"run": 0, "metric": 0, "width": 1, "rows": 1, "at": 0}]
    assert len(delta["data"]) == 3 * 8
    assert (delta["header"]["runs"], delta["header"]["metrics"]) == ([], [])


def test_a_picture_without_points_has_an_empty_buffer() -> None:
    assert Picture("p").keyframe(0.0)["data"] == b""


def test_a_cleared_run_is_gone_from_the_next_keyframe() -> None:
    kernel = Picture("p")
    kernel.put_run(run_header(0))
    kernel.add_points("run0", "loss", np.arange(3), np.zeros(3), np.zeros(3))
    kernel.clear_run("run0")
    assert kernel.keyframe(0.0)["header"]["series"] == []
