"""An import of what a tracker wrote has what its own reader reads."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import peer_program
import trackbook as tb
from peer_program import READ

PROGRAM = Path(peer_program.__file__)
NAMES = ["loss", "train/loss", "val/acc", "val/deep/f1", "lr-0", "x.y", "UPPER_case", "epoch"]
NUMBERS = st.one_of(
    st.floats(width=32), st.floats(), st.integers(-(2**53), 2**53), st.booleans(), st.sampled_from([0.1, -0.0, 5e-324])
)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8)
SETTINGS = {
    "lr": st.floats(allow_nan=False, allow_infinity=False),
    "layers": st.integers(-5, 2**40),
    "on": st.booleans(),
    "optimizer": TEXTS,
}
CONFIGS = st.fixed_dictionaries({}, optional=SETTINGS)
CALLS = st.dictionaries(
    st.integers(0, 50) | st.integers(0, 2**40),
    st.dictionaries(st.sampled_from(NAMES), NUMBERS, min_size=1),
    min_size=1,
    max_size=12,
).map(lambda calls: sorted(calls.items()))


@st.composite
def several_runs(draw: st.DrawFn) -> list[dict[str, Any]]:
    count = draw(st.integers(3, 5))
    return [{"name": f"run-{number}", "config": draw(CONFIGS), "calls": draw(CALLS)} for number in range(count)]


def written_and_read(tracker: str, folder: Path, runs: list[dict[str, Any]]) -> Any:
    """Let a tracker write runs, and return them as it reads them."""
    environment = os.environ | {"WANDB_SILENT": "true", "PYTHONPATH": str(PROGRAM.parent), "WANDB_MODE": "offline"}
    done = subprocess.run(
        [sys.executable, str(PROGRAM), tracker, str(folder)],
        input=json.dumps(runs),
        capture_output=True,
        text=True,
        env=environment,
        cwd=folder,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def ours(run: tb.Run) -> dict[str, list[list[Any]]]:
    """Return step, value and time of all points by metric."""
    from trackbook.tracking.run import writer_of

    table = writer_of(run).store.read(run.id).cast({"metric": str}).sort("metric", "step")
    parts = table.partition_by("metric", as_dict=True)
    return {str(name): [list(row) for row in part["step", "value", "time"].rows()] for (name,), part in parts.items()}


def same(ours: dict[str, list[list[Any]]], theirs: dict[str, list[list[Any]]]) -> None:
    assert ours.keys() == theirs.keys()
    for metric, rows in theirs.items():
        assert [(step, repr(value)) for step, value, _ in ours[metric]] == [
            (step, repr(value)) for step, value, _ in rows
        ], metric
        for (_, _, ours_at), (_, _, theirs_at) in zip(ours[metric], rows, strict=True):
            assert math.isclose(ours_at, theirs_at, rel_tol=0, abs_tol=2e-6)


def source(tracker: str, folder: Path) -> Path:
    place = {
        "wandb": "wandb",
        "swanlab": "swanlog",
        "tensorboard": "logs",
        "mlflow files": "mlruns",
        "mlflow database": "mlflow.db",
    }
    return folder / place.get(tracker, ".")


@pytest.mark.parametrize("tracker", list(READ))
@settings(max_examples=2, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(runs=several_runs())
@pytest.mark.filterwarnings("ignore::trackbook.TrackbookWarning")
def test_import_has_what_the_trackers_own_reader_reads(tracker: str, runs: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        theirs = written_and_read(tracker, folder, runs)
        assert len(theirs) == len(runs)
        project = f"copy of {name}"
        found = {run.name: run for run in tb.import_from(source(tracker, folder), project=project)}
        assert found.keys() == {run["name"] for run in runs}
        for one in theirs:
            run = found[one["name"]]
            assert one.get("id", run.id) == run.id
            config = run.config.to_json()
            assert ({k: str(v) for k, v in config.items()} if tracker.startswith("mlflow") else config) == one["config"]
            assert list(run.tags) == one["tags"]
            assert run.state == "finished"
            same(ours(run), one["points"])
        before = {run.id: (run.record, repr(ours(run))) for run in found.values()}
        again = tb.import_from(source(tracker, folder), project=project)
        assert {run.id: (run.record, repr(ours(run))) for run in again} == before
