"""Reading of logged tables: sorted, filtered and in pages."""

from __future__ import annotations

import functools
import json
import math
from pathlib import Path
from typing import Any, Final

import polars as pl

MOST_ROWS: Final = 1_000  # of an answer
_LARGEST: Final = 200_000_000  # bytes of a file that is read
_TYPES: Final = {"number": pl.Float64(), "string": pl.String(), "bool": pl.Boolean(), "time": pl.String()}
_INT: Final = 2**63


def read_table(path: Path) -> pl.DataFrame:
    """Return a logged table. Times are text in ISO 8601; cells of media, and of several types, are JSON."""
    return _frame(path)


@functools.lru_cache(maxsize=4)
def _load(path: Path, _: int) -> tuple[list[dict[str, str]], list[list[Any]], pl.DataFrame]:
    content = json.loads(path.read_bytes())
    columns, cells = content["columns"], content["data"]
    series = [
        _series(str(number), about["type"], column)
        for number, (about, column) in enumerate(zip(columns, cells, strict=True))
    ]
    return columns, cells, pl.DataFrame(series)


def _loaded(path: Path) -> tuple[list[dict[str, str]], list[list[Any]], pl.DataFrame]:
    size = path.stat().st_size
    if size > _LARGEST:
        raise ValueError(f"the table has {size:,} bytes; up to {_LARGEST:,} are shown")
    try:
        return _load(path, size)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"the table {path.name} is damaged: {error}") from error


def _series(name: str, kind: str, cells: list[Any]) -> pl.Series:
    if kind == "number" and all(cell is None or (isinstance(cell, int) and -_INT <= cell < _INT) for cell in cells):
        return pl.Series(name, cells, pl.Int64())
    if kind == "number":
        return pl.Series(name, [None if cell is None else float(cell) for cell in cells], pl.Float64())
    if kind in _TYPES:
        return pl.Series(name, cells, _TYPES[kind], strict=False)
    return pl.Series(
        name, [None if cell is None else json.dumps(cell, ensure_ascii=False) for cell in cells], pl.String()
    )


def _frame(path: Path) -> pl.DataFrame:
    columns, _, frame = _loaded(path)
    names: list[str] = []
    for about in columns:
        name, number = about["name"], 1
        while name in names:  # a dataframe has no two columns of one name
            number += 1
            name = f"{about['name']} ({number})"
        names.append(name)
    return frame.rename(dict(zip(frame.columns, names, strict=True))) if names else frame


def rows(
    path: Path,
    *,
    sort: str | None = None,
    descending: bool = False,
    text: str = "",
    first: int = 0,
    count: int = MOST_ROWS,
) -> dict[str, Any]:
    """Return columns, rows and the number of all rows that contain `text`, ignoring case, sorted by a column. Media contain their captions.

    Raises ``ValueError`` for a column that there is not.
    """
    columns, cells, frame = _loaded(path)
    frame = frame.with_row_index("row")
    if text:
        texts = [_text(str(number), about["type"]) for number, about in enumerate(columns)]
        found = [each.str.to_lowercase().str.contains(text.lower(), literal=True) for each in texts]
        frame = frame.filter(pl.any_horizontal(found).fill_null(False)) if found else frame
    if sort is not None:
        place = next((str(number) for number, about in enumerate(columns) if about["name"] == sort), None)
        if place is None:
            raise ValueError(f"the table has no column {sort!r}")
        frame = frame.sort(place, descending=descending, nulls_last=True, maintain_order=True)
    chosen = frame["row"].slice(max(0, first), min(max(0, count), MOST_ROWS)).to_list()
    return {
        "columns": columns,
        "rows": [[_shown(column[number]) for column in cells] for number in chosen],
        "total": frame.height,
    }


def _text(name: str, kind: str) -> pl.Expr:
    """Return what a column's cells show as text."""
    text = pl.col(name).cast(pl.String)
    return text.str.json_path_match("$.caption") if kind == "media" else text


def _shown(cell: Any) -> Any:
    """Return a cell as every JSON has it: numbers that are not finite are texts."""
    if not isinstance(cell, float) or math.isfinite(cell):
        return cell
    return "NaN" if math.isnan(cell) else "Infinity" if cell > 0 else "-Infinity"
