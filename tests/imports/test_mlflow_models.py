from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from foreign_stores import said
from trackbook.artifacts.artifact import kept_artifact
from trackbook.artifacts.catalog import Catalog, Link, Version, catalog_of, metadata_of
from trackbook.imports.importing import import_source
from trackbook.store.memory import MemoryStore
from trackbook.store.sqlite import SqliteStore

NOT_GIVEN = "as the store writes it"


@dataclass
class Model:
    """A model as it is in a store, and its files."""

    id: str = "m-1"
    name: Any = "a net"
    run: Any = "r1"
    step: int | None = 3
    files: Mapping[str, bytes] = field(default_factory=lambda: {"MLmodel": b"flavors", "deep/w.bin": b"\0\1"})
    params: Mapping[str, str] = field(default_factory=lambda: {"lr": "0.1"})
    tags: Mapping[str, str] = field(default_factory=lambda: {"a": "b", "mlflow.user": "me"})
    # name, milliseconds, value, step, and the name and digest of a dataset
    metrics: list[tuple[Any, ...]] = field(
        default_factory=lambda: [
            ("acc", 5000, 0.25, 5, None, None),
            ("acc", 9000, 0.5, 1, None, None),
            ("acc", 5000, 0.75, 2, "test", "d1"),
            ("lost", 5000, float("nan"), 0, None, None),
        ]
    )
    address: str = NOT_GIVEN
    status: Any = 2
    stage: str = "active"
    created: int = 2000


RUNS = {"r1": 900, "r0": 1900}  # ids, and when they started
KNOWN = {
    "model_id": "m-1",
    "name": "a net",
    "model_type": "agent",
    "source_run_id": "r1",
    "status": "READY",
    "step": 3,
    "params": {"lr": "0.1"},
    "tags": {"a": "b", "mlflow.user": "me"},
    "metrics": [
        {"key": "acc", "step": 5, "timestamp": 5000, "value": 0.25},
        {"key": "acc", "step": 2, "timestamp": 5000, "value": 0.75, "dataset_name": "test", "dataset_digest": "d1"},
        {"key": "lost", "step": 0, "timestamp": 5000, "value": "nan"},
    ],
}


def folder_of(root: Path, model: Model) -> Path:
    return root / "mlruns" / "7" / "models" / model.id / "artifacts"


def put_files(root: Path, model: Model) -> str:
    """Write the files of a model, and return their address."""
    for name, content in model.files.items():
        path = folder_of(root, model) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder_of(root, model).as_uri() if model.address == NOT_GIVEN else model.address


def files(root: Path, *models: Model, runs: Mapping[str, int] = RUNS) -> Path:
    experiment = root / "mlruns" / "7"
    for run, started in runs.items():
        (experiment / run / "metrics").mkdir(parents=True, exist_ok=True)
        (experiment / run / "meta.yaml").write_text(
            f"run_id: {run}\nexperiment_id: '7'\nrun_name: {run}\nstatus: 3\nstart_time: {started}\n"
        )
    experiment.mkdir(parents=True, exist_ok=True)
    (experiment / "meta.yaml").write_text("experiment_id: '7'\nname: theirs\n")
    for model in models:
        folder = folder_of(root, model).parent
        for part, texts in (("params", model.params), ("tags", model.tags), ("metrics", {})):
            (folder / part).mkdir(parents=True, exist_ok=True)
            for name, text in texts.items():
                (folder / part / name).write_text(text)
        for name in {row[0] for row in model.metrics}:
            rows = [[*row[1:4], "r1", *(part for part in row[4:] if part)] for row in model.metrics if row[0] == name]
            (folder / "metrics" / name).write_text("".join(" ".join(map(str, row)) + "\n" for row in rows))
        about = {
            "artifact_location": put_files(root, model),
            "creation_timestamp": model.created,
            "lifecycle_stage": model.stage,
            "model_id": model.id,
            "model_type": "agent",
            "name": model.name,
            "source_run_id": model.run,
            "status": model.status,
            "status_message": None,
        }
        (folder / "meta.yaml").write_text("".join(f"{key}: {json.dumps(value)}\n" for key, value in about.items()))
        if model.step is not None:
            output = experiment / str(model.run) / "outputs" / model.id / "meta.yaml"
            output.parent.mkdir(parents=True, exist_ok=True)
            output.write_text(f"source_type: RUN_OUTPUT\nstep: {model.step}\n")
    return root / "mlruns"


