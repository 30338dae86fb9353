"""MLflow's file stores (``mlruns``) and SQLite stores (``mlflow.db``)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from ..text import listed
from ..user_warnings import warn
from . import mlflow_models
from .intake import Intake
from .mlflow_artifacts import Artifacts, artifacts_of
from .mlflow_files import META, all_files, texts
from .mlflow_models import LoggedModel
from .source import MALFORMED, Damaged, Kind, SourceRun, digest, found, stamp
from .sqlite_files import reading, rows, tables
from .yaml_files import read_yaml

_STATES: Final = {  # by text in SQLite, by number in files
    **dict.fromkeys(("RUNNING", "SCHEDULED", "1", "2"), "lost"),
    **dict.fromkeys(("FINISHED", "3"), "finished"),
    **dict.fromkeys(("FAILED", "4"), "failed"),
    **dict.fromkeys(("KILLED", "5"), "interrupted"),
}
_OWN: Final = "mlflow."
_SYSTEM: Final = "system/"
_SUFFIXES: Final = (".db", ".sqlite", ".sqlite3")
_ROW: Final = 30  # bytes, about, of a metric in a database


def _runs(path: Path) -> Iterator[SourceRun]:
    for file in _databases(path):
        yield from _runs_of_database(file)
    for folder in _experiments(path):
        yield from _runs_of_folder(folder)


def _holds(path: Path) -> bool:
    try:
        return any(True for _ in _databases(path)) or any(True for _ in _experiments(path))
    except Damaged:
        return False


# --- SQLite -----------------------------------------------------------------------------------------------------------


def _databases(path: Path) -> Iterator[Path]:
    files = found(path, lambda name: name.endswith(_SUFFIXES)) if path.is_dir() else [path]
    return (file for file in files if {"experiments", "runs", "metrics", "params", "tags"} <= tables(file).keys())


def _runs_of_database(file: Path) -> Iterator[SourceRun]:
    query = (
        "select run_uuid, experiments.name, artifact_uri, (select count(*) from metrics where metrics.run_uuid = runs.run_uuid), "
        "status, runs.end_time, (select count(*) from tags where tags.run_uuid = runs.run_uuid), "
        "(select count(*) from params where params.run_uuid = runs.run_uuid) from runs "
        "join experiments on experiments.experiment_id = runs.experiment_id "
        "where runs.lifecycle_stage = 'active' order by runs.start_time, run_uuid"
    )
    with reading(file) as db:
        known = list(rows(db, query))
        models = mlflow_models.of_database(file, db) if tables(file).keys() >= mlflow_models.TABLES else {}
    runs: dict[Any, list[str]] = {}
    for run, experiment, *_ in known:
        runs.setdefault(experiment, []).append(run)
    theirs = [mlflow_models.by_run(models.pop(experiment, []), ids) for experiment, ids in runs.items()]
    of_run = {run: made for one in theirs for run, made in one.items()}
    for experiment, homeless in models.items():
        _say_homeless(file, experiment, homeless)
    for run, experiment, address, count, *more in known:
        files = _Files(artifacts_of(address, run, file.parent), of_run[run], run)
        changed, size = files.facts()
        tell = partial(_tell_rows, file, run, files)
        yield SourceRun(run, file, experiment, digest(repr((count, *more)), changed), count * _ROW + size, tell)


def _tell_rows(file: Path, run: str, files: _Files, intake: Intake) -> None:
    with reading(file) as db:
        name, status, start, end = next(
            rows(db, "select name, status, start_time, end_time from runs where run_uuid = ?", run)
        )
        tags = dict(rows(db, "select key, value from tags where run_uuid = ?", run))
        parent = next(rows(db, "select name from runs where run_uuid = ?", tags.get("mlflow.parentRunId")), None)
        params = dict(rows(db, "select key, value from params where run_uuid = ?", run))
        facts = _Facts(name, status, start, end, params, tags, str(parent[0]) if parent else None)
        facts.tell(intake)
        query = (
            "select key, value, timestamp, step, is_nan from metrics where run_uuid = ? order by key, timestamp, step"
        )
        done = 0
        for metric, value, time, step, is_nan in rows(db, query, run):
            done += _ROW
            intake.at(done)
            try:
                _point(intake, metric, math.nan if is_nan else float(value), int(time), int(step))
            except MALFORMED as error:
                intake.lose(f"a point of {metric!r} has an unknown form: {error}")
    files.tell(intake, tags, facts.started or 0.0, done)


# --- files ------------------------------------------------------------------------------------------------------------


def _experiments(path: Path) -> Iterator[Path]:
    """Yield the folders of experiments in a store, or `path` itself when it is one."""
    if not path.is_dir():
        return
    for root in (path, path / "mlruns"):
        if _is_experiment(root):
            yield root
        elif root.is_dir():
            yield from sorted(folder for folder in root.iterdir() if _is_experiment(folder))


def _is_experiment(folder: Path) -> bool:
    """Whether this is the folder of an experiment, or of a run."""
    return folder.name != ".trash" and "experiment_id" in _beginning(folder / META)


def _beginning(file: Path) -> str:
    try:
        with file.open(encoding="utf-8", errors="backslashreplace") as lines:
            return lines.read(4096)
    except OSError:
        return ""


def _runs_of_folder(folder: Path) -> Iterator[SourceRun]:
    if (folder / "metrics").is_dir():  # of one run
        runs, experiment = (
            [folder],
            read_yaml(folder.parent / META, _refuse) if (folder.parent / META).is_file() else {},
        )
    else:
        runs = sorted(run for run in folder.iterdir() if (run / META).is_file() and (run / "metrics").is_dir())
        experiment = read_yaml(folder / META, _refuse)
    if experiment.get("lifecycle_stage") == "deleted":
        return
    project = str(experiment["name"]) if "name" in experiment else None
    metas: dict[Path, dict[str, Any]] = {run: read_yaml(run / META, lambda _: None) for run in runs}
    ids = {
        run: str(meta.get("run_id") or run.name)
        for run, meta in sorted(metas.items(), key=_started)
        if meta.get("lifecycle_stage") != "deleted"
    }
    is_all = runs != [folder]
    models = mlflow_models.of_folder(folder if is_all else folder.parent)
    of_run = mlflow_models.by_run(models, [*ids.values()], is_all=is_all)
    if models and not ids:
        _say_homeless(folder, project, models)
    for run, run_id in ids.items():
        records = sorted(file for part in ("metrics", "params", "tags") for file in all_files(run / part))
        size = sum(file.stat().st_size for file in records)
        artifacts = artifacts_of(metas[run].get("artifact_uri"), run_id, folder.parent, run / "artifacts")
        files = _Files(artifacts, of_run[run_id], run_id)
        changed, more = files.facts()
        tell = partial(_tell_files, run, files)
        yield SourceRun(run_id, run, project, digest(stamp([run / META, *records]), changed), size + more, tell)


def _started(run: tuple[Path, dict[str, Any]]) -> tuple[int, Path]:
    """Return what orders runs by their start, so that the versions of their models are in this order, too."""
    started = run[1].get("start_time")
    return started if isinstance(started, int) else 0, run[0]


def _refuse(why: str) -> None:
    raise Damaged(why)


def _tell_files(run: Path, files: _Files, intake: Intake) -> None:
    meta = read_yaml(run / META, intake.lose)
    tags, params = texts(run / "tags"), texts(run / "params")
    above = run.parent / Path(tags.get("mlflow.parentRunId", "")).name / META
    parent = (
        read_yaml(above, lambda _: None).get("run_name") if above.parent != run.parent and above.is_file() else None
    )
    name, start, end = (meta.get(field) for field in ("run_name", "start_time", "end_time"))
    facts = _Facts(name, str(meta.get("status", "")), start, end, params, tags, parent)
    facts.tell(intake)
    done = 0
    for file in all_files(run / "metrics"):
        metric = file.relative_to(run / "metrics").as_posix()
        with file.open(encoding="utf-8", errors="backslashreplace") as lines:
            for line in lines:
                done += len(line)
                intake.at(done)
                _take_line(intake, file, metric, line)
    files.tell(intake, tags, facts.started or 0.0, done)


def _take_line(intake: Intake, file: Path, metric: str, line: str) -> None:
    """Take in a line of a metric: time in milliseconds, value, and, unless the store is an early one, step."""
    parts = line.split()
    try:
        time, value, step = int(parts[0]), float(parts[1]), int(parts[2]) if len(parts) > 2 else 0
        is_whole = line.endswith("\n")
    except (ValueError, IndexError):
        is_whole = not parts
        time, value, step = 0, math.nan, -1
    if not is_whole:
        intake.lose(f"{file} is cut off or damaged at {line.strip()[:40]!r}")
    elif parts:
        _point(intake, metric, value, time, step)


# --- both -------------------------------------------------------------------------------------------------------------


def _point(intake: Intake, metric: str, value: float, time: int, step: int) -> None:
    if metric.startswith(_SYSTEM):
        intake.system(metric.removeprefix(_SYSTEM), value, time / 1000)
    else:
        intake.point(metric, step, value, time / 1000)


@dataclass(frozen=True)
class _Files:
    """The artifacts of a run, and the models that come along with it."""

    artifacts: Artifacts
    models: list[LoggedModel]
    run: str

    def facts(self) -> tuple[str, int]:
        """Return a text that changes when a file or a model does, and the bytes of all files."""
        (files, size), (models, more) = self.artifacts.facts(), mlflow_models.facts(self.models)
        return files + models, size + more

    def tell(self, intake: Intake, tags: Mapping[str, str], started: float, before: int) -> None:
        """Tell of all of them, after `before` of the run's other records."""
        self.artifacts.tell(intake, tags, started, before)
        mlflow_models.tell(self.models, self.run, intake, before + self.artifacts.facts()[1])


