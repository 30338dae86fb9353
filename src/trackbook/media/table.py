"""Tables: of rows and columns or a dataframe, with media in cells. On disk they are JSON, one list for each column."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from ..store.redact import redact
from ..text import one_line
from .recognise import as_media
from .values import Encoded, File, Media, bad, given, masked

MOST_CELLS: Final = 5_000_000
LONGEST_CELL: Final = 100_000  # characters
_TIMES: Final = (dt.datetime, dt.date, dt.time)


class Table(Media):
    """Rows and columns.

    Parameters
    ----------
    columns
        Names of the columns; or the dataframe, as Trackio has it.
    data
        Rows, each with a value for each column. A cell is a number, text, bool, time, None, or a medium such as ``Image``.
    dataframe
        A dataframe of pandas, Polars, pyarrow, or any other library that narwhals reads; also a dict of columns.
    caption
        A text below the table.

    Raises
    ------
    TypeError, ValueError
        For rows of another length, and a table of more than five million cells.
    """

    kind = "table"

    def __init__(
        self,
        columns: Any = None,
        data: Any = None,
        dataframe: Any = None,
        caption: str | None = None,
        *,
        rows: Any = None,
        dtype: Any = None,  # keywords of wandb's
        optional: Any = None,
        allow_mixed_types: Any = None,
        log_mode: Any = None,
        **other: Any,
    ) -> None:
        super().__init__(caption)
        if other:
            given(self, (), other)
        if dataframe is None and columns is not None and not isinstance(columns, (list, tuple)):
            columns, dataframe = None, columns
        if dataframe is None and data is not None and is_dataframe(data):
            data, dataframe = None, data
        self.columns: list[Any]
        self.data: list[list[Any]]
        if dataframe is not None:
            self.columns, self.data = _of_dataframe(self, dataframe)
            return
        listed = [] if data is None and rows is None else data if data is not None else rows
        try:
            self.data = [list(row) for row in listed]
        except TypeError as error:
            bad(self, listed, "a list of rows, each a list with a value for each column", error)
        first = len(self.data[0]) if self.data else 0
        self.columns = [f"column {number}" for number in range(first)] if columns is None else list(columns)
        for number, row in enumerate(self.data):
            self._check(row, number)

    def add_data(self, *row: Any) -> None:
        """Add a row. Raises ``ValueError`` when it has not one value for each column."""
        self._check(row, len(self.data))
        self.data.append(list(row))

    add_row = add_data

    def add_column(self, name: str, data: Iterable[Any], **_: Any) -> None:
        """Add a column. Raises ``ValueError`` when it has not one value for each row."""
        cells = list(data)
        if self.data and len(cells) != len(self.data):
            raise ValueError(f"Table: column {name!r} has {len(cells)} values, and the table {len(self.data)} rows")
        self.columns.append(name)
        self.data = [[*row, cell] for row, cell in zip(self.data or [[] for _ in cells], cells, strict=True)]

    def get_column(self, name: str, **_: Any) -> list[Any]:
        """Return the cells of a column."""
        return [row[self.columns.index(name)] for row in self.data]

    def iterrows(self) -> Iterator[tuple[int, list[Any]]]:
        """Yield the number and the cells of each row."""
        yield from enumerate(self.data)

    def get_dataframe(self) -> Any:
        """Return the table as a dataframe of pandas."""
        import pandas as pd  # type: ignore[import-untyped,unused-ignore]

        return pd.DataFrame(self.data, columns=self.columns)

    def _check(self, row: Sequence[Any], number: int) -> None:
        if len(row) != len(self.columns):
            raise ValueError(
                f"Table: row {number} has {len(row)} values, and there are {len(self.columns)} columns: "
                f"{one_line(repr(self.columns))}"
            )

    def encode(self) -> Encoded:
        """Return the table as it is now."""
        if len(self.data) * len(self.columns) > MOST_CELLS:
            raise ValueError(
                f"Table: {len(self.data):,} rows of {len(self.columns)} columns are more than {MOST_CELLS:,} cells; log a part"
            )
        parts: list[File] = []
        columns = [
            _column(str(name), [row[place] for row in self.data], parts) for place, name in enumerate(self.columns)
        ]
        content = {"columns": [about for about, _ in columns], "data": [cells for _, cells in columns]}
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        file = File(text.encode(errors="backslashreplace"), ".json", "application/json")
        about = {"rows": len(self.data), "columns": content["columns"]}
        return Encoded(self.kind, file, about, self.caption, parts)


class EvalTable(Table):
    """A table of wandb's; here as any other."""


