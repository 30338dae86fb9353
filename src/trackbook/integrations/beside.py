"""Runs beside another one: the trials of a study, the candidates of a search."""

from __future__ import annotations

from typing import Any

from ..api.process import process, project_paths
from ..store.paths import ProjectPaths
from ..tracking.run import Run, writer_of
from ..tracking.run_options import run_options


def open_beside(run: Run | None, *, name: str, group: str, config: dict[str, Any]) -> Run:
    """Open a run in the project of `run`, else in the default one. It has no board of its own, and captures nothing."""
    options = None if run is None else writer_of(run).options
    here = process()
    made = here.begin_run(
        project_paths() if run is None else _paths(run),
        run_options(
            mode="disabled" if options is not None and options.disabled else "local",
            name=name,
            group=group,
            config=config,
            capture=False,
        ),
    )
    here.last_run = run or made  # what `get_run()` and `%track show` mean after a study is the study
    return made


def reopen(run: Run) -> Run:
    """Return a run that has ended in this process, open again."""
    return process().begin_run(_paths(run), run_options(id=run.id, resume="must", capture=False))


def _paths(run: Run) -> ProjectPaths:
    return project_paths(run.project, writer_of(run).folder)