def database(root: Path, *models: Model, runs: Mapping[str, int] = RUNS) -> Path:
    path = root / "mlflow.db"
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as db:
        db.executescript("""
            create table experiments (experiment_id integer primary key, name text);
            create table runs (run_uuid text, name text, status text, start_time integer, end_time integer,
                lifecycle_stage text, experiment_id integer, artifact_uri text);
            create table metrics (key text, value real, timestamp integer, run_uuid text, step integer, is_nan boolean);
            create table params (key text, value text, run_uuid text);
            create table tags (key text, value text, run_uuid text);
            create table inputs (input_uuid text, source_type text, source_id text, destination_type text,
                destination_id text, step integer default 0 not null);
            create table logged_models (model_id text, experiment_id integer, name text, artifact_location text,
                creation_timestamp_ms integer, last_updated_timestamp_ms integer, status integer, lifecycle_stage text,
                model_type text, source_run_id text, status_message text);
            create table logged_model_metrics (model_id text, metric_name text, metric_timestamp_ms integer,
                metric_step integer, metric_value float, experiment_id integer, run_id text, dataset_uuid text,
                dataset_name text, dataset_digest text);
            create table logged_model_params (model_id text, experiment_id integer, param_key text, param_value text);
            create table logged_model_tags (model_id text, experiment_id integer, tag_key text, tag_value text);
            insert into experiments values (7, 'theirs');
        """)
        for run, started in runs.items():
            db.execute("insert into runs values (?, ?, 'FINISHED', ?, null, 'active', 7, '')", (run, run, started))
        for model in models:
            address = put_files(root, model)
            facts = model.created, model.created, model.status, model.stage, "agent", model.run, None
            db.execute(
                "insert into logged_models values (?, 7, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (model.id, model.name, address, *facts),
            )
            for name, time, value, step, *dataset in model.metrics:
                row = (model.id, name, time, step, value, "r1", *dataset)  # NaN becomes null
                db.execute("insert into logged_model_metrics values (?, ?, ?, ?, ?, 7, ?, null, ?, ?)", row)
            for part, texts in (("params", model.params), ("tags", model.tags)):
                rows = [(model.id, *pair) for pair in texts.items()]
                db.executemany(f"insert into logged_model_{part} values (?, 7, ?, ?)", rows)
            if model.step is not None:
                row = (model.run, model.id, model.step)
                db.execute("insert into inputs values ('x', 'RUN_OUTPUT', ?, 'MODEL_OUTPUT', ?, ?)", row)
    db.close()
    return path


Maker = Callable[..., Path]
STORES = pytest.mark.parametrize("store_of", [files, database])


def models(store: SqliteStore, path: Path) -> tuple[Catalog, list[Version]]:
    import_source(path, None, lambda _: store)
    catalog = catalog_of(store, "p")
    return catalog, catalog.versions()


def links(store: SqliteStore, run: str = "r1") -> list[tuple[str, str, float]]:
    rows = [Link(*row) for row in store.captured(run, "artifact_links")]
    return [(row.role, row.artifact, row.time) for row in rows]


def contents(catalog: Catalog, version: Version) -> dict[str, bytes | str]:
    """Return the files of a version, and where its references lead."""
    kept = kept_artifact(catalog, version)
    return {entry.path: entry.ref or kept.read(entry.path) for entry in kept.files()}


@STORES
def test_model_is_a_version_with_its_files_and_metadata(tmp_path: Path, store: SqliteStore, store_of: Maker) -> None:
    catalog, (version,) = models(store, store_of(tmp_path, Model()))
    assert (version.artifact, version.type, version.run, version.created) == ("a-net:v0", "model", "r1", 2.0)
    assert contents(catalog, version) == {"mlflow/m-1": "models:/m-1"} | Model().files
    assert metadata_of(version) == KNOWN
    assert (links(store), links(store, "r0")) == ([("made", "a-net:v0", 2.0)], [])


@STORES
def test_versions_are_in_the_order_of_runs_and_models(tmp_path: Path, store: SqliteStore, store_of: Maker) -> None:
    path = store_of(
        tmp_path, Model("m-1", run="r0", created=9000), Model("m-2", created=3000), Model("m-3", created=2000)
    )
    _, found = models(store, path)
    assert [(one.artifact, one.run, metadata_of(one)["model_id"]) for one in found] == [
        ("a-net:v0", "r1", "m-3"),
        ("a-net:v1", "r1", "m-2"),
        ("a-net:v2", "r0", "m-1"),
    ]


