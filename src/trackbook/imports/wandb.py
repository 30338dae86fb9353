"""wandb's offline folders: ``.wandb`` files, which `wandb sync` would send.

They are read without wandb, whose package has no reader of them in Python any more, and is not there where Trackbook stands in for it.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from ..metrics import define
from . import protobuf
from .intake import Intake, flat
from .media_values import of_wandb
from .record_logs import leveldb_records
from .source import MALFORMED, Kind, SourceRun, begins_with, found, stamp

_HEADER: Final = b":W&B\xe1\xbe\x00"
_HISTORY, _SUMMARY, _CONFIG, _STATS, _ALERT, _METRIC, _OUTPUT, _RUN, _EXIT = (
    2,
    3,
    5,
    7,
    10,
    12,
    13,
    17,
    18,
)  # of `Record`
_KEY, _NESTED, _JSON = 1, 2, 16  # of the items of a config, a history and a summary
_OWN: Final = frozenset({"_step", "_timestamp", "_runtime", "_wandb"})
_STREAMS: Final = {0: "stderr", 1: "stdout"}
_HEAD_RECORDS: Final = 10  # of which one is the run's


def _runs(path: Path) -> Iterator[SourceRun]:
    files = {
        file.resolve(): file for file in found(path, lambda name: name.endswith(".wandb"))
    }  # `latest-run` is a link
    for file in files.values():
        head = _head(file)
        run_id = protobuf.text(head.get(1)) or file.stem.removeprefix("run-")
        tell = partial(_tell, file)
        yield SourceRun(run_id, file, protobuf.text(head.get(3)) or None, stamp([file]), file.stat().st_size, tell)


def _head(file: Path) -> dict[int, Any]:
    """Return the record of the run; empty where it is missing or damaged, which is said when the file is read."""
    with contextlib.suppress(*MALFORMED):
        for number, (data, _) in enumerate(leveldb_records(file, _HEADER, lambda _: None)):
            record = protobuf.last_fields(data)
            if _RUN in record:
                return protobuf.last_fields(record[_RUN])
            if number == _HEAD_RECORDS:
                break
    return {}


def _tell(file: Path, intake: Intake) -> None:
    reader = _Reader(intake, file.parent / "files")
    intake.each(leveldb_records(file, _HEADER, intake.lose), file, reader.take)
    reader.end()


class _Reader:
    """Reads the records of one run."""

    def __init__(self, intake: Intake, folder: Path) -> None:
        self._intake = intake
        self._folder = folder  # of the files of media
        self._config: dict[str, Any] = {}
        self._summary: dict[str, Any] = {}
        self._defined: dict[str, str] = {}
        self._goals: dict[str, str] = {}
        self._takes: dict[int, Callable[[memoryview], None]] = {
            _HISTORY: self._history,
            _SUMMARY: lambda data: _change(self._summary, data),
            _CONFIG: lambda data: _change(self._config, data),
            _STATS: self._stats,
            _ALERT: self._alert,
            _METRIC: self._define,
            _OUTPUT: self._output,
            _RUN: self._begin,
            _EXIT: self._exit,
        }
        intake.set(state="lost")  # until its end is read

    def take(self, data: memoryview) -> None:
        for number, value in protobuf.fields(data):
            if number in self._takes:
                self._takes[number](value)

    def end(self) -> None:
        intake = self._intake
        own = {name: value for name, value in self._summary.items() if name not in _OWN and not _is_media(value)}
        summary = {name: value for name, value in flat(own, ".") if not _is_known(name, value, intake.last)}
        config = {name: value for name, value in self._config.items() if name not in _OWN}
        intake.set(config=config, summary=summary, defined=self._defined, goals=self._goals)
        if intake.fields["state"] == "lost":
            intake.lose("its end is not recorded: it crashed, or goes on")

    def _begin(self, data: memoryview) -> None:
        run = protobuf.last_fields(data)
        tags = tuple(protobuf.text(value) for number, value in protobuf.fields(data) if number == 10)
        self._intake.set(
            name=protobuf.text(run.get(8)),
            group=protobuf.text(run.get(6)),
            notes=protobuf.text(run.get(9)),
            tags=tags,
            started=protobuf.timestamp(run.get(17)),
        )
        more = {"job_type": 7, "entity": 2, "host": 13, "sweep_id": 12}
        self._intake.more |= {name: text for name, number in more.items() if (text := protobuf.text(run.get(number)))}
        if 4 in run:
            _change(self._config, run[4])

    def _history(self, data: memoryview) -> None:
        items: list[tuple[list[str], str]] = []
        step = 0
        for number, value in protobuf.fields(data):
            if number == 1:
                items.append(_item(value))
            elif number == 2:
                step = protobuf.integer(protobuf.last_fields(value).get(1))
        own = {path[0]: text for path, text in items if path[0] in _OWN}
        step, time = int(own.get("_step", step)), float(own.get("_timestamp", 0))
        media = {path[0]: {"_type": _value(text)} for path, text in items if path[1:] == ["_type"]}
        for path, text in items:
            if path[0] in media and len(path) == 2:
                media[path[0]][path[1]] = _value(text)
            elif len(path) == 1 and text[:1] == "{" and _is_media(about := _value(text)):
                media[path[0]] = about
        for name, about in media.items():
            self._intake.media(name, step, time, partial(of_wandb, about, self._folder))
        logged = ((path, text) for path, text in items if path[0] not in _OWN and path[0] not in media)
        self._intake.values(
            (pair for path, text in logged for pair in _values(".".join(path), text)),
            step,
            time,
        )

    def _stats(self, data: memoryview) -> None:
        time = protobuf.timestamp(protobuf.last_fields(data).get(2)) or 0.0
        for number, value in protobuf.fields(data):
            if number == 3:
                path, text = _item(value)
                self._intake.system(".".join(path), _value(text), time)

    def _alert(self, data: memoryview) -> None:
        alert = protobuf.last_fields(data)
        title, text, level = (protobuf.text(alert.get(number)) for number in (1, 2, 3))
        intake = self._intake
        time = intake.last_time if intake.points else intake.fields.get("started") or 0.0  # it has none of its own
        intake.alert(title, text, level, time)

    def _define(self, data: memoryview) -> None:
        metric = protobuf.last_fields(data)
        name = protobuf.text(metric.get(1)) or protobuf.text(metric.get(2))
        if not name or metric.get(10):  # what a glob was expanded to is defined by the glob
            return
        summary = protobuf.last_fields(metric[7]) if 7 in metric else {}
        goal = {1: "min", 2: "max"}.get(metric.get(8, 0)) or (
            "min" if summary.get(1) else "max" if summary.get(2) else None
        )
        step_metric = protobuf.text(metric.get(4)) or None
        if goal or step_metric:
            self._defined, self._goals = define(self._defined, self._goals, name, step_metric, goal=goal)

    def _output(self, data: memoryview) -> None:
        said = protobuf.last_fields(data)
        stream = _STREAMS.get(said.get(1, 0), "stdout")
        self._intake.text(stream, protobuf.text(said.get(3)), protobuf.timestamp(said.get(2)) or 0.0)

    def _exit(self, data: memoryview) -> None:
        ended = protobuf.last_fields(data)
        code = protobuf.integer(ended.get(1))
        self._intake.set(state="failed" if code else "finished", error=f"exit code {code}" if code else None)
        started = self._intake.fields.get("started")
        if started is not None:
            self._intake.set(ended=started + protobuf.integer(ended.get(2)))


def _item(data: memoryview) -> tuple[list[str], str]:
    """Return the path and the JSON text of an item."""
    path, text = [], ""
    for number, value in protobuf.fields(data):
        if number in (_KEY, _NESTED):
            path.append(protobuf.text(value))
        elif number == _JSON:
            text = protobuf.text(value)
    return path or [""], text


def _values(name: str, text: str) -> Iterator[tuple[str, Any]]:
    try:
        yield name, float(text)  # also of -0, which is an int in JSON
    except ValueError:
        yield from flat({name: _value(text)}, ".")


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _change(values: dict[str, Any], data: memoryview) -> None:
    """Apply the updates and removals of a config or a summary."""
    for number, item in protobuf.fields(data):
        path, text = _item(item)
        place = values
        for name in path[:-1]:
            inner = place.get(name)
            if not isinstance(inner, dict):
                inner = place[name] = {}
            place = inner
        if number == 1:
            place[path[-1]] = _value(text)
        elif number == 2:
            place.pop(path[-1], None)


def _is_media(value: Any) -> bool:
    return isinstance(value, Mapping) and "_type" in value


def _is_known(name: str, value: Any, last: Mapping[str, float]) -> bool:
    """Whether an entry of the summary is one that every metric has: its last, smallest or largest value."""
    if name in last:
        return bool(value == last[name]) or value != value  # noqa: PLR0124  # NaN
    above, _, figure = name.rpartition(".")
    return figure in ("min", "max", "mean", "last", "best") and above in last


KIND: Final = Kind(
    "wandb",
    "offline runs of wandb",
    lambda path: any(begins_with(file, _HEADER) for file in found(path, lambda name: name.endswith(".wandb"))),
    _runs,
)
