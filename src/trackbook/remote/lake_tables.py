"""The Delta tables of a lake: where they are, what they hold, commits to them, and their errors in plain words."""

from __future__ import annotations

import contextlib
import json
import random
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote, urlsplit

import polars as pl
from arro3.core import Schema as ArrowSchema
from arro3.core import Table
from deltalake import ColumnProperties, CommitProperties, DeltaTable, Schema, Transaction, WriterProperties
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction
from deltalake.writer import write_deltalake

from ..settings import may_use_plain_http, user_path
from ..types import CAPTURED, Cursor
from .lake_errors import plainly
from .target import CLOUDS, TargetBusy, TargetError, check_place, shown

FORMAT: Final = 1
CHANCE: Final = random.SystemRandom()  # not `random` itself: its numbers are the user's, who may have seeded it
_ABOUT: Final = "Trackbook lake, format "
RUN: Final = {"project": pl.String(), "run_id": pl.String()}
_TYPES: Final = {"integer": pl.Int64(), "real": pl.Float64(), "text": pl.String()}
METRIC: Final = pl.Struct(
    {"metric": pl.String()}
    | dict.fromkeys(("last", "min", "max"), pl.Float64())
    | dict.fromkeys(("count", "step"), pl.Int64())
)
# Rows of `runs` and of captured tables are never changed: of several with one key the one of the highest revision holds.
SCHEMAS: Final[dict[str, pl.Schema]] = {
    "points": pl.Schema(
        RUN
        | {"metric": pl.String(), "step": pl.Int64(), "value": pl.Float64(), "time": pl.Float64()}
        | {
            "position": pl.Int64(),
            "cursor": pl.Int64(),
        }  # of the run and of its source, after this commit: see `to_version`
    ),
    "runs": pl.Schema(
        RUN
        | dict.fromkeys(("name", "group", "state", "notes", "config", "summary", "record"), pl.String())
        | {"tags": pl.List(pl.String()), "started": pl.Float64(), "ended": pl.Float64(), "uploaded": pl.Float64()}
        | {"metrics": pl.List(METRIC), "position": pl.Int64(), "sources": pl.List(pl.String())}
        | {"deleted": pl.Boolean(), "revision": pl.Int64()}
    ),
    "blobs": pl.Schema({"name": pl.String(), "part": pl.Int64(), "parts": pl.Int64(), "data": pl.Binary()}),
    **{
        table: pl.Schema(
            RUN
            | {name: _TYPES[declared.split()[0]] for name, declared in columns.items()}
            | {"dropped": pl.Boolean(), "revision": pl.Int64()}
        )
        for table, columns in CAPTURED.items()
    },
}
_DTYPES: Final = {name: dtype for schema in SCHEMAS.values() for name, dtype in schema.items()}
_PARTITIONS: Final = {"points": ["project", "run_id"], "blobs": [], "runs": []}
_CONFIGURATION: Final = {"points": {"delta.dataSkippingStatsColumns": "metric,step,time,position,cursor"}}
_MOST_RETRIES: Final = 100  # of a commit that another one precedes, by the library
_ATTEMPTS: Final = 20  # at a commit that another one contradicts, by us
_PAUSE: Final = 0.1  # seconds at most before the next, so that those who contradict each other do not meet again
# A call that finds no network ends soon, because the uploader asks again later.
_PATIENCE: Final = {"timeout": "60s", "connect_timeout": "5s", "max_retries": "4", "retry_timeout": "60s"}
MANY_ROWS = 500_000  # from which on the rows of one partition are not divided by the library
_ROWS_A_GROUP: Final = 1 << 17  # a metric is read by row groups
_PACKED: Final = ColumnProperties(dictionary_enabled=False, encoding="DELTA_BINARY_PACKED")
_SPLIT: Final = ColumnProperties(
    dictionary_enabled=False, encoding="BYTE_STREAM_SPLIT"
)  # a third smaller, and written sooner
WRITER: Final = WriterProperties(
    compression="ZSTD",
    compression_level=1,
    max_row_group_size=_ROWS_A_GROUP,
    column_properties={"step": _PACKED, "position": _PACKED, "cursor": _PACKED, "value": _SPLIT, "time": _SPLIT},
)
_ORDINAL_BITS: Final = 40


class Rows(NamedTuple):
    """Rows for one table; with `replaces`, an SQL condition, in place of those for which it is true."""

    frame: pl.DataFrame
    replaces: str | None = None


Make = Callable[[DeltaTable], tuple[Rows, Mapping[str, int]] | None]


