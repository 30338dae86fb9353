"""Runs beside another one: the trials of a study, the candidates of a search."""

from __future__ import annotations

from typing import Any

from ..api.process import process
from ..notebook import host
from ..tracking.run import Run, writer_of
from ..tracking.run_options import run_options


def open_beside(run: Run | None, *, name: str, group: str, config: dict[str, Any]) -> Run:
    """Open a run in the project of `run`, else in the default one. It has no board of its own, and captures nothing."""
    options = None if run is None else writer_of(run).options
    here = process()
    made = here.begin_run(
        run_options(
            project=host.current().name() if run is None else run.project,
            dir=None if options is None else options.folder,
            mode="disabled" if options is not None and options.disabled else "local",
            name=name,
            group=group,
            config=config,
            capture=False,
        )
    )
    here.last_run = run or made  # what `get_run()` and `%track show` mean after a study is the study
    return made


def reopen(run: Run) -> Run:
    """Return a run that has ended in this process, open again."""
    options = writer_of(run).options
    return process().begin_run(
        run_options(project=run.project, dir=options.folder, id=run.id, resume="must", capture=False)
    )
