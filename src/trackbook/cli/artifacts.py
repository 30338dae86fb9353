"""``trackbook artifacts``."""

from __future__ import annotations

from typing import Annotated

import typer

from . import finding
from .options import Dir, Json, Project, examples
from .output import print_json, print_table, say, size


def add_to(app: typer.Typer) -> None:
    """Add ``artifacts``."""
    app.command(
        "artifacts", epilog=examples("trackbook artifacts", "trackbook artifacts model --download weights --json")
    )(artifacts)


def artifacts(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME[:VERSION]]", help="An artifact; by default all, with all versions.")
    ] = None,
    project: Project = None,
    download: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Write the files of this version into a folder.")
    ] = None,
    dir: Dir = None,
    as_json: Json = False,
) -> None:
    """List the artifacts of a project, or download one.

    By name, oldest version first.
    """
    from ..artifacts.artifact import kept_artifact
    from ..artifacts.catalog import catalog_of
    from ..artifacts.names import parse
    from ..data.artifact_table import artifact_rows
    from .exit_codes import NotFoundError, UsageError

    if download is not None and name is None:
        raise UsageError("--download needs the name of an artifact")
    try:
        wanted = None if name is None else parse(name)
    except ValueError as error:
        raise UsageError(str(error)) from None
    source = finding.chosen_project(project or (wanted and wanted.project), dir)
    catalog = catalog_of(source.store, source.name)
    try:
        version = None if wanted is None else catalog.find(wanted)
    except ValueError as error:
        raise NotFoundError(str(error)) from None
    if version is not None and download is not None:
        folder = kept_artifact(catalog, version).download(download)
        say(f"{version.artifact} is in {folder}", err=as_json)
    rows = artifact_rows(catalog, None if wanted is None else wanted.name)
    if wanted is not None and name is not None and ":" in name and version is not None:
        rows = [row for row in rows if row["artifact"] == version.artifact]
    if as_json:
        print_json(rows)
    elif download is None and rows:
        columns = ("artifact", "type", "aliases", "files", "size", "created", "made_by")
        shown = [[size(row[each]) if each == "size" else row[each] for each in columns] for row in rows]
        print_table(columns, shown, catalog.project)
    elif download is None:
        say(f"project {catalog.project!r} has no artifacts")