class Lake:
    """The tables at one address. Not safe for several threads at once. Making it touches no network."""

    def __init__(self, where: str) -> None:
        """Raise `TargetError` for an address that cannot be one of a lake."""
        parts = urlsplit(where)
        check_place(where)
        if parts.scheme in CLOUDS:
            self.where = where.rstrip("/")
        else:
            path = unquote(parts.path) if parts.scheme == "file" else where
            self.where = str(user_path(path).absolute())
            if unquote(self.where) != self.where:  # the library would read another folder than it writes
                raise TargetError(
                    f"{self.where} has a part like '%20', which the path of a lake cannot have; choose another folder"
                )
        self.name = shown(self.where)
        self._tables: dict[str, DeltaTable] = {}
        self._options = _PATIENCE | ({"allow_http": "true"} if may_use_plain_http() else {})

    def uri(self, table: str) -> str:
        return f"{self.where}/{table}"

    def find(self, name: str) -> DeltaTable | None:
        """Return a table at its newest version, None while it does not exist."""
        table = self._tables.get(name)
        with plainly(self.name):
            if table is not None:
                table.update_incremental()
                return table
            try:
                made = DeltaTable(self.uri(name), storage_options=dict(self._options))
            except TableNotFoundError:
                return None
            self._tables[name] = self._checked(made)
            return made

    def forget(self, name: str) -> None:
        """Open a table anew when it is needed next."""
        self._tables.pop(name, None)

    def known(self, name: str) -> DeltaTable:
        """Return a table at the version that is known here, the newest if none is. It is made if it does not exist."""
        found = self._tables.get(name) or self.find(name)
        if found is None:
            with plainly(self.name), contextlib.suppress(CommitFailedError):  # somebody else has just made it
                self._create(name)
            found = self.find(name)
        if found is None:
            raise TargetBusy(f"{self.name}: table {name!r} was made, and is not there yet")
        return found

    def commit(self, name: str, make: Make) -> int:
        """Commit what `make` returns for a table as it is known here: rows, and versions by id of transactions.

        When another commit since then had one of these ids, or contradicts otherwise, `make` is called with the newest version. Return
        how many commits the table has had since the version that `make` was called with, 0 when `make` returns None.
        """
        table = self.known(name)
        for _ in range(_ATTEMPTS):
            made = make(table)
            if made is None:
                return 0
            before = table.version()
            try:
                with plainly(self.name):
                    self._write(table, name, *made)
            except CommitFailedError:
                time.sleep(CHANCE.uniform(0, _PAUSE))
                table = self.find(name) or table
                continue
            except (OSError, DeltaError, TargetError):
                self.forget(name)  # the commit may be there, although its answer is not
                raise
            return table.version() - before
        raise TargetBusy(f"{self.name}: others commit to table {name!r} without a pause")

    def scan(self, table: DeltaTable, columns: Sequence[str], condition: str | None) -> pl.DataFrame:
        """Return the rows for which an SQL condition is true. Only files, row groups and columns that can matter are read."""
        has = {field.name for field in table.schema().fields}
        lacking = [
            pl.lit(None, _DTYPES[name]).alias(name) for name in columns if name not in has
        ]  # made by an earlier version
        with plainly(self.name):
            found = pl.DataFrame(table.scan(columns=[name for name in columns if name in has], predicate=condition))
        return found.with_columns(*lacking).select(*columns)

    def version(self, table: DeltaTable, app: str) -> int | None:
        """Return the version of a transaction. Reads the table's log from its last checkpoint on."""
        with plainly(self.name):
            return table.transaction_version(app)

    def largest(self, table: DeltaTable, column: str, project: str) -> dict[str, int]:
        """Return the largest value of a column by run, as the statistics of the files say. Reads nothing."""
        files = pl.DataFrame(table.get_add_actions(flatten=True))
        if files.is_empty():
            return {}
        ours = files.filter(pl.col("partition.project") == project)
        return dict(ours.group_by("partition.run_id").agg(pl.col(f"max.{column}").max()).iter_rows())

    def _write(self, table: DeltaTable, name: str, rows: Rows, versions: Mapping[str, int]) -> None:
        properties = CommitProperties(
            max_commit_retries=_MOST_RETRIES,
            app_transactions=[Transaction(app, version) for app, version in versions.items()],
        )
        if rows.frame.is_empty() and rows.replaces is not None:
            table.delete(rows.replaces, commit_properties=properties)
        elif rows.frame.is_empty():  # the library refuses a frame without rows
            table.create_write_transaction([], "append", table.schema(), partitions(name), commit_properties=properties)
            table.update_incremental()
        else:
            writer = WRITER if name == "points" else WriterProperties()
            if rows.replaces is None and name == "points" and len(rows.frame) >= MANY_ROWS:
                added = self._add_file(name, rows.frame)
                table.create_write_transaction(
                    added, "append", table.schema(), partitions(name), commit_properties=properties
                )
                table.update_incremental()
            elif rows.replaces is None:
                write_deltalake(
                    table,
                    _for_any_reader(rows.frame.select(*SCHEMAS[name])),
                    mode="append",
                    schema_mode=None if name == "points" else "merge",
                    writer_properties=writer,
                    commit_properties=properties,
                )
            else:
                write_deltalake(
                    table,
                    _for_any_reader(rows.frame.select(*SCHEMAS[name])),
                    mode="overwrite",
                    predicate=rows.replaces,
                    writer_properties=writer,
                    commit_properties=properties,
                )

    def _add_file(self, name: str, frame: pl.DataFrame) -> list[AddAction | RemoveAction]:
        """Write rows of one partition as files, and return what a commit has to say of them.

        To divide millions of rows by partitions takes the library longer than to write them, so they are written as a table of their
        own that is not divided. Its folder is below the table's.
        """
        folder = f"many-{uuid.uuid4().hex}"
        where = partitions(name)
        labels = frame.select(where).row(0, named=True)
        write_deltalake(
            f"{self.uri(name)}/{folder}",
            _for_any_reader(frame.drop(where)),
            storage_options=dict(self._options),
            writer_properties=WRITER,
            configuration=_CONFIGURATION[name],
        )
        made = DeltaTable(f"{self.uri(name)}/{folder}", storage_options=dict(self._options))
        files = pl.DataFrame(made.get_add_actions(flatten=True))
        return [_add_action(folder, labels, file) for file in files.iter_rows(named=True)]

    def _create(self, name: str) -> None:
        if urlsplit(self.where).scheme not in CLOUDS:
            Path(self.where).mkdir(parents=True, exist_ok=True)
        DeltaTable.create(
            self.uri(name),
            Schema.from_arrow(SCHEMAS[name]),
            mode="ignore",
            partition_by=partitions(name),
            configuration=_CONFIGURATION.get(name),
            description=f"{_ABOUT}{FORMAT}",
            storage_options=dict(self._options),
        )

    def _checked(self, table: DeltaTable) -> DeltaTable:
        """Return a table of this format. Raises `TargetError` for others."""
        about = table.metadata().description or ""
        found = about.removeprefix(_ABOUT)
        if not about.startswith(_ABOUT) or not found.isdecimal():
            raise TargetError(f"{self.name} has tables that are not Trackbook's; give another path")
        if int(found) > FORMAT:
            raise TargetError(f"{self.name} was written by a newer Trackbook (format {found}); upgrade this one")
        return table


