"""``trackbook ls``: projects, runs and metrics."""

from __future__ import annotations

from time import time
from typing import Annotated, Any, Final

import typer

from ..text import ago, duration
from . import finding
from .options import AnyRun, Dir, Json, Project, complete_projects, examples
from .output import moment, print_json, print_table, say, size

_SHOWN: Final = ("name", "id", "state", "started", "duration", "points", "tags")
_COLUMNS: Final = 6  # of results, in a table for people


def add_to(app: typer.Typer) -> None:
    """Add ``ls``."""
    ls = typer.Typer(invoke_without_command=True)
    ls.callback(
        epilog=examples("trackbook ls", "trackbook ls runs digits", "trackbook ls metrics brisk-otter-12 --json")
    )(projects_by_default)
    ls.command("projects", epilog=examples("trackbook ls projects --json"))(projects)
    ls.command("runs", epilog=examples("trackbook ls runs digits", "trackbook ls runs --limit 20 --json"))(runs)
    ls.command("metrics", epilog=examples("trackbook ls metrics", "trackbook ls metrics brisk-otter-12"))(metrics)
    app.add_typer(ls, name="ls")


def projects_by_default(ctx: typer.Context, dir: Dir = None, as_json: Json = False) -> None:
    """List projects, runs or metrics.

    Without a subcommand it lists projects.
    """
    if ctx.invoked_subcommand is None:
        projects(dir, as_json)


def projects(dir: Dir = None, as_json: Json = False) -> None:
    """List the projects of a folder."""
    from ..store.project_list import ProjectList

    home = finding.home_of(dir)
    entries = ProjectList(home).entries()
    if running := [found.name for found in entries if found.running]:
        for name in running:
            finding.existing_project(name, dir)  # which tells runs whose process died from running ones
        entries = ProjectList(home).entries()
    rows = [
        {
            "project": found.name,
            "runs": found.runs if found.problem is None else None,
            "running": found.running if found.problem is None else None,
            "active": moment(found.active),
            "bytes": found.size,
            "path": str(found.path),
            "problem": found.problem,
        }
        for found in entries
    ]
    if as_json:
        print_json(rows)
    elif rows:
        table = [
            (
                found.name,
                *((found.runs, found.running) if found.problem is None else (None, None)),
                "" if found.active is None else ago(time() - found.active),
                size(found.size),
                found.problem,
            )
            for found in entries
        ]
        columns = ("project", "runs", "running", "active", "size", "problem")
        shown = len(columns) if any(found.problem for found in entries) else len(columns) - 1
        print_table(columns[:shown], [row[:shown] for row in table])
    else:
        say(f"there are no projects in {home} yet")


def runs(
    which: Annotated[
        str | None,
        typer.Argument(
            metavar="[PROJECT]", help="By default that of the newest run.", autocompletion=complete_projects
        ),
    ] = None,
    project: Project = None,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="Only so many, the newest.")] = None,
    dir: Dir = None,
    as_json: Json = False,
) -> None:
    """List the runs of a project.

    Oldest first, with the last value of each metric.
    """
    from ..tracking.recorded_project import RecordedProject

    source = finding.chosen_records(which or project, dir)
    rows = source.rows() if isinstance(source, RecordedProject) else source.table().to_dicts()
    rows = rows if limit is None else rows[-limit:]
    if as_json:
        print_json([_nested(row) for row in rows])
        return
    if not rows:
        say(f"project {source.name!r} has no runs yet")
        return
    results = [name for name in rows[0] if name.startswith("summary.")][:_COLUMNS]
    columns = [name for name in _SHOWN if name != "tags" or any(row["tags"] for row in rows)]
    shown = [[_shown(name, row[name]) for name in [*columns, *results]] for row in rows]
    print_table([*columns, *(name.removeprefix("summary.") for name in results)], shown, source.name, least=2)


def _shown(column: str, value: Any) -> Any:
    return duration(value) if column == "duration" and value is not None else value


def _nested(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of `trackbook.runs` with config and summary as objects, without missing values."""
    nested: dict[str, Any] = {"config": {}, "summary": {}}
    for name, value in row.items():
        kind, dot, short = name.partition(".")
        if dot and kind in nested:
            if value is not None:
                nested[kind][short] = value
        else:
            nested[name] = value
    return nested


def metrics(run: AnyRun = None, project: Project = None, dir: Dir = None, as_json: Json = False) -> None:
    """List the metrics of a run.

    With their last, smallest and largest value.
    """
    from ..metrics import logged

    source, record = finding.find_record(run, project, dir)
    found = logged(source.store.summary(record.id))
    if as_json:
        fields = ("last", "min", "max", "count", "step")
        print_json([{"metric": name, **{key: getattr(one, key) for key in fields}} for name, one in found.items()])
    elif found:
        rows = [(name, one.last, one.min, one.max, one.count, one.step) for name, one in found.items()]
        print_table(("metric", "last", "min", "max", "points", "step"), rows, f"{source.name}: {record.name}", least=1)
    else:
        say(f"run {record.name!r} has no metrics yet")
