"""Kept files in exports: those that runs saved, and the versions that they made or used, in a folder beside the export."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..store import check_stored, media_files
from ..types import CAPTURED
from .catalog import Link, Version, catalog_of
from .names import check_aliases, check_name
from .saved import SavedFile

if TYPE_CHECKING:
    from ..store.base import Store

_INDEX: Final = "artifacts.json"
Captured = Mapping[str, Sequence[tuple[Any, ...]]]  # rows by table


def folder_beside(export: Path) -> Path:
    """Return the folder of the kept files of an export: beside it, because readers take every file in a dataset for points."""
    path = Path(os.path.realpath(export))
    return path.with_name(path.name + ".artifacts")


def write(folder: Path, project: str, runs: Iterable[str], store: Store) -> int:
    """Copy the kept files of runs into a folder, with a list of their versions; return how many files are missing.

    Raises ``OSError`` for a damaged file, or a full disk.
    """
    if store.files_folder is None:
        return 0
    catalog = catalog_of(store, project)
    names, wanted = set[str](), set[tuple[str, str]]()
    for run in runs:
        names.update(SavedFile(*row).digest for row in store.captured(run, "files"))
        wanted.update(map(_of_link, store.captured(run, "artifact_links")))
    versions = [version for version in catalog.versions() if (version.artifact, version.digest) in wanted]
    for version in versions:
        names |= catalog.names_of(version)
    if not names:
        return 0
    missing = media_files.copy(names, store.files_folder, folder)
    columns = list(CAPTURED["artifacts"])
    (folder / _INDEX).write_text(json.dumps({"columns": columns, "rows": versions}), "utf-8")
    return missing


def take(folder: Path, store: Store, captured: Collection[Captured]) -> list[str]:
    """Take in the kept files of an export for runs with these captured rows. Return a sentence for each version that is left out.

    A version whose number has another content here is left out. Raises ``OSError`` for a damaged file, or a full disk, and
    ``ValueError`` for a list of versions that is damaged.
    """
    if store.files_folder is None or not folder.is_dir():
        return []
    try:
        index = json.loads((folder / _INDEX).read_text("utf-8"))
        versions = [
            _checked(Version(*row)) for row in check_stored.captured("artifacts", index["columns"], index["rows"])
        ]
    except FileNotFoundError:
        versions = []
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{folder / _INDEX} is damaged: {error}") from None
    names, wanted = set[str](), set[tuple[str, str]]()
    for tables in captured:
        names.update(SavedFile(*row).digest for row in tables.get("files", ()))
        wanted.update(map(_of_link, tables.get("artifact_links", ())))
    here = catalog_of(store, "")
    with here.files.in_use():
        media_files.copy(names, folder, store.files_folder)
        return here.take([each for each in versions if (each.artifact, each.digest) in wanted], folder)


def _of_link(row: Sequence[Any]) -> tuple[str, str]:
    """Return the name and the digest of the version that a link is about."""
    link = Link(*row)
    return link.artifact, link.digest


def _checked(version: Version) -> Version:
    """Return a version of another project. Raises ``ValueError`` for one that no project makes: its name becomes that of a folder."""
    if version.version < 0 or version.artifact != f"{check_name(version.name)}:v{version.version}":
        raise ValueError(f"{version.artifact[:80]!r} is no version of an artifact")
    check_aliases(version.alias_list)
    return version