def _for_any_reader(frame: pl.DataFrame) -> Table:
    """Return rows as Arrow's plain types: Polars' own text is of a type that some readers of the files do not know."""
    schema = ArrowSchema.from_arrow(Schema.from_arrow(frame.schema).to_arrow())
    columns = Table.from_arrow(frame).columns
    plain = [column.cast(schema.field(place).type) for place, column in enumerate(columns)]
    return Table.from_arrays(plain, schema=schema)


def _add_action(folder: str, labels: dict[str, str], file: dict[str, Any]) -> AddAction:
    known = [name.removeprefix("min.") for name, value in file.items() if name.startswith("min.") and value is not None]
    stats = {
        "numRecords": file["num_records"],
        "minValues": {name: file[f"min.{name}"] for name in known},
        "maxValues": {name: file[f"max.{name}"] for name in known},
        "nullCount": dict.fromkeys(known, 0),
    }
    now = int(time.time() * 1000)
    return AddAction(
        f"{folder}/{file['path']}", file["size_bytes"], labels, now, data_change=True, stats=json.dumps(stats)
    )


def partitions(table: str) -> list[str]:
    """Return the columns by which a table is divided into folders."""
    return _PARTITIONS.get(table, ["project"])


def of_run(project: str, run_id: str) -> str:
    """Return the SQL condition for the rows of a run."""
    return f"project = {text(project)} AND run_id = {text(run_id)}"


def text(value: str) -> str:
    """Return an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def app_id(project: str, run_id: str, source: str = "") -> str:
    """Return the id of transactions of a run, or of one source of a run."""
    return "/".join(quote(part, safe="") for part in (project, run_id, source) if part)


def to_version(cursor: Cursor) -> int:
    """Return a position as the version of a transaction. Version 0 stands for none."""
    return (cursor.generation << _ORDINAL_BITS) + cursor.ordinal + 1


def to_cursor(version: int | None) -> Cursor | None:
    """Return the position that a version of a transaction stands for."""
    if not version:
        return None
    return Cursor((version - 1) >> _ORDINAL_BITS, (version - 1) & ((1 << _ORDINAL_BITS) - 1))
