"""SwanLab's offline folders: ``.swanlab`` files, which `swanlab sync` would send, with the files beside them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from . import protobuf
from .intake import Intake
from .media_values import file_medium
from .record_logs import leveldb_records
from .source import MALFORMED, Kind, SourceRun, begins_with, found, stamp
from .yaml_files import read_yaml

_IDENT: Final = b":SWL\xd6\xe1"
_HEADER: Final = _IDENT + b"\x02"  # SwanLab itself reads no other version either
_START, _FINISH, _COLUMN, _SCALAR, _MEDIA, _LOG = 10, 11, 12, 13, 14, 16  # fields of `Record`
_STATES: Final = {0: "lost", 1: "finished", 2: "failed", 3: "interrupted"}
_SYSTEM: Final = 2  # class of a column
# By the type of a column; a folder for each
_MEDIA_KINDS: Final = {2: "image", 3: "audio", 4: "text", 5: "video", 7: "object3d", 8: "molecule", 9: "html"}


def _runs(path: Path) -> Iterator[SourceRun]:
    for file in found(path, lambda name: name.endswith(".swanlab")):
        if not begins_with(file, _IDENT):
            continue
        if not begins_with(file, _HEADER):
            raise ValueError(
                f"{file} has version {_version(file)} of SwanLab's files, and only version {_HEADER[-1]} is known"
            )
        start = _start(file)
        files = [file, *(one for one in [_config_file(file)] if one.exists())]
        run_id = protobuf.text(start.get(10)) or file.stem.removeprefix("run-")
        tell = partial(_tell, file)
        yield SourceRun(run_id, file, protobuf.text(start.get(1)) or None, stamp(files), file.stat().st_size, tell)


def _version(file: Path) -> int:
    with file.open("rb") as content:
        return int.from_bytes(content.read(len(_HEADER))[len(_IDENT) :], "little")


def _start(file: Path) -> dict[int, Any]:
    """Return the record of the run; empty where it is missing or damaged, which is said when the file is read."""
    with contextlib.suppress(*MALFORMED):
        for data, _ in leveldb_records(file, _HEADER, lambda _: None):
            return protobuf.last_fields(protobuf.last_fields(data).get(_START, memoryview(b"")))
    return {}


def _config_file(file: Path) -> Path:
    return file.parent / "files" / "config.yaml"


def _tell(file: Path, intake: Intake) -> None:
    reader = _Reader(intake, file.parent / "media")
    intake.set(state="lost")  # until its end is read
    intake.each(leveldb_records(file, _HEADER, intake.lose), file, reader.take)
    path = _config_file(file)
    config = read_yaml(path, intake.lose) if path.exists() else {}
    intake.set(config={name: one.get("value") if isinstance(one, dict) else one for name, one in config.items()})
    if intake.fields["state"] == "lost":
        intake.lose("its end is not recorded: it crashed, or goes on")


class _Reader:
    """Reads the records of one run."""

    def __init__(self, intake: Intake, folder: Path) -> None:
        self._intake = intake
        self._folder = folder  # of the files of media
        self._system: set[str] = set()  # keys of system metrics
        self._takes: dict[int, Callable[[memoryview], None]] = {
            _START: self._begin,
            _FINISH: self._finish,
            _COLUMN: self._define,
            _SCALAR: self._scalar,
            _MEDIA: self._media,
            _LOG: self._log,
        }

    def take(self, data: memoryview) -> None:
        for number, value in protobuf.fields(data):
            if number in self._takes:
                self._takes[number](value)

    def _begin(self, data: memoryview) -> None:
        run = protobuf.last_fields(data)
        self._intake.set(
            name=protobuf.text(run.get(4)),
            notes=protobuf.text(run.get(5)),
            tags=tuple(protobuf.text(value) for number, value in protobuf.fields(data) if number == 6),
            group=protobuf.text(run.get(7)),
            started=protobuf.timestamp(run.get(12)),
        )
        more = {"workspace": 2, "job_type": 8}
        self._intake.more |= {name: text for name, number in more.items() if (text := protobuf.text(run.get(number)))}

    def _finish(self, data: memoryview) -> None:
        end = protobuf.last_fields(data)
        self._intake.set(
            state=_STATES.get(end.get(1, 0), "lost"),
            error=protobuf.text(end.get(2)),
            ended=protobuf.timestamp(end.get(3)),
        )

    def _define(self, data: memoryview) -> None:
        column = protobuf.last_fields(data)
        key = protobuf.text(column.get(3))
        if column.get(1) == _SYSTEM:
            self._system.add(key)
        elif (x_axis := protobuf.text(column.get(13))) and not x_axis.startswith("_"):  # those are axes of every metric
            self._intake.fields.setdefault("defined", {})[key] = x_axis

    def _scalar(self, data: memoryview) -> None:
        point = protobuf.last_fields(data)
        key, time = protobuf.text(point.get(1)), protobuf.timestamp(point.get(4)) or 0.0
        value = protobuf.double(protobuf.last_fields(point[5]).get(1)) if 5 in point else 0.0
        if key in self._system:
            self._intake.system(key, value, time)
        else:
            self._intake.point(key, protobuf.integer(point.get(2)), value, time)

    def _media(self, data: memoryview) -> None:
        logged = protobuf.last_fields(data)
        kind = _MEDIA_KINDS.get(logged.get(3, 0), "")
        key, time = protobuf.text(logged.get(1)), protobuf.timestamp(logged.get(4)) or 0.0
        items = [
            protobuf.last_fields(item)
            for number, item in protobuf.fields(logged.get(5, memoryview(b"")))
            if number == 1
        ]
        named = [(protobuf.text(item.get(1)), protobuf.text(item.get(4))) for item in items]
        self._intake.media(
            key,
            protobuf.integer(logged.get(2)),
            time,
            lambda: [file_medium(kind, self._folder / kind, name, caption) for name, caption in named],
        )

    def _log(self, data: memoryview) -> None:
        said = protobuf.last_fields(data)
        self._intake.line("stdout", protobuf.text(said.get(1)), protobuf.timestamp(said.get(3)) or 0.0)


KIND: Final = Kind(
    "swanlab",
    "offline runs of SwanLab",
    lambda path: any(begins_with(file, _IDENT) for file in found(path, lambda name: name.endswith(".swanlab"))),
    _runs,
)
