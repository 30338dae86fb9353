"""Projects at addresses, such as ``s3://bucket/team``, for reading."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ..settings import user_path
from ..store.polars_import import import_polars

if TYPE_CHECKING:
    from ..remote.lake_store import LakeStore
    from ..tracking.stored_project import StoredProject

_LAKES: Final = ("s3", "gs", "az", "file")
_OTHER_NAMES: Final = ("gcs", "s3a", "s3n", "abfs", "abfss", "azure")  # of the same object stores, in other programs


def is_address(project: str) -> bool:
    """Whether this is an address, which no name of a project is."""
    return urlsplit(project).scheme in (*_LAKES, *_OTHER_NAMES) and "://" in project


def project_at(where: str | os.PathLike[str] | None) -> StoredProject | None:
    """Return the project of a lake at an address, or in a folder that is given as a path; None for the name of a project.

    Raises ``ValueError`` when there is none, ``OSError`` when it cannot be read, ``ModuleNotFoundError`` without `deltalake`.
    """
    store = lake_at(where)
    if store is None:
        return None
    from ..tracking.stored_project import StoredProject

    return StoredProject(store.project, store)


def lake_at(where: str | os.PathLike[str] | None) -> LakeStore | None:
    """Return the store of `project_at`."""
    if isinstance(where, os.PathLike):
        where = user_path(where).absolute()
        if not (_is_lake(where) or _is_lake(where.parent)):
            return None
    elif where is None or not is_address(where):
        return None
    elif urlsplit(where).scheme in _OTHER_NAMES:
        raise ValueError(
            f"{where} cannot be read: give s3://BUCKET/PATH, gs://BUCKET/PATH, az://CONTAINER/PATH or file:///PATH"
        )
    import_polars()
    try:
        from ..remote.lake_store import open_lake
    except ModuleNotFoundError as error:
        missing = f'{error.name} is needed to read {where}; pip install "trackbook[lake]"'
        raise ModuleNotFoundError(missing, name=error.name) from None
    return open_lake(os.fspath(where))


def _is_lake(folder: Path) -> bool:
    return (folder / "runs" / "_delta_log").is_dir()
