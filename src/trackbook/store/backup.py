"""Copies of a project's file that are whole, also while processes write it."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from ..filesystem import replacing


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
