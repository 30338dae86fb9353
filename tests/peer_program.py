"""Writes runs by a tracker's own package, and reads them by its own reader: ``peer_program.py TRACKER FOLDER``.

Runs are JSON: on stdin to be written, on stdout as they were read. A run has ``name``, ``config`` and ``calls``, pairs of a step and
values; what is read has also ``id``, and in place of the calls ``points``: by metric a list of step, value and time.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

Run = dict[str, Any]


def points_of(rows: list[tuple[str, int, Any, float]]) -> dict[str, list[list[Any]]]:
    """Return the points of each metric by step, from rows of metric, step, value and time."""
    points: dict[str, list[list[Any]]] = {}
    for metric, step, value, time in rows:
        if isinstance(value, (int, float)):
            points.setdefault(metric, []).append([step, float(value), time])
    return {metric: sorted(found, key=lambda point: point[0]) for metric, found in points.items()}


# --- wandb ------------------------------------------------------------------------------------------------------------


def write_wandb(folder: Path, runs: list[Run]) -> None:
    import wandb

    for run in runs:
        made = wandb.init(
            project="theirs",
            name=run["name"],
            config=run["config"],
            tags=["a", "b"],
            notes="words",
            group="g",
            mode="offline",
            dir=str(folder),
            settings=wandb.Settings(silent=True, console="off"),
        )
        made.define_metric("val/*", step_metric="epoch", summary="max")
        for step, values in run["calls"]:
            made.log(values, step=step)
        made.summary["best"] = 7
        made.finish()


def read_wandb(folder: Path) -> list[Run]:
    """wandb has no reader of its files in Python any more: SwanLab's reads the frames, and wandb's messages the records."""
    from swanlab.converter.wb.wbdatastore import WBDataStoreReader
    from wandb.proto.wandb_internal_pb2 import Record

    runs = []
    for file in sorted((folder / "wandb").glob("offline-run-*/*.wandb")):
        run: Run = {"config": {}}
        rows = []
        with WBDataStoreReader() as reader:
            reader.open(file)
            while (data := reader.scan()) is not None:
                record = Record.FromString(data)
                kind = record.WhichOneof("record_type")
                if kind == "run":
                    run |= {"id": record.run.run_id, "name": record.run.display_name, "tags": list(record.run.tags)}
                    run |= {
                        "config": {
                            i.key: json.loads(i.value_json) for i in record.run.config.update if i.key != "_wandb"
                        }
                    }
                elif kind == "history":
                    items = {i.key or ".".join(i.nested_key): _number(i.value_json) for i in record.history.item}
                    own = {name: items.pop(name) for name in ("_step", "_timestamp", "_runtime")}
                    rows += [(name, int(own["_step"]), value, own["_timestamp"]) for name, value in items.items()]
                elif kind == "stats":
                    time = record.stats.timestamp.seconds + record.stats.timestamp.nanos / 1e9
                    for item in record.stats.item:
                        number = sum(name == f"@system/{item.key}" for name, *_ in rows)
                        rows.append((f"@system/{item.key}", number, json.loads(item.value_json), time))
        runs.append(run | {"points": points_of(rows)})
    return runs


def _number(text: str) -> float:
    return float(json.loads(text, parse_int=float))  # -0 is an int, otherwise


# --- SwanLab ----------------------------------------------------------------------------------------------------------


def write_swanlab(folder: Path, runs: list[Run]) -> None:
    import swanlab

    for run in runs:
        swanlab.init(
            project="theirs",
            experiment_name=run["name"],
            config=run["config"],
            tags=["a", "b"],
            description="words",
            group="g",
            mode="offline",
            logdir=str(folder / "swanlog"),
        )
        for step, values in run["calls"]:
            swanlab.log(values, step=step)
        swanlab.finish()


def read_swanlab(folder: Path) -> list[Run]:
    import yaml
    from swanlab.proto.swanlab.record.v1.record_pb2 import Record
    from swanlab.sdk.internal.core_python.store import DataStoreReader

    runs = []
    for file in sorted((folder / "swanlog").glob("run-*/*.swanlab")):
        run: Run = {}
        rows = []
        reader = DataStoreReader()
        reader.open(file)
        for data in reader:
            record = Record.FromString(data)
            if record.HasField("start"):
                run |= {"id": record.start.id, "name": record.start.name, "tags": list(record.start.tags)}
            elif record.HasField("scalar"):
                time = record.scalar.timestamp.seconds + record.scalar.timestamp.nanos / 1e9
                rows.append((record.scalar.key, record.scalar.step, record.scalar.value.number, time))
        reader.close()
        config = yaml.safe_load((file.parent / "files" / "config.yaml").read_text()) or {}
        run["config"] = {name: entry["value"] for name, entry in config.items()}
        runs.append(run | {"points": points_of(rows)})
    return runs


# --- Trackio ----------------------------------------------------------------------------------------------------------


def write_trackio(folder: Path, runs: list[Run]) -> None:
    os.environ["TRACKIO_DIR"] = str(folder)
    import trackio

    for run in runs:
        trackio.init(project="theirs", name=run["name"], config=run["config"], group="g", embed=False)
        for step, values in run["calls"]:
            trackio.log(values, step=step)
        trackio.log_system({"load": 0.5})
        trackio.finish()


def read_trackio(folder: Path) -> list[Run]:
    os.environ["TRACKIO_DIR"] = str(folder)
    from trackio.sqlite_storage import SQLiteStorage

    def seconds(row: dict[str, Any]) -> float:
        return datetime.fromisoformat(row.pop("timestamp")).timestamp()

    runs = []
    for record in SQLiteStorage.get_run_records("theirs"):
        run_id, rows = record["id"], []
        for row in SQLiteStorage.get_logs("theirs", run_id=run_id):
            time, step = seconds(row), row.pop("step")
            rows += [(name, step, value, time) for name, value in row.items()]
        for number, row in enumerate(SQLiteStorage.get_system_logs("theirs", run_id=run_id)):
            time = seconds(row)
            rows += [(f"@system/{name}", number, value, time) for name, value in row.items() if name == "load"]
        config = SQLiteStorage.get_run_config("theirs", run_id=run_id) or {}
        kept = {name: value for name, value in config.items() if not name.startswith("_")}
        runs.append({"id": run_id, "name": record["name"], "config": kept, "tags": [], "points": points_of(rows)})
    return runs


# --- TensorBoard ------------------------------------------------------------------------------------------------------


def write_tensorboard(folder: Path, runs: list[Run]) -> None:
    """Write every other run as TensorFlow 2 does."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.plugins.scalar.summary_v2 import scalar_pb
    from tensorboard.summary.writer.event_file_writer import EventFileWriter
    from tensorboardX import SummaryWriter

    for number, run in enumerate(runs):
        if number % 2:
            writer = EventFileWriter(str(folder / "logs" / run["name"]))
            for step, values in run["calls"]:
                for name, value in values.items():
                    writer.add_event(Event(wall_time=1e9 + step % 1000 / 8, step=step, summary=scalar_pb(name, value)))
            writer.close()
            continue
        with SummaryWriter(str(folder / "logs" / run["name"])) as summaries:
            for step, values in run["calls"]:
                for name, value in values.items():
                    summaries.add_scalar(name, value, step)
            summaries.add_text("words", "a medium")


