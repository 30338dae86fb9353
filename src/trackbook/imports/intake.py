"""`Intake`: takes in what a source tells of one run, and hands it to a store in batches, so that memory does not grow with the run."""

from __future__ import annotations

import contextlib
import math
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

from ..alerting.levels import AlertLevel, to_level
from ..artifacts.artifact import Artifact
from ..artifacts.names import check_path
from ..artifacts.saved import SavedFile
from ..media.index import number_at, rows_from
from ..media.values import Encoded, File
from ..metrics import SYSTEM
from ..store.base import POINTS
from ..store.check_stored import FIRST_TIME, LARGEST_INTEGER, LAST_TIME
from ..store.content_files import StoredFile
from ..store.text_gate import storable
from .media_values import UNREADABLE
from .source import MALFORMED

BATCH: Final = 50_000  # points
_MOST_HELD: Final = 10_000  # points of a metric at step 0, after which it is one that was logged without steps
_MOST_SENTENCES: Final = 5
_MOST_LINES: Final = 2_000  # of the console, in one batch


class Intake:
    """What one run of a source tells: its points, its lines and its record.

    ``numbers_zeros``: some trackers record step 0 for every point that was logged without a step. A metric with nothing but several points
    at step 0 is numbered from 0 in its order instead; as the first of them alone would stay, the others would be lost.
    """

    def __init__(
        self,
        write: Callable[[pl.DataFrame], None],
        write_rows: Callable[[str, list[tuple[Any, ...]]], None],
        write_files: Callable[[list[File]], bool],
        report: Callable[[int, int, int], None],
        cut: Callable[[int], Mapping[str, int]],
        *,
        keep_file: Callable[[Path], StoredFile | None],
        keep_artifact: Callable[[Artifact, float, bool], str | None],
        numbers_zeros: bool = False,
    ) -> None:
        self.fields: dict[str, Any] = {}  # of the `RunRecord`
        self.more: dict[str, Any] = {}  # what has no place in the record, for the document "imported"
        self.lost: list[str] = []  # the first sentences about what the source has not whole
        self.losses = 0
        self.left_out: dict[str, Counter[str]] = {}  # what is not taken in, by the reason and by metric
        self.last: dict[str, float] = {}  # the latest value of each metric
        self.seen: Counter[str] = Counter()  # points by metric
        self.first_time, self.last_time = math.inf, -math.inf
        self.points = self.media_items = 0
        self.numbers = array("q")  # of the rows of media
        self._write, self._write_rows, self._write_files, self._keep_file = write, write_rows, write_files, keep_file
        self._report, self._cut, self._keep_artifact = report, cut, keep_artifact
        self._columns: tuple[list[str], list[int], list[float], list[float]] = ([], [], [], [])
        self._lines: list[tuple[Any, ...]] = []
        self._alerts: list[tuple[Any, ...]] = []
        self._next_line = 0
        self._line_end = ""
        self._names: dict[str, str] = {}
        self._at = self._before = 0
        self._held: dict[str, list[tuple[float, float]]] | None = {} if numbers_zeros else None
        self._settled: dict[str, bool] = {}  # by metric: whether its points are numbered

    def set(self, **fields: Any) -> None:
        """Set fields of the record; None and empty texts leave them as they are."""
        self.fields |= {name: value for name, value in fields.items() if value not in (None, "")}

    def at(self, place: int) -> None:
        """Note how far the source is read."""
        self._at = self._before + place

    def next_part(self, before: int) -> None:
        """Go on with another source of the same run, after `before` of the earlier ones: lines and alerts follow theirs."""
        self._end_line()
        self._before = before
        for name in ("ended", "error"):  # of the earlier one
            self.fields.pop(name, None)

    def lose(self, sentence: str) -> None:
        """Note that the source is not whole."""
        self.losses += 1
        if len(self.lost) < _MOST_SENTENCES:
            self.lost.append(sentence)

    def each(
        self, records: Iterable[tuple[memoryview, int]], file: Path, take: Callable[[memoryview], None], before: int = 0
    ) -> None:
        """Let `take` have each record of a `file`, of which `before` bytes of other files were read. One that it cannot read is lost."""
        for data, at in records:
            self.at(before + at)
            try:
                take(data)
            except MALFORMED as error:
                self.lose(f"{file} has an unknown form before byte {at:,}: {error}")

    def cut(self, step: int) -> None:
        """Drop the points and media from `step` on: the source tells them again."""
        self.hand_over()
        self.seen = Counter(self._cut(step))

    def leave_out(self, why: str, metric: str) -> None:
        """Count something that is not taken in."""
        self.left_out.setdefault(why, Counter())[metric] += 1

    def values(self, values: Iterable[tuple[str, Any]], step: int, time: float) -> None:
        """Take in what one call logged: numbers and bools. Others are left out."""
        for metric, value in values:
            if isinstance(value, (int, float)):
                self.point(metric, step, value, time)
            elif value is not None:
                self.leave_out(_reason(value), metric)

    def point(self, metric: str, step: int, value: float, time: float) -> None:
        """Take in a point."""
        name = self._names.get(metric)
        if name is None:
            name = self._names[metric] = storable(metric)
        if not name:
            self.leave_out("points without a name", "")
        elif not 0 <= step <= LARGEST_INTEGER:
            self.leave_out("points at negative steps", name)
        elif self._held is None:
            self._append(name, step, value, time)
        else:
            self._hold(self._held, name, step, value, time)

    def system(self, name: str, value: Any, time: float) -> None:
        """Take in a value of a system metric, which has a time and no step."""
        if isinstance(value, (int, float)):
            self._append(SYSTEM + storable(name), self.seen[SYSTEM + storable(name)], value, time)

    def text(self, stream: str, text: str, time: float) -> None:
        """Take in what was printed, which need not end with a line."""
        *whole, self._line_end = (self._line_end + text).split("\n")
        for line in whole:
            self.line(stream, line, time)

    def line(self, stream: str, line: str, time: float) -> None:
        """Take in a line of the console."""
        self._lines.append((self._next_line, stream, storable(line.rpartition("\r")[2]), _bounded(time), None))
        self._next_line += 1
        if len(self._lines) >= _MOST_LINES:
            self._hand_over_lines()

    def media(self, metric: str, step: int, time: float, make: Callable[[], Sequence[Encoded]]) -> None:
        """Take in the media that `make` returns. What it cannot read is left out."""
        name, time = storable(metric), _bounded(time)
        if not name or not 0 <= step <= LARGEST_INTEGER:
            self.leave_out("media at negative steps" if name else "media without a name", name)
            return
        values: Sequence[Encoded] = []
        rows = []
        with contextlib.suppress(*UNREADABLE):
            values = make()
            rows = rows_from(0, name, step, time, values)
        if not rows:
            self.leave_out("media that cannot be read", name)
            return
        if not self._write_files([file for each in values for file in each.files]):
            self.leave_out("media", name)
            return
        first = max(self.numbers[-1] + 1 if self.numbers else 1, number_at(time))  # the same in every import
        self.numbers.extend(range(first, first + len(rows)))
        self._write_rows("media", [(first + row.number, *row[1:]) for row in rows])
        self._note_time(time)
        self._count_items(len(rows))

    def file(self, name: str, path: Path, time: float) -> None:
        """Take in a file that a run kept under a name. One that cannot be read is left out."""
        try:
            checked = check_path(storable(name))
            path.open("rb").close()
        except (OSError, ValueError):
            self.leave_out("files that cannot be read", storable(name))
            return
        kept = self._keep_file(path)
        if kept is None:
            self.leave_out("files", checked)
            return
        self._write_rows("files", [SavedFile(checked, kept.name, kept.size, _bounded(time))])
        self._count_items(1)

    def artifact(self, artifact: Artifact, files: Iterable[tuple[str, Path]], created: float, *, is_made: bool) -> None:
        """Take in a version of an artifact with its files. Those that cannot be read are left out. `is_made`: by this run."""
        for name, path in files:
            try:
                path.open("rb").close()
                artifact.add_file(path, storable(name))
            except (OSError, ValueError):
                self.leave_out("files that cannot be read", storable(name))
            else:
                self._count_items(1)
        why_not = self._keep_artifact(artifact, _bounded(created), is_made)
        if why_not is not None:
            self.leave_out(why_not, artifact.name)

    def _count_items(self, count: int) -> None:
        self.media_items += count
        self._report(self._at, self.points, self.media_items)

    def alert(self, title: str, text: str, level: str, time: float, step: int | None = None) -> None:
        """Take in an alert. An unknown level is a warning."""
        try:
            known = to_level(level).value
        except ValueError:
            known = AlertLevel.WARN.value
        texts = storable(title), storable(text)
        self._alerts.append((len(self._alerts), _bounded(time), known, *texts, step, 1, None))

    def end(self) -> None:
        """Hand over the rest."""
        if self._alerts:
            self._write_rows("alerts", self._alerts)
        for name, points in (self._held or {}).items():
            if name not in self._settled:
                self._settle(name, points, is_numbered=len(points) > 1)
        self._end_line()
        self._hand_over_lines()
        self.hand_over()

    def hand_over(self) -> None:
        """Hand the points in memory over."""
        if self._columns[0]:
            self._write(pl.DataFrame(dict(zip(POINTS, self._columns, strict=True)), schema=POINTS))
            for column in self._columns:
                column.clear()
        self._report(self._at, self.points, self.media_items)

    def _append(self, name: str, step: int, value: float, time: float) -> None:
        time = _bounded(time)
        self._note_time(time)
        metrics, steps, values, times = self._columns
        metrics.append(name)
        steps.append(step)
        values.append(float(value))
        times.append(time)
        self.last[name] = value
        self.seen[name] += 1
        self.points += 1
        if len(metrics) >= BATCH:
            self.hand_over()

    def _note_time(self, time: float) -> None:
        self.first_time, self.last_time = min(self.first_time, time), max(self.last_time, time)

    def _hold(
        self, held: dict[str, list[tuple[float, float]]], name: str, step: int, value: float, time: float
    ) -> None:
        if name not in self._settled:
            points = held.setdefault(name, [])
            if step == 0 and len(points) < _MOST_HELD:
                points.append((value, time))
                return
            self._settle(name, points, is_numbered=step == 0)
        self._append(name, self.seen[name] if self._settled[name] else step, value, time)

    def _settle(self, name: str, points: list[tuple[float, float]], *, is_numbered: bool) -> None:
        self._settled[name] = is_numbered
        for number, (value, time) in enumerate(points):
            self._append(name, number if is_numbered else 0, value, time)
        points.clear()

    def _end_line(self) -> None:
        if self._line_end:
            self.line("stdout", self._line_end, self.last_time if self.points else 0.0)
        self._line_end = ""

    def _hand_over_lines(self) -> None:
        if self._lines:
            self._write_rows("console", self._lines)
            self._lines = []


def flat(values: Mapping[str, Any], join: str = "/", above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the values of nested dicts with joined names. One with a ``_type`` is a value: an image, a table, a histogram."""
    for name, value in values.items():
        path = f"{above}{join}{name}" if above else str(name)
        if isinstance(value, Mapping) and "_type" not in value and value:
            yield from flat(value, join, path)
        else:
            yield path, value


def _reason(value: Any) -> str:
    if isinstance(value, Mapping) and "_type" in value:
        return "media"
    if isinstance(value, list) and value and isinstance(value[0], Mapping) and "_type" in value[0]:
        return "media"
    return "texts" if isinstance(value, str) else "lists and objects"


def _bounded(time: float) -> float:
    return min(max(time, FIRST_TIME), LAST_TIME) if time == time else 0.0  # noqa: PLR0124  # NaN
