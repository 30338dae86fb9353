"""Copies of a project's file that are whole, also while processes write it."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Collection
from pathlib import Path

from ..filesystem import replacing
from .paths import FILES, SUFFIX, project_file


def copy_file(source: Path, target: Path) -> None:
    """Write the content of a project's file, as it is at one moment, to `target`, which appears whole or not at all.

    Readers and writers of the source go on meanwhile. Raises ``OSError`` when it cannot be read or written.
    """
    try:
        with (
            contextlib.closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as reading,
            replacing(target, target) as temporary,
            contextlib.closing(sqlite3.connect(temporary)) as writing,
        ):
            reading.backup(writing)
    except sqlite3.Error as error:
        raise OSError(f"{source.name} cannot be copied to {target}: {error}") from error


def copy_folder(folder: Path, target: Path, projects: Collection[str] = (), others: Collection[str] = ()) -> list[Path]:
    """Copy the project files of a folder, or those of `projects`, with the files that their rows name, and `others` by name.

    Returns the copied project files. Files that are in `target` already are written again, only those named by their content stay.
    Raises ``OSError`` when something cannot be read or written.
    """
    target.mkdir(parents=True, exist_ok=True)
    wanted = {project_file(project) for project in projects}
    found = [path for path in sorted(folder.glob(f"*{SUFFIX}")) if not wanted or path.name in wanted]
    copies = []
    for path in found:
        copies.append(target / path.name)
        copy_file(path, copies[-1])
        files = path.name.removesuffix(SUFFIX) + FILES  # after the rows, so that no row names a file that is not there
        for source in (folder / files).glob("*/*"):
            copy = target / files / source.parent.name / source.name
            if not copy.is_file():
                copy.parent.mkdir(parents=True, exist_ok=True)
                with replacing(copy, copy) as temporary:
                    shutil.copyfile(source, temporary)
    for name in others:
        if (folder / name).is_file():
            with replacing(target / name, target / name) as temporary:
                shutil.copy2(folder / name, temporary)
    return copies
