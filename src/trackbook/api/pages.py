"""`export_html`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..settings import user_path
from ..store.polars_import import import_polars
from ..user_warnings import warn
from .projects import existing

if TYPE_CHECKING:
    from ..tracking.stored_project import StoredProject

MOST_RUNS = 200  # of a project, the newest: more are chosen by `runs`


def export_html(
    path: str | os.PathLike[str],
    project: str | None = None,
    run: str | None = None,
    runs: Sequence[str] | None = None,
    *,
    raw: bool = False,
    details: bool = False,
) -> Path:
    """Write the board of a project, or of some of its runs, as a page of one file; return its path.

    The page needs no server, no kernel and no network, and loads nothing. It has charts, runs panel and comparison, and the
    parameters of its address say what it shows: ``page.html?metrics=loss,acc&sidebar=hidden``.

    Parameters
    ----------
    path
        The file, such as ``"page.html"``. A file that is there is replaced.
    project
        The project's name, by default that of the current or last run.
    run
        The id or name of one run.
    runs
        Ids or names of runs, by default the newest 200. Without them the newest ten are drawn at first.
    raw
        Whether the page holds every point, compressed, for zooming in: some 5 to 10 bytes each. Otherwise it holds what charts of
        about 200 to 500 pixels show.
    details
        Whether the page holds console, code and environment of the runs, with secrets masked as recorded, as far as
        4 MB go. The config is in it in any case.

    Raises
    ------
    ValueError
        For a project or run that does not exist, for a project without runs, for a `path` that is a folder, and with `raw` for more
        than ten million points.
    OSError
        When points cannot be read or the file cannot be written; what was at `path` before is still there then.
    """
    if run is not None and runs is not None:
        raise ValueError("export_html takes run= or runs=, not both")
    names = [run] if run is not None else [runs] if isinstance(runs, str) else runs
    return write_board(path, existing(project), names, raw=raw, details=details)


def write_board(
    path: str | os.PathLike[str],
    source: StoredProject,
    names: Sequence[str] | None,
    *,
    raw: bool = False,
    details: bool = False,
) -> Path:
    """Write the page of `export_html` for a project and the runs `names`, or its newest ones."""
    target = Path(os.path.realpath(user_path(path)))
    if target.is_dir():
        raise ValueError(f"{target} is a folder; name a file in it, such as {target / 'page.html'}")
    import_polars()
    from ..boards.exported_page import write_page
    from ..boards.frame_source import SHOWN_RUNS

    source.refresh()
    if names is None:
        chosen = source.store.latest(MOST_RUNS + 1)
        if len(chosen) > MOST_RUNS:
            warn(f"{target.name} has the newest {MOST_RUNS} runs of {source.name!r}; choose others by runs=")
        chosen, shown = chosen[-MOST_RUNS:], SHOWN_RUNS
    else:
        found = {record.id: record for record in map(source.find, names)}
        chosen, shown = sorted(found.values(), key=lambda record: record.started), len(found)
    if not chosen:
        raise ValueError(f"project {source.name!r} has no runs to write")
    write_page(target, source.name, source.store, chosen, shown=shown, raw=raw, details=details)
    for notice in source.store.notices:
        warn(notice)
    return target
