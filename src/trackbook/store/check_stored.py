"""Validation of data read from files: records of runs, captured rows and points.

Every function raises a ``ValueError`` that names the field and says what is wrong with it.
"""

from __future__ import annotations

import collections
import dataclasses
import json
import re
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, get_args

from ..text import one_line
from ..types import CAPTURED, RunRecord, State, StepBy

if TYPE_CHECKING:
    import polars as pl

LARGEST_INTEGER: Final = 2**63 - 1  # SQLite's and Arrow's
FIRST_TIME, LAST_TIME = (
    -62_135_596_800.0,
    253_402_300_799.0,
)  # seconds UTC: the years 1 to 9999, the range of Python's dates
SMALLEST_BOUND: Final = 1 << 25  # bytes to which any compressed text may grow
LARGEST_RATIO: Final = 64  # of uncompressed to compressed bytes, above that bound; zlib reaches 1,000 with repetitions

_HALF_PAIR: Final = re.compile("[\ud800-\udfff]")

Check = Callable[[Any], bool]


def is_text(value: Any) -> bool:
    """Whether this is a string that UTF-8 can encode."""
    return isinstance(value, str) and (value.isascii() or not _HALF_PAIR.search(value))


def is_name(value: Any) -> bool:
    return is_text(value) and value != ""


def is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST_INTEGER


def is_count(value: Any) -> bool:
    return is_integer(value) and value >= 0


def is_time(value: Any) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and FIRST_TIME <= value <= LAST_TIME


def is_object(value: Any) -> bool:
    return isinstance(value, dict) and all(map(is_text, value))


