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
from trackbook.frames.picture import Picture
from trackbook.frames.protocol import COMPACT
from wire import FrontEnd, assert_same, kernel_picture, plain


def unpacked(message: dict[str, Any]) -> dict[str, Any]:
    return {
        trait: {"header": frame["header"], "data": base64.b64decode(frame["data"])} for trait, frame in message.items()
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_frames_equal_the_golden_files(case: Any) -> None:
    kept = json.loads((FOLDER / f"{case.__name__}.json").read_text())
    assert json.loads(json.dumps(contents(case))) == kept


def test_every_golden_file_has_a_case() -> None:
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
    return {"key": key, "place": key, "id": f"run{key}", "name": f"run {key}", "state": "running"} | more


points = st.lists(st.tuples(st.integers(0, 1), st.sampled_from(["a", "b/c"]), st.integers(0, 3)), max_size=8)
acts = st.lists(st.one_of(points, st.sampled_from(["keyframe", "delta", "lost delta", "run"])), max_size=30)


@given(acts)
def test_keyframe_and_delta_are_complete_after_any_loss(acts: list[Any]) -> None:
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
    assert delta["header"]["series"] == [(0, 0, 1, 1, COMPACT, 0)]
    assert len(delta["data"]) == 24 + 16
    assert (delta["header"]["runs"], delta["header"]["metrics"]) == ([], [])


def test_a_picture_without_points_has_an_empty_buffer() -> None:
    assert Picture("p").keyframe(0.0)["data"] == b""


def test_a_cleared_run_is_gone_from_the_next_keyframe() -> None:
    kernel = Picture("p")
    kernel.put_run(run_header(0))
    kernel.add_points("run0", "loss", np.arange(3), np.zeros(3), np.zeros(3))
    kernel.clear_run("run0")
    assert kernel.keyframe(0.0)["header"]["series"] == []


def sent(points: dict[int, float], budget: int | None = None) -> dict[float, dict[str, float]]:
    """Return the rows of one series as they arrive."""
    kernel = Picture("p")
    kernel.put_run(run_header(0))
    steps = np.array(list(points), np.int64)
    kernel.add_points("run0", "loss", steps, steps / 2, np.array(list(points.values())))
    front_end = FrontEnd()
    front_end.receive(keyframe=kernel.keyframe(0.0, budget), delta=kernel.delta(0.0))
    assert front_end.picture is not None
    rows: dict[float, dict[str, float]] = front_end.picture["series"][0, 0][1]
    return rows


@pytest.mark.parametrize("scale", [1e-300, 1e-60, 1e-40, 1e-7, 1.0, 1e7, 1e37, 1e300])
def test_values_of_any_magnitude_are_kept(scale: float) -> None:
    points = {step: scale * (1 + step % 1000) / 7 for step in range(20_000)}
    rows = sent(points)
    assert len(rows) < 4096
    for row in rows.values():
        for corner in ("first", "min", "max", "last"):
            assert row[corner] == pytest.approx(points[int(row[f"{corner}_step"])], rel=1e-7, abs=0)


def test_a_narrow_range_far_from_zero_keeps_its_shape() -> None:
    rows = sent({step: 1e9 + math.sin(step / 300) for step in range(20_000)})
    for row in rows.values():
        assert row["max"] == pytest.approx(1e9 + math.sin(row["max_step"] / 300), abs=2e-7)
        assert row["mean"] == pytest.approx(1e9 + math.sin((row["first_step"] + row["last_step"]) / 600), abs=1e-2)


def test_a_series_that_falls_to_nearly_zero_keeps_its_digits() -> None:
    kernel, front_end = Picture("p"), FrontEnd()
    kernel.put_run(run_header(0))
    steps = np.arange(20_000)
    kernel.add_points("run0", "loss", steps, steps / 2, np.full(20_000, 1e6))
    front_end.receive(keyframe=kernel.keyframe(0.0), delta=kernel.delta(0.0))
    kernel.add_points("run0", "loss", steps[-500:] + 500, steps[-500:] / 2, np.full(500, 1.25e-7))
    front_end.receive(delta=kernel.delta(0.0))
    assert front_end.picture is not None
    _, rows = front_end.picture["series"][0, 0]
    assert rows[max(rows)]["last"] == pytest.approx(1.25e-7, rel=1e-7)


def test_distant_steps_are_exact() -> None:
    rows = sent({0: 1.0, 2**33: 2.0, 2**52: 3.0})
    assert sorted(rows) == [0, 2**33, 2**52]
    far = sent({step << 34: float(step) for step in range(20_000)})
    assert {row["first_step"] % 2**34 for row in far.values()} == {0.0}


def many(series: int, points: int, faded: int = 0) -> Picture:
    kernel = Picture("p")
    kernel.put_run(run_header(0))
    kernel.put_run(run_header(1, faded=True))
    steps = np.arange(points)
    for number in range(series):
        kernel.add_points("run1" if number < faded else "run0", f"m{number}", steps, steps / 2, np.sin(steps + number))
    return kernel


@pytest.mark.parametrize("budget", [300_000, 130_000, 50_000, 30_000])
def test_a_keyframe_keeps_to_its_budget_and_its_deltas_fit_it(budget: int) -> None:
    kernel, front_end = many(8, 5000), FrontEnd()
    frame = kernel.keyframe(0.0, budget)
    assert budget / 5 < len(frame["data"]) <= budget
    assert "omitted" not in frame["header"]
    front_end.receive(keyframe=frame, delta=kernel.delta(0.0))
    for start in range(5000, 12_000, 1100):
        late = start - 5000  # and points that come late, in odd places
        for number in range(0, 8, 3):
            steps = np.array([*range(start, start + 500), 10**6 + start])
            kernel.add_points("run0", f"m{number}", steps, steps / 2, np.sin(steps + late))
        front_end.receive(delta=kernel.delta(0.0))
    assert front_end.picture is not None
    assert len(front_end.picture["series"]) == 8
    seq = kernel.seq
    for key, (width, rows) in front_end.picture["series"].items():
        whole = {
            row["bucket"]: row for row in (dict(zip(r.dtype.names, r, strict=True)) for r in kernel.series[key].rows)
        }
        assert sum(row["count"] for row in rows.values()) == sum(row["count"] for row in whole.values())
        for row in rows.values():
            inside = [one for one in whole.values() if row["first_step"] <= one["first_step"] <= row["last_step"]]
            assert row["max"] == pytest.approx(max(one["max"] for one in inside), rel=1e-6)
            assert {one["first_step"] // width for one in inside} == {row["bucket"]}
    assert seq == kernel.seq


def test_series_that_do_not_fit_are_omitted_by_rank_and_named() -> None:
    kernel, front_end = many(200, 3000, faded=20), FrontEnd()
    frame = kernel.keyframe(0.0, 50_000)
    omitted = frame["header"]["omitted"]
    sent = {(series.run, series.metric) for series in frame["header"]["series"]}
    assert omitted["count"] == 200 - len(sent)
    assert len(frame["data"]) <= 50_000
    assert sent == {(0, metric) for metric in range(20, 20 + len(sent))}
    assert set(omitted["series"]) == set(kernel.series) - sent
    front_end.receive(keyframe=frame, delta=kernel.delta(0.0))
    for metric in (0, 20, 199):
        kernel.add_points("run1" if metric < 20 else "run0", f"m{metric}", np.array([9000]), np.zeros(1), np.zeros(1))
    assert [series.metric for series in kernel.delta(0.0)["header"]["series"]] == [20]


def test_a_frame_records_how_much_coarser_a_series_is() -> None:
    picture = Picture("p")
    picture.put_run(run_header(0))
    steps = np.arange(2000)
    picture.add_points(run_header(0)["id"], "loss", steps, steps / 1.0, np.sin(steps / 9.0))
    assert picture.keyframe(0.0)["header"]["series"][0].coarser == 0
    (series,) = picture.keyframe(0.0, 9000)["header"]["series"]
    assert series.width == 2**series.coarser > 1


def test_system_metrics_are_omitted_first() -> None:
    kernel = Picture("p")
    kernel.put_run(run_header(0))
    steps = np.arange(3000)
    for metric in ("@system/cpu %", *(f"m{number}" for number in range(200))):
        kernel.add_points("run0", metric, steps, steps.astype(float), np.sin(steps))
    header = kernel.keyframe(0.0, 50_000)["header"]
    assert header["omitted"]["series"][0] == (0, 0)
    assert [series.metric for series in header["series"]] == list(range(1, 1 + len(header["series"])))
