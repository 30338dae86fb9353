"""``trackbook alerts``."""

from __future__ import annotations

from typing import Annotated

import typer

from . import finding
from .options import AnyRun, Dir, Json, Project, examples
from .output import print_json, print_table, say


def add_to(app: typer.Typer) -> None:
    """Add ``alerts``."""
    app.command("alerts", epilog=examples("trackbook alerts", "trackbook alerts calm-lynx --level error --json"))(
        alerts
    )


def alerts(
    run: AnyRun = None,
    project: Project = None,
    level: Annotated[str, typer.Option(metavar="LEVEL", help="The least urgent: info, warn or error.")] = "info",
    dir: Dir = None,
    as_json: Json = False,
) -> None:
    """List the alerts of a project, or of a run.

    Oldest first.
    """
    from ..alerting.levels import to_level
    from ..data.alert_table import alert_rows
    from .exit_codes import UsageError

    try:
        least = to_level(level, "--level")
    except ValueError as error:
        raise UsageError(str(error)) from None
    source = finding.chosen_project(project, dir) if run is None else finding.find_run(run, project, dir)[0]
    runs = source.runs() if run is None else [finding.found(source, run)]
    rows = alert_rows(runs, source.store, least)
    if as_json:
        print_json(rows)
    elif rows:
        columns = ("run", "time", "level", "times", "title", "text", "webhook")
        shown = columns if any(row["webhook"] for row in rows) else columns[:-1]
        print_table(shown, [[row[name] for name in shown] for row in rows], source.name)
    else:
        say(f"project {source.name!r} has no such alerts")
