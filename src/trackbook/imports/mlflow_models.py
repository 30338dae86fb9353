"""The models that MLflow 3 logs: each is a version of an artifact of type ``model``, with its files and what is known of it.

A model belongs to an experiment, and most were made by a run. The others come along with the first run of their experiment.
"""

from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from ..artifacts.artifact import Artifact
from ..artifacts.names import plain_name
from .intake import Intake
from .mlflow_artifacts import Artifacts, artifacts_of
from .mlflow_files import META, all_files, texts
from .source import MALFORMED, digest, stamp
from .sqlite_files import reading, rows
from .yaml_files import read_yaml

_FOLDER: Final = "models"
TABLES: Final = frozenset(
    {"logged_models", "logged_model_metrics", "logged_model_params", "logged_model_tags", "inputs"}
)
_STATES: Final = {0: "UNSPECIFIED", 1: "PENDING", 2: "READY", 3: "FAILED"}
_USER: Final = re.compile(r"//[^/@]*@")


class _Metric(NamedTuple):
    key: str
    step: int
    timestamp: int  # milliseconds
    value: float
    dataset_name: str | None = None
    dataset_digest: str | None = None


@dataclass(frozen=True)
class _Details:
    """What is known of a model beside its first facts."""

    params: Mapping[str, str]
    tags: Mapping[str, str]
    metrics: Iterable[_Metric]
    step: int | None  # of the run when it logged the model; None for one that it did not log whole


@dataclass(frozen=True)
class LoggedModel:
    """A model of a store."""

    meta: Mapping[str, Any]  # as a store of files has it
    artifacts: Artifacts
    stamp: str
    read: Callable[[Intake], _Details]

    @property
    def id(self) -> str:
        return str(self.meta["model_id"])

    @property
    def name(self) -> str:
        return str(self.meta.get("name") or self.id)

    @property
    def run(self) -> str | None:
        """The id of the run that made it."""
        run = self.meta.get("source_run_id")
        return run if isinstance(run, str) else None

    def tell(self, intake: Intake, run: str) -> None:
        """Tell of the model as one that a run made, unless another one did."""
        details = self.read(intake)
        artifact = Artifact(plain_name(self.name), "model", metadata=self._metadata(details))
        own = f"mlflow/{plain_name(self.id)}"  # so that no two models are one version
        artifact.add_reference(f"models:/{self.id}", name=own)
        if self.artifacts.is_remote:
            artifact.add_reference(_USER.sub("//", self.artifacts.address), name="mlflow/artifacts")
            intake.leave_out("models at remote addresses, but for references to them,", self.name)
        elif self.artifacts.folder is None and details.step is not None:
            intake.lose(f"the files of model {self.name!r} are not at {self.artifacts.address}")
        files = ((file.name, file.path) for file in self.artifacts.files(intake))
        intake.artifact(artifact, files, _created(self)[0] / 1000, is_made=self.run == run)

    def _metadata(self, details: _Details) -> dict[str, Any]:
        about = {
            name: self.meta.get(name) for name in ("model_id", "name", "model_type", "status_message", "source_run_id")
        }
        about |= {
            "status": _STATES.get(self.meta.get("status", 0)),
            "step": details.step,
            "params": dict(details.params),
            "tags": dict(details.tags),
            "metrics": [_described(metric) for metric in _last(details.metrics)],
        }
        return {name: value for name, value in about.items() if value not in (None, {}, [])}


def facts(models: Sequence[LoggedModel]) -> tuple[str, int]:
    """Return a text that changes when one of the models does, and the bytes of their files."""
    changed, size = [], 0
    for model in models:
        files, more = model.artifacts.facts()
        changed += [model.stamp, files]
        size += more
    return digest(*changed) if changed else "", size


def tell(models: Sequence[LoggedModel], run: str, intake: Intake, before: int) -> None:
    """Tell of the models that come along with a run, after `before` of its other records."""
    for model in models:
        try:
            model.tell(intake, run)
        except MALFORMED as error:
            intake.lose(f"model {model.name!r} has an unknown form: {error}")
        before += model.artifacts.facts()[1]
        intake.at(before)


def by_run(models: Iterable[LoggedModel], runs: Sequence[str], *, is_all: bool = True) -> dict[str, list[LoggedModel]]:
    """Return the models of an experiment that come along with each of its runs. Those of no run do if these are all its runs."""
    found: dict[str, list[LoggedModel]] = {run: [] for run in runs}
    for model in models:
        if model.run in found:
            found[model.run].append(model)
        elif is_all and runs:
            found[runs[0]].append(model)
    return found


# --- files ------------------------------------------------------------------------------------------------------------


def of_folder(experiment: Path) -> list[LoggedModel]:
    """Return the models in the folder of an experiment, oldest first."""
    folder = experiment / _FOLDER
    found = [_of_folder(one) for one in sorted(folder.iterdir()) if (one / META).is_file()] if folder.is_dir() else []
    return sorted((model for model in found if model.meta.get("lifecycle_stage") != "deleted"), key=_created)