@STORES
def test_models_without_files_are_no_single_version(tmp_path: Path, store: SqliteStore, store_of: Maker) -> None:
    path = store_of(tmp_path, *(Model(name, files={}, step=None) for name in ("m-1", "m-2")))
    catalog, found = models(store, path)
    assert [contents(catalog, one) for one in found] == [{"mlflow/m-1": "models:/m-1"}, {"mlflow/m-2": "models:/m-2"}]
    assert ["step" in metadata_of(one) for one in found] == [False, False]


@STORES
def test_import_that_is_repeated_makes_no_other_versions(tmp_path: Path, store: SqliteStore, store_of: Maker) -> None:
    both = Model(), Model("m-2", files={"w": b"2"})
    catalog, first = models(store, store_of(tmp_path, *both))
    catalog.change("a-net:v0", aliases=["best"], metadata=metadata_of(first[0]) | {"ours": 1})
    both[0].params = {"lr": "0.2"}
    for number in range(2):
        path = store_of(tmp_path, *both)
        os.utime(folder_of(tmp_path, both[0]) / "MLmodel", (number + 1, 1))  # so that it is read again
        _, again = models(store, path)
        assert [one.artifact for one in again] == ["a-net:v0", "a-net:v1"]
        assert again[0].alias_list == ["best"]
        assert metadata_of(again[0]) == KNOWN | {"params": {"lr": "0.2"}, "ours": 1}
        assert links(store) == [("made", "a-net:v0", 2.0), ("made", "a-net:v1", 2.0)]


@STORES
def test_model_that_has_other_files_is_a_new_version(tmp_path: Path, store: SqliteStore, store_of: Maker) -> None:
    models(store, store_of(tmp_path, Model()))
    catalog, found = models(store, store_of(tmp_path, Model(files={"MLmodel": b"flavors", "more": b"x"})))
    assert [one.artifact for one in found] == ["a-net:v0", "a-net:v1"]
    assert contents(catalog, found[1])["more"] == b"x"


@STORES
def test_interrupted_import_goes_on_with_its_models(tmp_path: Path, store: SqliteStore, store_of: Maker) -> None:
    path = store_of(tmp_path, *(Model(f"m-{number}", created=1000 + number) for number in range(4)))

    def stop(told: Any) -> None:
        if told.media == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_source(path, None, lambda _: store, stop)
    assert 0 < len(catalog_of(store, "p").versions()) < 4
    _, found = models(store, path)
    assert [(one.artifact, metadata_of(one)["model_id"]) for one in found] == [
        (f"a-net:v{number}", f"m-{number}") for number in range(4)
    ]


@STORES
@pytest.mark.parametrize("run", [None, "gone"])
def test_model_of_no_run_comes_along(tmp_path: Path, store: SqliteStore, store_of: Maker, run: str | None) -> None:
    _, (version,) = models(store, store_of(tmp_path, Model(run=run, step=None)))
    assert (version.artifact, version.run) == ("a-net:v0", None)
    assert links(store) == links(store, "r0") == []


@STORES
def test_models_of_an_experiment_without_runs_are_said(
    tmp_path: Path, store: SqliteStore, store_of: Maker, recwarn: pytest.WarningsRecorder
) -> None:
    path = store_of(tmp_path, Model(), Model("m-2", stage="deleted"), runs={})
    with pytest.raises(ValueError, match="holds no MLflow's stores"):
        models(store, path)
    assert said(recwarn) == ["1 models of experiment 'theirs' are left out, as it has no run: 'a net'"]


@STORES
def test_deleted_models_stay_where_they_are(tmp_path: Path, store: SqliteStore, store_of: Maker) -> None:
    assert models(store, store_of(tmp_path, Model(stage="deleted")))[1] == []


def test_one_run_comes_with_its_own_models(tmp_path: Path, store: SqliteStore) -> None:
    path = files(tmp_path, Model(), Model("m-2", run="r0"), Model("m-3", run=None, step=None))
    _, found = models(store, path / "7" / "r0")
    assert [metadata_of(one)["model_id"] for one in found] == ["m-2"]


@STORES
def test_files_at_a_remote_address_are_a_reference(tmp_path: Path, store: SqliteStore, store_of: Maker) -> None:
    path = store_of(tmp_path, Model(address="s3://me:secret@bucket/7/models/m-1/artifacts", files={}))
    with pytest.warns(match="1 models at remote addresses, but for references to them, are left out: 'a net'"):
        catalog, (version,) = models(store, path)
    assert contents(catalog, version) == {
        "mlflow/m-1": "models:/m-1",
        "mlflow/artifacts": "s3://bucket/7/models/m-1/artifacts",
    }
    assert metadata_of(version) == KNOWN


