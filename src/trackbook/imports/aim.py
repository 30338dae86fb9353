"""Aim's repositories. They are RocksDB databases, which nothing but Aim's own package reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from .intake import Intake
from .source import Kind, SourceRun, digest

_SYSTEM: Final = "__system__"  # before the names of system metrics
_OWN: Final = "__system_params"  # in a run's parameters: packages, environment variables


def _runs(path: Path) -> Iterator[SourceRun]:
    try:
        from aim import Repo
    except ImportError:
        raise ValueError(f"{path} is a repository of Aim, which only Aim's package can read: pip install aim") from None
    repo = Repo(str(path.parent if path.name == ".aim" else path))
    for run_hash in sorted(repo.list_all_runs()):
        run = _opened(repo, run_hash)
        metrics = list(run.metrics())
        ends = [metric.last_step() for metric in metrics]
        about = run.meta_run_tree.get("end_time", None), run.name, run.tags, run.description, run.archived
        yield SourceRun(
            run_hash,
            path,
            run.experiment or None,
            digest(repr((ends, about))),
            len(metrics),
            partial(_tell, repo, run_hash),
        )


def _opened(repo: Any, run_hash: str) -> Any:
    """Return a run for reading, from its own files: those of the repository's index lag behind until `aim up` is started."""
    from aim import Run

    run = Run(run_hash, repo=repo, read_only=True)
    run.meta_tree = repo.request_tree("meta", run_hash, read_only=True).subtree("meta")
    run.meta_run_tree = run.meta_tree.subtree("chunks").subtree(run_hash)
    run.meta_run_attrs_tree = run.meta_run_tree.subtree("attrs")
    return run


def _tell(repo: Any, run_hash: str, intake: Intake) -> None:
    run = _opened(repo, run_hash)
    end = run.meta_run_tree.get("end_time", None)
    params = run.meta_run_tree.get("attrs", {})
    intake.set(
        name=run.name,
        state="lost" if end is None else "finished",
        started=run.creation_time,
        ended=end,
        tags=tuple(sorted(run.tags)),
        notes=run.description,
        config={name: value for name, value in _plain(params).items() if name != _OWN},
    )
    if end is None:
        intake.lose("its end is not recorded: it crashed, or goes on")
    for done, metric in enumerate(run.metrics(), 1):
        steps, (values, _, times) = metric.data.items_list()
        name = "/".join([*map(str, metric.context.to_dict().values()), metric.name])
        for step, value, time in sorted(zip(steps, values, times, strict=True), key=lambda point: point[0]):
            if metric.name.startswith(_SYSTEM):
                intake.system(name.replace(_SYSTEM, "", 1), value, time)
            else:
                intake.point(name, step, value, time)
        intake.at(done)


def _plain(params: Any) -> Mapping[str, Any]:
    return params if isinstance(params, Mapping) else {}


KIND: Final = Kind("aim", "repositories of Aim", lambda path: path.name == ".aim" or (path / ".aim").is_dir(), _runs)
