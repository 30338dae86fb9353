"""Models that MLflow logged are those that its own client reads."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest

import trackbook as tb
from peer_stores.scripts import run_script

WRITE = """
import sys, mlflow
from pathlib import Path
mlflow.set_tracking_uri({uri!r})
mlflow.set_experiment("theirs")

class Model(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input

Path("files/deep").mkdir(parents=True)
Path("files/deep/w.bin").write_bytes(b"weights")
client = mlflow.MlflowClient()
for number in range(2):
    with mlflow.start_run(run_name=f"run-{{number}}"):
        for step in (3, 7):
            mlflow.pyfunc.log_model(
                name="a net", python_model=Model(), params={{"lr": 0.1, "deep": "x"}}, tags={{"a": "b"}}, step=step, pip_requirements=[]
            )
        bare = mlflow.initialize_logged_model("agent", params={{"prompt": "hello"}}, model_type="agent")
        for step, value in ((1, 0.5), (5, 0.25), (2, float("nan"))):
            mlflow.log_metric("acc", value, step=step, model_id=bare.model_id)
        mlflow.log_metric("nan", float("nan"), step=1, model_id=bare.model_id)
        mlflow.finalize_logged_model(bare.model_id, "READY")
        same = mlflow.initialize_logged_model("same")
        client.log_model_artifacts(same.model_id, "files")
        mlflow.finalize_logged_model(same.model_id, "FAILED")
mlflow.create_external_model(name="external", params={{"q": "2"}})
client.delete_logged_model(mlflow.initialize_logged_model("deleted").model_id)
"""


def theirs(uri: str, folder: Path) -> dict[str, tuple[Any, dict[str, bytes], int | None]]:
    """Return each model with its files, and the step at which its run logged it, as MLflow's client gives them."""
    import mlflow

    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name("theirs").experiment_id
    runs = client.search_runs([experiment])
    steps = {output.model_id: output.step for run in runs for output in run.outputs.model_outputs}
    found = {}
    for one in client.search_logged_models([experiment]):
        model = client.get_logged_model(one.model_id)
        files: dict[str, bytes] = {}
        if client.list_logged_model_artifacts(model.model_id):
            target = folder / "downloaded" / model.model_id
            target.mkdir(parents=True)
            place = Path(mlflow.artifacts.download_artifacts(model.model_uri, dst_path=str(target)))
            files = {
                file.relative_to(place).as_posix(): file.read_bytes() for file in place.rglob("*") if file.is_file()
            }
            files.pop("registered_model_meta", None)  # of the download
        found[model.model_id] = (model, files, steps.get(model.model_id))
    return found


def last(metrics: list[Any] | None) -> dict[str, tuple[int, str]]:
    """Return the step and the value of the last value of each metric: of a database MLflow returns all."""
    ordered = sorted(metrics or (), key=lambda metric: (metric.step, metric.timestamp))
    return {metric.key: (metric.step, "nan" if math.isnan(metric.value) else str(metric.value)) for metric in ordered}


@pytest.mark.parametrize("kind", ["files", "database"])
def test_models_are_those_that_mlflow_reads(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.chdir(tmp_path)
    place = tmp_path / ("mlruns" if kind == "files" else "mlflow.db")
    uri = place.as_uri() if kind == "files" else f"sqlite:///{place}"
    run_script(WRITE.format(uri=uri), tmp_path)
    read = theirs(uri, tmp_path)
    assert len(read) == 9
    runs = {run.id: run for run in tb.import_from(place)}
    project = next(iter(runs.values())).project
    versions = [tb.get_artifact(row["artifact"], project) for row in tb.list_artifacts(project).iter_rows(named=True)]
    found = {version.metadata["model_id"]: version for version in versions}
    assert found.keys() == read.keys()
    assert len(versions) == len(read)
    for model, files, step in read.values():
        ours = found[model.model_id]
        about = ours.metadata
        assert (ours.name, ours.type) == (model.name.replace(" ", "-"), "model")
        assert ours.created == pytest.approx(model.creation_timestamp / 1000)
        assert ours.made_by == ([model.source_run_id] if model.source_run_id else [])
        assert {entry.path for entry in ours.files() if not entry.is_reference} == files.keys()
        assert [entry.ref for entry in ours.files() if entry.is_reference] == [model.model_uri]
        assert all(ours.read(path) == content for path, content in files.items())
        assert (about["name"], about["status"], about.get("step")) == (model.name, str(model.status), step)
        assert about.get("model_type") == model.model_type
        assert about.get("params", {}) == model.params
        assert about.get("tags", {}) == model.tags
        assert {one["key"]: (one["step"], str(one["value"])) for one in about.get("metrics", [])} == last(model.metrics)
    nets = sorted((one.created or 0.0, int((one.version or "v")[1:])) for one in versions if one.name == "a-net")
    assert [number for _, number in nets] == [0, 1, 2, 3]
    before = tb.list_artifacts(project).drop("made_by", strict=False).rows()
    for file in tmp_path.rglob("w.bin"):
        os.utime(file, (1, 1))  # so that all is read again
    again = tb.import_from(place)
    assert tb.list_artifacts(project).drop("made_by", strict=False).rows() == before
    assert {run.id: run.artifacts().height for run in again} == dict.fromkeys(runs, 4)
    json.dumps([version.metadata for version in versions], allow_nan=False)