@STORES
def test_files_that_are_gone_are_said(tmp_path: Path, store: SqliteStore, store_of: Maker) -> None:
    path = store_of(tmp_path, Model(address="/gone/7/models/m-1/artifacts", files={}))
    with pytest.warns(
        match="run 'r1' is not whole: the files of model 'a net' are not at /gone/7/models/m-1/artifacts"
    ):
        _, (version,) = models(store, path)
    assert metadata_of(version) == KNOWN


@pytest.mark.parametrize("address", ["/gone/mlruns/7/models/m-1/artifacts", "mlflow-artifacts:/7/models/m-1/artifacts"])
@STORES
def test_store_that_was_moved_has_its_models(tmp_path: Path, store: SqliteStore, store_of: Maker, address: str) -> None:
    catalog, (version,) = models(store, store_of(tmp_path, Model(address=address)))
    assert contents(catalog, version) == {"mlflow/m-1": "models:/m-1"} | Model().files


@pytest.mark.skipif(sys.platform == "win32", reason="links need a permission there")
@STORES
def test_nothing_outside_of_the_folder_is_read(tmp_path: Path, store: SqliteStore, store_of: Maker) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_text("mine")
    linked = Model()
    path = store_of(tmp_path, linked, Model("m-2", address=str(tmp_path / "secret"), files={}, step=None))
    (folder_of(tmp_path, linked) / "key").symlink_to(tmp_path / "secret" / "key")
    with pytest.warns(match="1 links and other things that are no files are left out: 'key'"):
        catalog, found = models(store, path)
    assert [contents(catalog, one).keys() - Model().files.keys() for one in found] == [{"mlflow/m-1"}, {"mlflow/m-2"}]


@STORES
def test_name_of_an_artifact_of_another_type_is_said(tmp_path: Path, store: SqliteStore, store_of: Maker) -> None:
    catalog_of(store, "p").add("a-net", "dataset", [], run=None)
    path = store_of(tmp_path, Model(), Model("m-2", name="other"))
    with pytest.warns(match="1 artifacts whose names those of type 'dataset' have are left out: 'a-net'"):
        _, found = models(store, path)
    assert [one.artifact for one in found] == ["a-net:v0", "other:v0"]


@STORES
def test_models_are_counted_where_files_have_no_place(tmp_path: Path, store_of: Maker) -> None:
    path = store_of(tmp_path, Model())
    with pytest.warns(match="1 artifacts are left out: 'a-net'"):
        import_source(path, None, lambda _: MemoryStore())


def test_damaged_metrics_and_descriptions_are_said(
    tmp_path: Path, store: SqliteStore, recwarn: pytest.WarningsRecorder
) -> None:
    path = files(tmp_path, Model(), Model("m-2"), Model("m-3", status=[1], run=["r1"], step=None))
    (tmp_path / "mlruns/7/models/m-1/metrics/acc").write_text("5000 0.25 5 r1\n6000 0.5\n7000 x 5 r1\n1 2 3 r1 a b c\n")
    (tmp_path / "mlruns/7/models/m-2/meta.yaml").write_text("{")
    _, found = models(store, path)
    by_id = {metadata_of(one)["model_id"]: metadata_of(one) for one in found}
    assert by_id.keys() == {"m-1", "m-2"}
    assert [one["value"] for one in by_id["m-1"]["metrics"]] == [0.25, "nan"]
    sentences = " ".join(said(recwarn))
    for part in (
        "acc is cut off or damaged at '6000 0.5'",
        "m-2/meta.yaml cannot be read",
        "model 'a net' has an unknown form",
    ):
        assert part in sentences


@pytest.mark.parametrize(
    "change",
    [
        "update logged_model_metrics set metric_step = 'x'",
        "update logged_model_metrics set metric_value = 'x'",
        "update logged_models set status = x'00', name = x'ff', creation_timestamp_ms = 'x'",
        "update logged_models set model_id = 5",
        "update logged_models set artifact_location = x'ff'",
        "alter table inputs drop column step",
    ],
)
@pytest.mark.filterwarnings("ignore::trackbook.TrackbookWarning")
def test_rows_of_any_form_hide_no_others(tmp_path: Path, store: SqliteStore, change: str) -> None:
    path = database(tmp_path, Model())
    with sqlite3.connect(path) as db:
        db.execute(change)
        db.execute("insert into metrics values ('loss', 1.5, 1000, 'r1', 0, 0)")
    db.close()
    models(store, path)
    assert store.summary("r1")["loss"].count == 1