def read_tensorboard(folder: Path) -> list[Run]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    runs = []
    for place in sorted((folder / "logs").iterdir()):
        events = EventAccumulator(str(place), size_guidance={"scalars": 0, "tensors": 0}).Reload()
        rows = [
            (tag, one.step, one.value, one.wall_time) for tag in events.Tags()["scalars"] for one in events.Scalars(tag)
        ]
        rows += [
            (tag, one.step, make_ndarray(one.tensor_proto).item(), one.wall_time)
            for tag in events.Tags()["tensors"]
            if events.SummaryMetadata(tag).plugin_data.plugin_name == "scalars"
            for one in events.Tensors(tag)
        ]
        runs.append({"name": place.name, "config": {}, "tags": [], "points": points_of(rows)})
    return runs


# --- MLflow -----------------------------------------------------------------------------------------------------------


def _mlflow(folder: Path, kind: str) -> Any:
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    from mlflow import MlflowClient

    uri = (folder / "mlruns").as_uri() if kind == "files" else f"sqlite:///{folder / 'mlflow.db'}"
    return MlflowClient(uri)


def _write_mlflow(folder: Path, runs: list[Run], kind: str) -> None:
    from mlflow.entities import Metric

    client = _mlflow(folder, kind)
    experiment = client.create_experiment("theirs")
    for run in runs:
        made = client.create_run(
            experiment, run_name=run["name"], tags={"a": "", "b": "x", "mlflow.note.content": "words"}
        )
        for name, value in run["config"].items():
            client.log_param(made.info.run_id, name, value)
        for step, values in run["calls"]:
            metrics = [Metric(name, float(value), 1_000_000_000_123 + step, step) for name, value in values.items()]
            client.log_batch(made.info.run_id, metrics)
        client.log_metric(made.info.run_id, "system/cpu", 0.5, 1_000_000_000_500, 3)
        client.set_terminated(made.info.run_id)