def _of_folder(folder: Path) -> LoggedModel:
    meta = {"model_id": folder.name} | read_yaml(folder / META, lambda _: None)
    files = [folder / META, *(file for part in ("metrics", "params", "tags") for file in all_files(folder / part))]
    artifacts = artifacts_of(
        meta.get("artifact_location"), folder.name, folder.parents[2], folder / "artifacts", above=4
    )
    return LoggedModel(meta, artifacts, stamp(files), partial(_read_folder, folder))


def _read_folder(folder: Path, intake: Intake) -> _Details:
    run = read_yaml(folder / META, intake.lose).get("source_run_id")
    logged = folder.parents[1] / Path(str(run)).name / "outputs" / folder.name / META
    step = read_yaml(logged, intake.lose).get("step", 0) if logged.is_file() else None
    return _Details(texts(folder / "params"), texts(folder / "tags"), _metrics(folder / "metrics", intake), step)


def _metrics(folder: Path, intake: Intake) -> Iterator[_Metric]:
    for file in all_files(folder):
        name = file.relative_to(folder).as_posix()
        with file.open(encoding="utf-8", errors="backslashreplace") as lines:
            for line in lines:
                try:
                    time, value, step, _run, *dataset = line.strip().split(" ")
                    yield _Metric(name, int(step), int(time), float(value), *dataset)
                except MALFORMED:
                    intake.lose(f"{file} is cut off or damaged at {line.strip()[:40]!r}")


# --- SQLite -----------------------------------------------------------------------------------------------------------


_FIELDS: Final = (
    "model_id",
    "name",
    "artifact_location",
    "creation_timestamp",
    "model_type",
    "source_run_id",
    "status",
    "status_message",
)
_QUERY: Final = """
    select experiments.name, model_id, m.name, m.artifact_location, creation_timestamp_ms, model_type, source_run_id, status, status_message,
        last_updated_timestamp_ms,
        (select count(*) from logged_model_metrics as p where p.model_id = m.model_id),
        (select count(*) from logged_model_params as p where p.model_id = m.model_id),
        (select count(*) from logged_model_tags as p where p.model_id = m.model_id)
    from logged_models as m join experiments on experiments.experiment_id = m.experiment_id
    where m.lifecycle_stage is null or m.lifecycle_stage <> 'deleted' order by creation_timestamp_ms, model_id
"""


def of_database(file: Path, db: sqlite3.Connection) -> dict[str, list[LoggedModel]]:
    """Return the models in a database by the name of their experiment, oldest first."""
    found: dict[str, list[LoggedModel]] = {}
    for experiment, *row in rows(db, _QUERY):
        meta = dict(zip(_FIELDS, row, strict=False))
        artifacts = artifacts_of(meta["artifact_location"], meta["model_id"], file.parent, above=4)
        read = partial(_read_rows, file, meta["model_id"], meta["source_run_id"])
        found.setdefault(experiment, []).append(LoggedModel(meta, artifacts, digest(repr(row)), read))
    return found


def _read_rows(file: Path, model: str, run: str | None, intake: Intake) -> _Details:
    with reading(file) as db:
        params = dict(rows(db, "select param_key, param_value from logged_model_params where model_id = ?", model))
        tags = dict(rows(db, "select tag_key, tag_value from logged_model_tags where model_id = ?", model))
        metrics = _last(_metrics_of_rows(db, model, intake))
        query = "select step from inputs where source_type = 'RUN_OUTPUT' and source_id = ? and destination_id = ?"
        step = next(rows(db, query, run, model), (None,))[0]
    return _Details(params, tags, metrics, step)


def _metrics_of_rows(db: sqlite3.Connection, model: str, intake: Intake) -> Iterator[_Metric]:
    query = (
        "select metric_name, metric_step, metric_timestamp_ms, metric_value, dataset_name, dataset_digest "
        "from logged_model_metrics where model_id = ? order by metric_name, metric_step, metric_timestamp_ms"
    )
    for key, step, time, value, *dataset in rows(db, query, model):
        try:
            yield _Metric(key, int(step), int(time), math.nan if value is None else float(value), *dataset)
        except MALFORMED as error:
            intake.lose(f"a value of {key!r} of a model has an unknown form: {error}")


# --- both -------------------------------------------------------------------------------------------------------------


def _created(model: LoggedModel) -> tuple[int, str]:
    created = model.meta.get("creation_timestamp")
    return created if isinstance(created, int) else 0, model.id


def _last(metrics: Iterable[_Metric]) -> list[_Metric]:
    """Return the last value of each metric, for each dataset, as MLflow shows it."""
    found: dict[tuple[Any, ...], _Metric] = {}
    for metric in metrics:
        key = metric.key, metric.dataset_name, metric.dataset_digest
        if key not in found or metric[1:4] >= found[key][1:4]:
            found[key] = metric
    return list(found.values())


def _described(metric: _Metric) -> dict[str, Any]:
    about = metric._asdict() | ({} if math.isfinite(metric.value) else {"value": str(metric.value)})  # JSON has no NaN
    return {name: value for name, value in about.items() if value is not None}
