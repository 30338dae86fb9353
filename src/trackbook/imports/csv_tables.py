"""CSV files: a row a step with a column a metric, or a row a point with the columns ``metric``, ``step`` and ``value``.

Columns ``project``, ``run_id``, ``run`` and ``group`` tell runs apart, as in our own exports; without them a file is a run.
"""

from __future__ import annotations

import contextlib
import csv
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from ..data.foreign_tables import COLUMN_NAMES
from .intake import Intake
from .source import Damaged, Kind, SourceRun, digest, found
from .times import seconds

_SUFFIXES: Final = (".csv", ".tsv")
_DELIMITERS: Final = (",", "\t", ";")
_EMPTY: Final = frozenset({"", "null", "none", "na", "n/a"})
_OF_RUN: Final = ("project", "run_id", "run", "group")
_LARGEST_CELL: Final = 1 << 24  # characters


@dataclass
class _Part:
    """The rows of one run."""

    begin: int  # byte offset of the first row
    end: int  # after the last row
    rows: int
    first: list[str]


class _Table:
    """A file with its header."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            head = file.readline().decode("utf-8-sig", errors="backslashreplace")
        self.delimiter = max(_DELIMITERS, key=head.count)
        self.header, _, self._begin = next(self._read(0), ([], 0, 0))
        lowered = [name.strip().lower() for name in self.header]
        self.place = {
            known: next((lowered.index(name) for name in names if name in lowered), None)
            for known, names in COLUMN_NAMES.items()
        }
        self.metric, self.value = (lowered.index(name) if name in lowered else None for name in ("metric", "value"))

    @property
    def is_long(self) -> bool:
        return self.metric is not None and self.value is not None

    def rows(self, begin: int | None = None, end: float = math.inf) -> Iterator[tuple[list[str], int, int]]:
        """Yield the rows below the header, or between two byte offsets, with the offsets of their beginnings and ends."""
        for row, start, at in self._read(self._begin if begin is None else begin):
            if row:
                yield row, start, at
            if at >= end:
                return

    def _read(self, begin: int) -> Iterator[tuple[list[str], int, int]]:
        at = begin

        def lines() -> Iterator[str]:
            nonlocal at
            with self.path.open("rb") as file:
                file.seek(begin)
                for line in file:
                    at += len(line)
                    coding = "utf-8-sig" if at == len(line) else "utf-8"
                    yield line.decode(coding, errors="backslashreplace").replace("\0", "")

        start = begin
        try:
            for row in csv.reader(lines(), delimiter=self.delimiter):
                yield row, start, at
                start = at
        except csv.Error as error:
            raise Damaged(f"{self.path} cannot be read from byte {start:,} on: {error}") from error

    def of_run(self, row: list[str]) -> tuple[str | None, ...]:
        return tuple(self.cell(row, self.place[name]) for name in _OF_RUN[:3])

    @staticmethod
    def cell(row: list[str], place: int | None) -> str | None:
        return row[place] or None if place is not None and place < len(row) else None


@contextlib.contextmanager
def _large_cells() -> Iterator[None]:
    """Let the reader take large cells; its limit is that of the process."""
    limit = csv.field_size_limit(_LARGEST_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(limit)


def _is_table(name: str) -> bool:
    return name.lower().endswith(_SUFFIXES)


@_large_cells()
def _runs(path: Path) -> list[SourceRun]:
    return [*_found_runs(path)]


def _found_runs(path: Path) -> Iterator[SourceRun]:
    files = [*found(path, _is_table)] if path.is_dir() else [path]
    stems = Counter(file.stem for file in files)
    for file in files:
        place = file.relative_to(path) if path.is_dir() else Path(file.name)
        table = _Table(file)
        if table.place["step"] is None and not table.is_long:
            shown = ", ".join(map(repr, table.header[:20])) or "nothing"
            raise ValueError(
                f"{file} has no column 'step'; a table of points has a column 'step' and a column of numbers a metric, or 'metric', "
                f"'step' and 'value'; this one has {shown}"
            )
        parts: dict[tuple[str | None, ...], _Part] = {}
        part = None
        try:
            for row, begin, end in table.rows():
                part = parts.get(table.of_run(row))
                if part is None:
                    part = parts[table.of_run(row)] = _Part(begin, end, 0, row)
                part.end, part.rows = end, part.rows + 1
        except Damaged:
            if part is None:
                raise
            part.end = file.stat().st_size  # so that it is said when the run is read
        for key, part in parts.items():
            project, run_id, name = key
            run_id = run_id or digest(str(project), place.as_posix(), name or "", *table.header, *part.first)
            name = name or key[1] or (file.stem if stems[file.stem] == 1 else place.with_suffix("").as_posix())
            stamp = f"{part.rows} {part.end}"
            tell = partial(_tell, table, key, part, name)
            yield SourceRun(run_id, file, project, stamp, part.end - part.begin, tell)


@_large_cells()
def _tell(table: _Table, key: tuple[str | None, ...], part: _Part, name: str, intake: Intake) -> None:
    intake.set(name=name, state="finished", group=table.cell(part.first, table.place["group"]))
    modified = table.path.stat().st_mtime
    known = {place for place in table.place.values() if place is not None}
    wide = {} if table.is_long else {place: name for place, name in enumerate(table.header) if place not in known}
    counted = 0
    for row, _, end in table.rows(part.begin, part.end):
        if table.of_run(row) != key:
            continue
        intake.at(end - part.begin)
        step = _whole(table.cell(row, table.place["step"])) if table.place["step"] is not None else counted
        counted += 1
        if step is None:
            intake.lose(f"{table.path}: a row has no whole number as its step: {row[:6]}")
            continue
        time = table.cell(row, table.place["time"])
        pairs: Iterable[tuple[str, str | None]]
        if wide:
            pairs = ((metric, table.cell(row, place)) for place, metric in wide.items())
        else:
            pairs = [(table.cell(row, table.metric) or "", table.cell(row, table.value))]
        intake.values(_numbers(pairs), step, modified if time is None else seconds(time))


def _numbers(pairs: Iterable[tuple[str, str | None]]) -> Iterator[tuple[str, Any]]:
    for metric, text in pairs:
        if text is None or text.strip().lower() in _EMPTY:
            continue
        try:
            yield metric, float(text)
        except ValueError:
            yield metric, _BOOLS.get(text.strip().lower(), text)


_BOOLS: Final[Mapping[str, bool]] = {"true": True, "false": False}


def _whole(text: str | None) -> int | None:
    """Return a text such as 7 or 7.0 as a whole number, None for another one."""
    text = (text or "").strip()
    try:
        return int(text) if text.isdecimal() else int(number) if (number := float(text)).is_integer() else None
    except ValueError:
        return None


def _holds(path: Path) -> bool:
    return any(True for _ in found(path, _is_table))


KIND: Final = Kind("csv", "CSV files of points", _holds, _runs)
