"""Folders of MLflow's stores in which each file is named after a metric, a parameter or a tag."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .source import found

META: Final = "meta.yaml"


def all_files(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder, in order."""
    return found(folder, lambda _: True, frozenset())


def texts(folder: Path) -> dict[str, str]:
    """Return the content of each file of a folder by its name."""
    return {
        file.relative_to(folder).as_posix(): file.read_text("utf-8", errors="backslashreplace")
        for file in all_files(folder)
    }
