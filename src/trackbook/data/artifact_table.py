"""Artifacts as a Polars table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from .run_rows import as_time

if TYPE_CHECKING:
    from ..artifacts.catalog import Catalog

_TEXTS: Final = pl.List(pl.String())
_SCHEMA: Final = pl.Schema(
    {
        "artifact": pl.String(),
        "name": pl.String(),
        "version": pl.Int64(),
        "type": pl.String(),
        "aliases": _TEXTS,
        "files": pl.Int64(),
        "size": pl.Int64(),
        "digest": pl.String(),
        "created": pl.Datetime("us", "UTC"),
        "made_by": _TEXTS,
        "description": pl.String(),
    }
)


def artifact_rows(catalog: Catalog, name: str | None = None) -> list[dict[str, Any]]:
    """Return the versions of an artifact, or of all, with the columns of `trackbook.list_artifacts`."""
    makers = catalog.links("made")
    newest = {version.name: version.version for version in catalog.versions()}
    rows = []
    for version in catalog.versions(name):
        latest = ["latest"] if version.version == newest[version.name] else []
        more = {
            "aliases": [*latest, *version.alias_list],
            "made_by": makers.get((version.artifact, version.digest), []),
        }
        row = version._asdict() | more | {"created": as_time(version.created)}
        rows.append({column: row[column] for column in _SCHEMA})
    return rows


def artifact_table(catalog: Catalog, name: str | None = None) -> pl.DataFrame:
    """Return one row for each version. See `trackbook.list_artifacts`."""
    return pl.DataFrame(artifact_rows(catalog, name), _SCHEMA)