def _read_mlflow(folder: Path, kind: str) -> list[Run]:
    client = _mlflow(folder, kind)
    experiment = client.get_experiment_by_name("theirs")
    runs = []
    for run in client.search_runs([experiment.experiment_id]):
        rows = [
            (metric.key, metric.step, metric.value, metric.timestamp / 1000)
            for name in run.data.metrics
            for metric in client.get_metric_history(run.info.run_id, name)
        ]
        found = points_of([row for row in rows if row[0] != "system/cpu"])
        found["@system/cpu"] = [[0, value, time] for name, _, value, time in rows if name == "system/cpu"]
        runs.append(
            {
                "id": run.info.run_id,
                "name": run.info.run_name,
                "config": run.data.params,
                "tags": ["a", "b=x"],
                "points": found,
            }
        )
    return runs


# --- Aim --------------------------------------------------------------------------------------------------------------


def write_aim(folder: Path, runs: list[Run]) -> None:
    import aim

    repo = aim.Repo.from_path(str(folder), init=True)
    for run in runs:
        made = aim.Run(
            repo=repo,
            experiment="theirs",
            system_tracking_interval=None,
            capture_terminal_logs=False,
            log_system_params=False,
        )
        made.name, made.description = run["name"], "words"
        for tag in ("a", "b"):
            made.add_tag(tag)
        for name, value in run["config"].items():
            made[name] = value
        for step, values in run["calls"]:
            for name, value in values.items():
                made.track(value, name=name, step=step, context={"subset": "val"} if name == "loss" else {})
        made.close()


def read_aim(folder: Path) -> list[Run]:
    import aim

    repo = aim.Repo(str(folder))
    repo._recreate_index()  # as `aim storage reindex`
    repo = aim.Repo(str(folder))
    runs = []
    for run in repo.iter_runs():
        rows = []
        for metric in run.metrics():
            name = f"val/{metric.name}" if metric.context.to_dict() else metric.name
            steps, (values, _, times) = metric.data.items_list()
            rows += [(name, step, value, time) for step, value, time in zip(steps, values, times, strict=True)]
        runs.append(
            {"id": run.hash, "name": run.name, "config": run[...], "tags": sorted(run.tags), "points": points_of(rows)}
        )
    return runs


WRITE: dict[str, Callable[[Path, list[Run]], None]] = {
    "wandb": write_wandb,
    "swanlab": write_swanlab,
    "trackio": write_trackio,
    "tensorboard": write_tensorboard,
    "mlflow files": lambda folder, runs: _write_mlflow(folder, runs, "files"),
    "mlflow database": lambda folder, runs: _write_mlflow(folder, runs, "database"),
    "aim": write_aim,
}
READ: dict[str, Callable[[Path], list[Run]]] = {
    "wandb": read_wandb,
    "swanlab": read_swanlab,
    "trackio": read_trackio,
    "tensorboard": read_tensorboard,
    "mlflow files": lambda folder: _read_mlflow(folder, "files"),
    "mlflow database": lambda folder: _read_mlflow(folder, "database"),
    "aim": read_aim,
}


def main() -> None:
    tracker, folder = sys.argv[1], Path(sys.argv[2])
    output = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what trackers print is not the answer
    WRITE[tracker](folder, json.load(sys.stdin))
    json.dump(READ[tracker](folder), output)
    output.flush()


if __name__ == "__main__":
    main()