def _say_homeless(source: Path, experiment: Any, models: list[LoggedModel]) -> None:
    names = listed((model.name for model in models), 5)
    warn(
        f"import of {source}: {len(models):,} models of experiment {experiment!r} are left out, as it has no run: {names}"
    )


@dataclass
class _Facts:
    """What a store knows of a run beside its metrics."""

    name: str | None
    status: str
    start: Any  # milliseconds
    end: Any
    params: Mapping[str, str]
    tags: Mapping[str, str]
    parent: str | None  # the name of the run that it is nested in

    @property
    def started(self) -> float | None:
        """When the run started, in seconds UTC."""
        return self.start / 1000 if isinstance(self.start, int) else None

    def tell(self, intake: Intake) -> None:
        tags = self.tags
        own = sorted(f"{key}={value}" if value else key for key, value in tags.items() if not key.startswith(_OWN))
        intake.set(
            name=self.name or tags.get("mlflow.runName"),
            state=_STATES.get(self.status, "lost"),
            started=self.started,
            ended=self.end / 1000 if isinstance(self.end, int) else None,
            config={key: _typed(value) for key, value in self.params.items()},
            tags=tuple(own),
            notes=tags.get("mlflow.note.content"),
            group=self.parent,
        )
        kept = ("mlflow.user", "mlflow.source.name", "mlflow.source.git.commit")
        intake.more |= {key.removeprefix(_OWN): tags[key] for key in kept if key in tags}


def _typed(text: str) -> Any:
    """Return a parameter as the number or bool whose text it is: MLflow keeps only texts, and 0.10 stays one."""
    if text in ("True", "False"):
        return text == "True"
    for kind in (int, float):
        try:
            value = kind(text)
        except (ValueError, OverflowError):
            continue
        if str(value) == text:
            return value
    return text


KIND: Final = Kind("mlflow", "MLflow's stores, of files or SQLite", _holds, _runs, numbers_zeros=True)
