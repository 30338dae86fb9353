"""Artifacts of a project: listed, and found without a run that uses them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..artifacts.artifact import Artifact, kept_artifact
from ..artifacts.names import parse
from .projects import existing

if TYPE_CHECKING:
    import polars as pl


def list_artifacts(project: str | None = None, name: str | None = None) -> pl.DataFrame:
    """Return one row for each version of the artifacts of a project (default: the current or last run's), by name, oldest first.

    Columns: ``artifact`` (``"model:v3"``), ``name``, ``version`` (int64), ``type``, ``aliases`` (list of str, ``latest`` among them),
    ``files`` (int64), ``size`` (int64, bytes), ``digest`` (SHA-256), ``created`` (UTC), ``made_by`` (list of str, the ids of runs),
    ``description``.

    Parameters
    ----------
    project
        The project's name.
    name
        Only the versions of this artifact.

    Raises
    ------
    ValueError
        For a project that does not exist.
    """
    source = existing(project)
    from ..artifacts.catalog import catalog_of
    from ..data.artifact_table import artifact_table

    source.refresh()
    return artifact_table(catalog_of(source.store, source.name), name)


def get_artifact(name: str, project: str | None = None) -> Artifact:
    """Return a version of an artifact, for reading: no run is noted as its user, as `Run.use_artifact` does.

    Parameters
    ----------
    name
        ``"model:v3"``, ``"model:best"``, or ``"model"`` for the latest one; with a project before it, ``"digits/model:v3"``.
    project
        The project's name, by default that of the current or last run.

    Raises
    ------
    ValueError
        When there is no such project, artifact or version.
    """
    from ..artifacts.catalog import catalog_of

    wanted = parse(name)
    source = existing(wanted.project or project)
    catalog = catalog_of(source.store, source.name)
    return kept_artifact(catalog, catalog.find(wanted))
