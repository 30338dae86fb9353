"""Artifacts of MLflow's runs are those that its own client reads."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import trackbook as tb
from peer_stores.scripts import run_script

WRITE = """
import sys, mlflow, numpy as np, PIL.Image
mlflow.set_tracking_uri({uri!r})
mlflow.set_experiment("theirs")
numbers = np.random.default_rng(1)
with mlflow.start_run():
    for step in range(3):
        picture = numbers.integers(0, 255, (4, 5, 3), np.uint8)
        mlflow.log_image(picture, key="val/a cat", step=step, timestamp=1_700_000_000_123 + step)
        mlflow.log_metric("loss", step, step=step)
    mlflow.log_image(picture, "plain.png")
    mlflow.log_text("words", "notes/n.txt")
    mlflow.log_dict({{"a": 1}}, "model/about.json")
    mlflow.log_table({{"x": [1, 2], "y": ["a", "b"]}}, artifact_file="table.json")
    mlflow.log_table({{"x": [3], "picture": [mlflow.Image(picture)]}}, artifact_file="pictures.json")
"""


def theirs(uri: str, folder: Path) -> tuple[Path, list[dict[str, Any]]]:
    """Return the folder with the artifacts of the only run, and the rows of its tables, as MLflow's client gives them."""
    import mlflow

    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name("theirs")
    (run,) = client.search_runs([experiment.experiment_id])
    names = ("table.json", "pictures.json")
    tables = [client.load_table(experiment.experiment_id, name, [run.info.run_id]).to_dict("list") for name in names]
    (folder / "downloaded").mkdir()
    return Path(client.download_artifacts(run.info.run_id, "", str(folder / "downloaded"))), tables


@pytest.mark.parametrize("kind", ["files", "database"])
def test_artifacts_are_those_that_mlflow_reads(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.chdir(tmp_path)
    place = tmp_path / ("mlruns" if kind == "files" else "mlflow.db")
    uri = place.as_uri() if kind == "files" else f"sqlite:///{place}"
    run_script(WRITE.format(uri=uri), tmp_path)
    folder, tables = theirs(uri, tmp_path)
    (run,) = tb.import_from(place)
    media = {(one.metric, one.step): one for one in run.media()}
    assert media.keys() == {
        *(("val/a cat", step) for step in range(3)),
        *((name, 0) for name in ("plain.png", "table.json", "pictures.json")),
    }
    for step in range(3):
        (path,) = folder.glob(f"images/val~a cat+step+{step}+timestamp+*[0-9a-f].png")
        assert (media["val/a cat", step].path or path).read_bytes() == path.read_bytes()
        assert media["val/a cat", step].time == pytest.approx(1_700_000_000.123 + step / 1000, abs=1e-5)
    assert (media["plain.png", 0].path or folder).read_bytes() == (folder / "plain.png").read_bytes()
    assert media["table.json", 0].read().to_dict(as_series=False) == tables[0]
    assert media["pictures.json", 0].read()["x"].to_list() == tables[1]["x"]
    saved = {row["path"]: row for row in run.files().iter_rows(named=True)}
    assert saved.keys() == {"notes/n.txt", "model/about.json"}
    for name, row in saved.items():
        assert row["size"] == (folder / name).stat().st_size
    before = [(one.metric, one.step, one.item) for one in run.media()]
    note = next(path for path in tmp_path.rglob("notes/n.txt") if "downloaded" not in path.parts)
    os.utime(note, (1, 1))  # so that it is read again
    (again,) = tb.import_from(place)
    assert [(one.metric, one.step, one.item) for one in again.media()] == before