def _or_none(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _list_of(check: Check) -> Check:
    return lambda value: isinstance(value, (list, tuple)) and all(map(check, value))


def _one_of(choices: Sequence[str]) -> Check:
    return lambda value: isinstance(value, str) and value in choices


_RECORD: Final[dict[str, tuple[Check, str]]] = {
    "id": (is_name, "text that is not empty"),
    "name": (is_name, "text that is not empty"),
    "started": (is_time, "a time in seconds UTC"),
    "state": (_one_of(get_args(State)), f"one of {', '.join(get_args(State))}"),
    "group": (_or_none(is_text), "text"),
    "tags": (_list_of(is_text), "a list of texts"),
    "notes": (_or_none(is_text), "text"),
    "config": (is_object, "a JSON object"),
    "summary": (is_object, "a JSON object"),
    "step_by": (_one_of(get_args(StepBy)), f"one of {', '.join(get_args(StepBy))}"),
    "ended": (_or_none(is_time), "a time in seconds UTC"),
    "done": (_or_none(is_count), "a whole number from 0"),
    "total": (_or_none(is_count), "a whole number from 0"),
    "error": (_or_none(is_text), "text"),
    "goals": (
        lambda value: is_object(value) and all(each in ("min", "max") for each in value.values()),
        'globs with "min" or "max" each',
    ),
    "defined": (lambda value: is_object(value) and all(map(is_text, value.values())), "globs with a name each"),
}
JSON_FIELDS: Final = frozenset({"tags", "config", "summary", "defined", "goals"})
_FEW_DIFFER: Final = frozenset({"state", "group", "notes", "step_by", "error"})
_REQUIRED: Final = frozenset({"id", "name", "started"})
_COLUMNS: Final[dict[str, tuple[Check, str]]] = {
    "text": (is_text, "text"),
    "integer": (is_integer, "a whole number"),
    "real": (is_time, "a time in seconds UTC"),
}


def record(fields: Any) -> RunRecord:
    """Return a run's record from JSON values, without fields that this version does not know."""
    if not isinstance(fields, Mapping):
        raise ValueError(  # noqa: TRY004  a damaged file is a ValueError, whatever is wrong in it
            f"the record of a run is {one_line(repr(fields))}, not a JSON object"
        )
    known = {name: fields[name] for name in _RECORD if name in fields}
    for name in sorted(_REQUIRED - known.keys()):
        raise ValueError(f"the record of a run has no {name}")
    for name, value in known.items():
        check, expected = _RECORD[name]
        if not check(value):
            of = f"run {one_line(repr(known['id']))}" if name != "id" else "a run"
            raise ValueError(f"{name} of {of} is {one_line(repr(value))}, not {expected}")
    times = {name: float(known[name]) for name in ("started", "ended") if known.get(name) is not None}
    tags = {"tags": tuple(known["tags"])} if "tags" in known else {}
    return RunRecord(**{**known, **times, **tags})


def records(columns: Mapping[str, Sequence[Any]]) -> list[RunRecord]:
    """Records of many runs from columns of all fields, in half the time.

    Raises ``ValueError``, or ``TypeError`` for a value that cannot be hashed, where `record` would raise for one of them.
    """
    for name, (check, expected) in _RECORD.items():
        values = set(columns[name]) if name in _FEW_DIFFER else columns[name]
        if not all(map(check, values)):
            raise ValueError(f"{name} of one of the runs is not {expected}")
    times = {name: [None if at is None else float(at) for at in columns[name]] for name in ("started", "ended")}
    fields = {**columns, **times, "tags": map(tuple, columns["tags"])}
    return [*map(RunRecord, *(fields[field.name] for field in dataclasses.fields(RunRecord)))]


assert _RECORD.keys() == {field.name for field in dataclasses.fields(RunRecord)}


def captured(table: str, columns: Any, rows: Any) -> list[tuple[Any, ...]]:
    """Return rows of a table of `CAPTURED` from JSON values under `columns`, without columns that this version does not know."""
    if not isinstance(rows, list) or not _list_of(is_text)(columns):
        raise ValueError(f"table {table!r} is not a list of columns and a list of rows")
    declared = CAPTURED[table]
    places = [columns.index(name) if name in columns else None for name in declared]
    found = []
    for number, row in enumerate(rows):
        if not isinstance(row, (list, tuple)) or len(row) != len(columns):
            raise ValueError(f"row {number} of table {table!r} has not {len(columns)} columns")
        values = [None if place is None else row[place] for place in places]
        for name, value in zip(declared, values, strict=True):
            _check_cell(table, number, name, value)
        found.append(
            tuple(
                float(v) if "real" in declared[n] and v is not None else v
                for n, v in zip(declared, values, strict=True)
            )
        )
    keys = collections.Counter(row[0] for row in found)
    if len(keys) < len(found):
        key, count = keys.most_common(1)[0]
        raise ValueError(f"table {table!r} has {count} rows with {next(iter(declared))} {one_line(repr(key))}")
    return found


def keys(table: str, values: Any) -> list[Any]:
    """Return keys of rows of a table of `CAPTURED` from JSON values: whole numbers or texts, as its first column has them."""
    kind = next(iter(CAPTURED[table].values())).partition(" ")[0]
    check, expected = _COLUMNS[kind]
    if not isinstance(values, list):
        raise ValueError(f"keys of table {table!r} are {one_line(repr(values))}, not a list")  # noqa: TRY004  # as above
    for value in values:
        if not check(value) or value == LARGEST_INTEGER:  # a range of keys ends at the next one
            raise ValueError(f"a key of table {table!r} is {one_line(repr(value))}, not {expected}")
    return values


def _check_cell(table: str, number: int, name: str, value: Any) -> None:
    kind, _, required = CAPTURED[table][name].partition(" ")
    check, expected = _COLUMNS[kind]
    if (value is None and required) or not (value is None or check(value)):
        raise ValueError(f"{name} in row {number} of table {table!r} is {one_line(repr(value))}, not {expected}")
    if (table, name) == ("facts", "value") and not is_object(json_value(value)):
        raise ValueError(f"{name} in row {number} of table 'facts' is {one_line(value)}, not a JSON object")
    if (table, name) == ("cells", "metrics") and value is not None and not _list_of(is_text)(json_value(value)):
        raise ValueError(f"{name} in row {number} of table 'cells' is {one_line(value)}, not a JSON list of names")


def json_value(text: str | bytes) -> Any:
    """Return the value of a JSON text, None for text that is not JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def decompress(data: bytes) -> bytes:
    """Return bytes decompressed by zlib. Bounds their number, since a few bytes can expand to any number. Raises ``ValueError``."""
    most = max(SMALLEST_BOUND, LARGEST_RATIO * len(data))
    reader = zlib.decompressobj()
    try:
        found = reader.decompress(data, most)
        whole = reader.eof and not reader.unused_data
    except zlib.error as error:
        raise ValueError(f"not compressed by zlib: {error}") from None
    if not whole:
        said = f"more than {most:,} bytes" if len(found) >= most else "cut off, or followed by something else"
        raise ValueError(f"{len(data):,} compressed bytes are {said}")
    return found


def compress(data: bytes) -> bytes:
    """Compress by zlib, at a ratio that `decompress` accepts."""
    packed = zlib.compress(data)
    fits = len(data) <= max(SMALLEST_BOUND, LARGEST_RATIO * len(packed))
    return packed if fits else zlib.compress(data, 0)


def points(table: pl.DataFrame, where: str) -> pl.DataFrame:
    """Return `table`, of the schema `POINTS`, if its names, steps and times can be stored, and no point is there twice."""
    import polars as pl

    name = pl.col("metric").cast(pl.String)
    conditions: Iterable[tuple[str, pl.Expr, str]] = (
        ("metric", name.is_null() | (name == ""), "text that is not empty"),
        ("step", pl.col("step").is_null() | (pl.col("step") < 0), "a whole number from 0"),
        ("value", pl.col("value").is_null(), "a number"),
        ("time", ~pl.col("time").is_between(FIRST_TIME, LAST_TIME).fill_null(value=False), "a time in seconds UTC"),
    )
    for column, is_wrong, expected in conditions:
        wrong = table.filter(is_wrong)
        if len(wrong):
            shown = one_line(repr(wrong[column][0]))
            raise ValueError(f"{where}: column {column!r} holds {shown}, not {expected}")
    is_new = (pl.col("metric") != pl.col("metric").shift()).fill_null(value=True)
    is_back = (pl.col("step") <= pl.col("step").shift()) & ~is_new
    parts, metrics, back = table.select(is_new.sum(), pl.col("metric").n_unique().alias("n"), is_back.sum()).row(0)
    if parts > metrics or back:  # else each metric is in one part, its steps ascending: known ten times sooner
        twice = table.filter(pl.struct("metric", "step").is_duplicated())
        if len(twice):
            metric, step = twice.select(name, "step").row(0)
            raise ValueError(f"{where}: there are several points of metric {one_line(repr(metric))} at step {step}")
    return table
