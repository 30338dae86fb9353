"""TensorBoard's event files: TFRecords of ``Event`` messages. A folder with such files is a run.

They are read without TensorBoard or TensorFlow, whose readers keep a run in memory, and a sample of it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from . import protobuf, tensorboard_media, tensorboard_meshes, tensors
from .intake import Intake
from .record_logs import tf_records
from .source import Kind, SourceRun, digest, found, stamp

_NAME: Final = "tfevents"
_START: Final = 1  # of a `SessionLog`: events from this step on are written again
_SIMPLE, _TENSOR = 2, 8  # fields of a summary's value, beside those of `tensorboard_media`


def _is_event_file(name: str) -> bool:
    return _NAME in name and not name.endswith((".gz", ".profile-empty"))


def _runs(path: Path) -> Iterator[SourceRun]:
    root = path.parent if path.is_file() else path
    project = path.resolve().name if path.is_dir() else path.resolve().parent.name
    for folder, found_files in itertools.groupby(
        sorted(found(path, _is_event_file), key=lambda file: (str(file.parent), file.name)), lambda file: file.parent
    ):
        files = list(found_files)
        name = folder.relative_to(root).as_posix()
        name = project if name == "." else name
        run_id = digest(name, files[0].name, _beginning(files[0]))
        size = sum(file.stat().st_size for file in files)
        yield SourceRun(run_id, folder, project, stamp(files), size, partial(_tell, files, name))


def _beginning(file: Path) -> bytes:
    """Return the first record of a file, which has the time when it was made."""
    return next((bytes(data) for data, _ in tf_records(file, lambda _: None)), b"")


def _tell(files: list[Path], name: str, intake: Intake) -> None:
    intake.set(name=name, state="finished")
    reader = _Reader(intake)
    done = 0
    for file in files:
        intake.each(tf_records(file, intake.lose), file, reader.take, done)
        done += file.stat().st_size
    reader.end()


class _Reader:
    """Reads the events of one run."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._plugins: dict[str, str] = {}  # by tag: only the first event of a tag names it
        self._meshes = tensorboard_meshes.Meshes(intake)

    def take(self, data: memoryview) -> None:
        event = protobuf.last_fields(data)
        step, time = protobuf.integer(event.get(2)), protobuf.double(event.get(1))
        if 7 in event and protobuf.last_fields(event[7]).get(1) == _START and step > 0:
            self._intake.cut(step)
        for number, value in protobuf.fields(event[5]) if 5 in event else ():
            if number == 1:
                self._value(value, step, time)
        self._meshes.end_event()

    def end(self) -> None:
        self._meshes.end()

    def _value(self, data: memoryview, step: int, time: float) -> None:
        value = protobuf.last_fields(data)
        tag = protobuf.text(value.get(1))
        if 9 in value:
            plugin = protobuf.last_fields(protobuf.last_fields(value[9]).get(1, memoryview(b"")))
            name = protobuf.text(plugin.get(1))
            self._plugins.setdefault(tag, name)
            if name == "hparams":
                self._hyperparameters(plugin.get(2, memoryview(b"")))
                return
            if name == tensorboard_meshes.PLUGIN:
                self._meshes.describe(tag, plugin.get(2, memoryview(b"")))
        if _SIMPLE in value:
            self._intake.point(tag, step, protobuf.float32(value[_SIMPLE]), time)
            return
        for field in tensorboard_media.MESSAGES:
            if field in value:
                self._intake.media(tag, step, time, partial(tensorboard_media.of_message, field, value[field]))
                return
        if _TENSOR in value:
            self._tensor(tag, value[_TENSOR], step, time)

    def _tensor(self, tag: str, data: memoryview, step: int, time: float) -> None:
        plugin = self._plugins.get(tag, "") or "scalars"
        if plugin in tensorboard_media.PLUGINS:
            self._intake.media(tag, step, time, partial(tensorboard_media.of_tensor, plugin, data))
            return
        if plugin == tensorboard_meshes.PLUGIN:
            self._meshes.take(tag, data, step, time)
            return
        number = tensors.scalar(data) if plugin == "scalars" else None
        if number is not None:
            self._intake.point(tag, step, number, time)
        elif plugin != "hparams":
            self._intake.leave_out("tensors" if plugin == "scalars" else "values of other plugins", tag)

    def _hyperparameters(self, data: memoryview) -> None:
        content = protobuf.last_fields(data)
        if 3 not in content:
            return
        config: dict[str, Any] = {}
        for number, entry in protobuf.fields(content[3]):
            if number == 1:
                pair = protobuf.last_fields(entry)
                config[protobuf.text(pair.get(1))] = _json(pair.get(2, memoryview(b"")))
        self._intake.fields.setdefault("config", {}).update(config)


def _json(data: memoryview) -> Any:
    """Return a ``google.protobuf.Value``."""
    for number, value in protobuf.fields(data):
        if number in _VALUES:
            return _VALUES[number](value)
    return None


_VALUES: Final[dict[int, Callable[[Any], Any]]] = {
    2: protobuf.double,
    3: protobuf.text,
    4: bool,
    5: lambda data: {
        protobuf.text(pair.get(1)): _json(pair.get(2, memoryview(b"")))
        for number, entry in protobuf.fields(data)
        if number == 1 and (pair := protobuf.last_fields(entry))
    },
    6: lambda data: [_json(item) for number, item in protobuf.fields(data) if number == 1],
}

KIND: Final = Kind(
    "tensorboard",
    "TensorBoard's event files",
    lambda path: any(True for _ in found(path, _is_event_file)),
    _runs,
    numbers_zeros=True,
)