def _column(name: str, values: list[Any], parts: list[File]) -> tuple[dict[str, str], list[Any]]:
    """Return a column's name and type, and its cells as JSON values. Files of media in cells are added to `parts`."""
    cells = [_cell(value, parts) for value in values]
    kinds = {kind for kind, _ in cells if kind != "null"}
    name = redact(name)
    kind = kinds.pop() if len(kinds) == 1 else "json" if kinds else "string"
    return {"name": name, "type": kind}, [cell for _, cell in cells]


def _cell(value: Any, parts: list[File]) -> tuple[str, Any]:
    """Return the type of a cell and its JSON value."""
    if value is None or isinstance(value, (bool, str, int, float)):
        return _plain(value)
    if isinstance(value, _TIMES):
        return "time", value.isoformat()
    if isinstance(medium := as_media(value, frames=False), Media):
        encoded = medium.encode()
        parts += encoded.files
        return "media", cell_of(encoded)
    if hasattr(value, "item") and getattr(value, "shape", None) in ((), (1,)):
        item = value.item()
        return "time" if isinstance(item, _TIMES) else _plain(item)[0], _plain(item)[1]
    if hasattr(value, "tolist"):
        value = value.tolist()
    try:
        content = json.loads(json.dumps(value))
    except (TypeError, ValueError, RecursionError):
        return "string", redact(one_line(repr(value), LONGEST_CELL))
    return "json", masked(content)


def _plain(value: Any) -> tuple[str, Any]:
    if value is None:
        return "null", None
    if isinstance(value, bool):
        return "bool", value
    if isinstance(value, (int, float)):
        return "number", value if isinstance(value, int) else float(value)
    if isinstance(value, _TIMES):
        return "time", value.isoformat()
    text = redact(str(value))
    return "string", text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "…"


def cell_of(encoded: Encoded) -> dict[str, Any]:
    """Return a medium as a cell of a table has it."""
    file = encoded.file
    return {
        "kind": encoded.kind,
        "file": None if file is None else file.name,
        "size": 0 if file is None else file.size,
        "mime": "" if file is None else file.mime,
        "caption": encoded.caption,
        "about": encoded.described(),
    }


def is_dataframe(value: Any) -> bool:
    """Whether a value is a dataframe, without importing anything for it."""
    kind = type(value)  # to ask a lazy frame for its columns is dear
    return hasattr(kind, "columns") and (hasattr(kind, "shape") or hasattr(kind, "schema"))


def _of_dataframe(table: Table, dataframe: Any) -> tuple[list[Any], list[list[Any]]]:
    """Return the columns and rows of a dataframe, or of a dict of columns."""
    if isinstance(dataframe, Mapping):
        columns = {name: list(values) for name, values in dataframe.items()}
        if len({len(values) for values in columns.values()}) > 1:
            raise ValueError("Table: the columns of a dict differ in their length")
        return list(columns), [list(row) for row in zip(*columns.values(), strict=True)]
    import narwhals as nw

    try:
        frame: Any = nw.from_native(dataframe)
    except TypeError as error:
        bad(table, dataframe, "a list of columns and rows, or a dataframe", error)
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    if frame.shape[0] * frame.shape[1] > MOST_CELLS:
        raise ValueError(f"Table: a dataframe of shape {frame.shape} has more than {MOST_CELLS:,} cells; log a part")
    return list(frame.columns), [[_missing(cell) for cell in row] for row in frame.iter_rows()]


def _missing(cell: Any) -> Any:
    """Return None for what pandas has in place of a missing value."""
    return None if type(cell).__name__ in ("NAType", "NaTType") else cell
