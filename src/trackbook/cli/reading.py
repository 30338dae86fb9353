"""``trackbook get`` and ``trackbook query``: what was recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..text import duration
from ..types import CAPTURED
from . import finding
from .exit_codes import NotFoundError, UsageError
from .options import AnyRun, Dir, Json, Project, complete_metrics, examples
from .output import json_text, moment, number, print_json, print_table, say

if TYPE_CHECKING:
    from ..tracking.run import Run

Last = Annotated[int | None, typer.Option(min=1, metavar="N", help="Only so many, the last.")]


def add_to(app: typer.Typer) -> None:
    """Add ``get`` and ``query``."""
    get = typer.Typer(no_args_is_help=True)
    get.callback(epilog=examples("trackbook get run", "trackbook get metric train/loss --run brisk-otter-12"))(group)
    get.command("run", epilog=examples("trackbook get run", "trackbook get run brisk-otter-12 --json"))(run_)
    get.command("metric", epilog=examples("trackbook get metric train/loss", "trackbook get metric loss --last 5"))(
        metric
    )
    get.command("config", epilog=examples("trackbook get config brisk-otter-12"))(config)
    get.command("console", epilog=examples("trackbook get console --last 20"))(console)
    get.command("env", epilog=examples("trackbook get env", "trackbook get env --json"))(env)
    get.command("cells", epilog=examples("trackbook get cells brisk-otter-12"))(cells)
    app.add_typer(get, name="get")
    app.command(
        "query",
        epilog=examples(
            "trackbook query \"select run, min(value) from points where metric = 'val/loss' group by run\"",
            'trackbook query "select name, state, points from runs" --json',
        ),
    )(query)


def group() -> None:
    """Print what was recorded of a run."""


def _run(run: str | None, project: str | None, dir: str | None) -> Run:
    if project is None:
        source, record = finding.find_run(run, project, dir)
        return source.get(record.id)
    read = finding.read_project(project, dir)
    return read.get(finding.found(read, run).id)


def run_(run: AnyRun = None, project: Project = None, dir: Dir = None, as_json: Json = False) -> None:
    """Print state, config and results of a run."""
    from ..metrics import logged

    source, record = finding.find_record(run, project, dir)
    summary = logged(source.store.summary(record.id))
    fields = ("last", "min", "max", "count", "step")
    if as_json:
        print_json(
            {
                "project": source.name,
                **{name: getattr(record, name) for name in ("id", "name", "group", "state", "error", "tags", "notes")},
                "started": moment(record.started),
                "ended": moment(record.ended),
                "duration": None if record.ended is None else record.ended - record.started,
                "done": record.done,
                "total": record.total,
                "config": record.config,
                "summary": record.summary,
                "metrics": {name: {key: getattr(one, key) for key in fields} for name, one in summary.items()},
            }
        )
        return
    lines = {
        "run": f"{record.name} ({record.id})",
        "project": source.name,
        "group": record.group,
        "state": record.state,
        "error": record.error,
        "started": moment(record.started),
        "duration": None if record.ended is None else duration(record.ended - record.started),
        "tags": ", ".join(record.tags),
        "notes": record.notes,
    }
    _print_pairs({name: value for name, value in lines.items() if value})
    if record.config or record.summary:
        say()
        _print_pairs(record.config | record.summary)
    if summary:
        say()
        rows = [(name, one.last, one.min, one.max, one.count) for name, one in summary.items()]
        print_table(("metric", "last", "min", "max", "points"), rows)


def _print_pairs(nested: dict[str, Any]) -> None:
    from ..data.run_differences import leaves

    pairs = dict(leaves(nested))
    width = max(map(len, pairs), default=0)
    for name, value in pairs.items():
        said = value if isinstance(value, str) else json_text(value)
        say(f"{name:<{width}}  {said}")


def metric(
    names: Annotated[list[str], typer.Argument(metavar="METRIC...", autocompletion=complete_metrics)],
    run: Annotated[
        str | None, typer.Option("--run", "-r", metavar="RUN", help="Id or name of a run; by default the newest.")
    ] = None,
    project: Project = None,
    last: Last = None,
    dir: Dir = None,
    as_json: Json = False,
) -> None:
    """Print the points of metrics.

    Metric, step, value, and time in seconds UTC, separated by tabs.
    """
    found = _run(run, project, dir)
    try:
        points = found.history(names)
    except ValueError as error:
        raise NotFoundError(str(error)) from None
    if last is not None:
        points = points.group_by("metric", maintain_order=True).tail(last)
    if as_json:
        print_json(points.to_dicts())
        return
    columns = ("metric", "step", "value", "time")
    say("\t".join(columns))
    for row in points.select(columns).iter_rows():
        say("\t".join(map(str, row)))


def config(run: AnyRun = None, project: Project = None, dir: Dir = None, as_json: Json = False) -> None:
    """Print the config of a run."""
    record = finding.find_record(run, project, dir)[1]
    if as_json:
        print_json(record.config)
    else:
        _print_pairs(record.config)


def console(
    run: AnyRun = None, project: Project = None, last: Last = None, dir: Dir = None, as_json: Json = False
) -> None:
    """Print what the program of a run wrote.

    The lines of stdout and stderr, as a terminal shows them.
    """
    source, record = finding.find_record(run, project, dir)
    lines = source.store.captured(record.id, "console")
    lines = lines if last is None else lines[-last:]
    if as_json:
        print_json([dict(zip(CAPTURED["console"], line, strict=True)) for line in lines])
        return
    for _, _, text, *_ in lines:
        say(text)


def env(run: AnyRun = None, project: Project = None, dir: Dir = None, as_json: Json = False) -> None:
    """Print the environment of a run.

    Machine, Python, packages, git, and the environment variables that matter to training.
    """
    from ..store.documents import document

    source, record = finding.find_record(run, project, dir)
    found = document(source.store, record.id, "environment") or {}
    if as_json:
        print_json(found)
        return
    for topic, facts in found.items():
        pairs = facts if isinstance(facts, dict) else {str(place): each for place, each in enumerate(facts)}
        for name, value in pairs.items():
            say(f"{topic}.{name}  {value if isinstance(value, str) else json_text(value)}")


def cells(run: AnyRun = None, project: Project = None, dir: Dir = None, as_json: Json = False) -> None:
    """Print the executed cells of a run.

    Of a script, its source.
    """
    from ..data.run_rows import as_time, metric_names
    from ..store.documents import document

    source, record = finding.find_record(run, project, dir)
    rows = [dict(zip(CAPTURED["cells"], row, strict=True)) for row in source.store.captured(record.id, "cells")]
    script = (document(source.store, record.id, "code") or {}).get("source")
    if as_json:
        times = [{name: as_time(row[name]) for name in ("started", "ended")} for row in rows]
        plain = [row | time | {"metrics": metric_names(row["metrics"])} for row, time in zip(rows, times, strict=True)]
        print_json({"script": script, "cells": plain})
        return
    for row in rows:
        count = "" if row["count"] is None else row["count"]
        say(f"# %% In [{count}]: {row['state']}\n{row['source'] or ''}\n")
    if script is not None:
        say(script)


def query(
    sql: Annotated[str, typer.Argument(metavar="SQL")],
    project: Project = None,
    dir: Dir = None,
    as_json: Json = False,
) -> None:
    """Answer SQL about a project.

    In Polars' dialect, over the tables points, runs, system, console and cells.
    """
    source = finding.read_project(project, dir)
    from ..data.sql import sql as answer

    try:
        table = answer(sql, source.name, source.runs(), source.store)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if as_json:
        print_json(table.to_dicts())
    else:
        print_table(table.columns, ([number(cell) for cell in row] for row in table.iter_rows()))
