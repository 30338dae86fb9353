"""The artifacts of MLflow's runs, which are files in a folder for each run: images and tables become media, others are kept as files.

Only a folder that is named as MLflow names it, ``RUN_ID/artifacts``, is read, and nothing that a link in it leads to: an address in a
store may name any folder of this machine.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ..media import media_type
from ..media.values import Encoded
from .intake import Intake
from .media_values import UNREADABLE, below, file_medium
from .source import digest

_FOLDER: Final = "artifacts"
_SERVED: Final = "mlflow-artifacts"  # addresses at a server, whose folder may be here, too
_IMAGE: Final = re.compile(
    r"images/(?P<key>[^/]+?)(?P<by>[+%])step(?P=by)(?P<step>-?\d{1,19})(?P=by)timestamp(?P=by)(?P<time>\d{1,16})"
    r"(?P=by)[^/+%]+(?P<small>(?P=by)compressed)?\.(png|webp)"
)
_SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".svg")
_LARGEST_TABLE: Final = 50_000_000  # bytes
_TABLES: Final = "mlflow.loggedArtifacts"  # a tag


class ArtifactFile(NamedTuple):
    """A file in a folder of artifacts."""

    name: str  # below the folder, with slashes
    path: Path
    size: int
    time: float


@dataclass(frozen=True)
class Artifacts:
    """Where the artifacts of one run are."""

    address: str  # as the store has it
    folder: Path | None  # None when there is none on this machine

    @property
    def is_remote(self) -> bool:
        """Whether they are on another machine."""
        return self.folder is None and _scheme(self.address) not in ("", "file")

    def facts(self) -> tuple[str, int]:
        """Return a text that changes when a file does, and the bytes of all files."""
        files = list(self.files())
        return digest(*(f"{one.name} {one.size} {one.time}" for one in files)), sum(one.size for one in files)

    def files(self, intake: Intake | None = None) -> Iterator[ArtifactFile]:
        """Yield the files, in order. Links and what is no file are counted at an `intake`, and never opened."""
        yield from _files(self.folder, intake) if self.folder else ()

    def tell(self, intake: Intake, tags: Mapping[str, str], started: float, before: int) -> None:
        """Tell of all files of a run, after `before` of its other records. Images of no step are at the beginning of the run."""
        if self.is_remote:
            intake.leave_out("folders of artifacts at remote addresses", _host(self.address))
            return
        if self.folder is None:
            if _TABLES in tags or "mlflow.loggedImages" in tags:
                intake.lose(f"its artifacts are not at {self.address}")
            return
        teller = _Teller(intake, self.folder, started)
        teller.tell_tables(_tables(tags))
        teller.tell_files(before)


class _Teller:
    """Tells of the files of one run."""

    def __init__(self, intake: Intake, folder: Path, started: float) -> None:
        self._intake, self._folder, self._started = intake, folder, started
        self._read: set[str] = set()  # names of tables and of the images in them

    def tell_tables(self, names: list[str]) -> None:
        missing = dict.fromkeys(names)
        for file in _files(self._folder) if names else ():
            if file.name in missing:
                del missing[file.name]
                self._read.add(file.name)
                self._medium(file, partial(_table, self._folder, file.name, self._read))
        for name in missing:
            self._intake.leave_out("tables that are not there", name)

    def tell_files(self, before: int) -> None:
        timed = []
        for file in _files(self._folder, self._intake):
            before += file.size
            self._intake.at(before)
            if (found := _IMAGE.fullmatch(file.name)) is not None:
                timed += [] if found["small"] else [(int(found["time"]), found["key"], int(found["step"]), file)]
            elif file.name not in self._read:
                self._tell_file(file)
        for time, key, step, file in sorted(timed):
            path = key.replace("~", "/").replace("#", "/")  # as earlier versions wrote it
            self._medium(file, partial(_image, self._folder, file.name), path, step, time / 1000)

    def _tell_file(self, file: ArtifactFile) -> None:
        if file.name.lower().endswith(_SUFFIXES):
            self._medium(file, partial(_image, self._folder, file.name))
        else:
            self._intake.file(file.name, file.path, file.time)

    def _medium(
        self,
        file: ArtifactFile,
        make: Callable[[], list[Encoded]],
        metric: str | None = None,
        step: int = 0,
        time: float | None = None,
    ) -> None:
        """Tell of a medium, by default under the name of its file; of the file alone when the medium cannot be read."""
        name, at = metric or file.name, self._started if time is None else time
        try:
            made = make()
        except UNREADABLE:
            self._intake.leave_out("media that cannot be read, but for their files,", name)
            self._intake.file(file.name, file.path, file.time)
            return
        self._intake.media(name, step, at, lambda: made)


def artifacts_of(address: Any, owner: str, store: Path, beside: Path | None = None, *, above: int = 3) -> Artifacts:
    """Return where the artifacts of a run or a model are, by the address in a store whose folder is `store`. A store may have been moved.

    `owner` is the id of the run or model, `beside` the folder that a store of files has for them. Addresses in one store differ in their
    last parts, `above` in number: experiment, run, "artifacts".
    """
    text = address if isinstance(address, str) else ""
    is_here = _scheme(text) in ("", "file")
    if not is_here and _scheme(text) != _SERVED:
        return Artifacts(text, None)
    parts = Path(_path(text)).parts[-above:]
    places = [store / _path(text)] if text and is_here else []
    places += [beside] if beside else [store / name / Path(*parts) for name in ("mlruns", "mlartifacts") if parts]
    own = (place for place in places if place.is_dir() and place.resolve().parts[-2:] == (owner, _FOLDER))
    return Artifacts(text, next((place for place in own if is_here or any(True for _ in _files(place))), None))


def _scheme(address: str) -> str:
    found = re.match(r"([A-Za-z][A-Za-z0-9+.-]+):", address)  # a drive is one letter
    return found[1].lower() if found else ""


def _path(address: str) -> str:
    if not _scheme(address):
        return address
    try:
        return url2pathname(urlsplit(address).path)
    except ValueError:
        return ""


def _host(address: str) -> str:
    """Return the beginning of an address, without the user in it."""
    return f"{_scheme(address)}://{address.partition('://')[2].partition('/')[0].rpartition('@')[2]}"


def _files(folder: Path, intake: Intake | None = None) -> Iterator[ArtifactFile]:
    """Yield the files of a folder, in order. Links and what is no file are counted at an `intake`, and never opened."""

    def refused(error: OSError) -> None:
        if intake is not None:
            intake.lose(f"a folder of its artifacts cannot be read: {error}")

    for place, folders, names in os.walk(folder, onerror=refused):
        folders.sort()
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        for name in sorted([*names, *links]):
            path = Path(place) / name
            try:
                about = path.lstat()
            except FileNotFoundError:  # deleted meanwhile
                continue
            relative = path.relative_to(folder).as_posix()
            if stat.S_ISREG(about.st_mode):
                yield ArtifactFile(relative, path, about.st_size, about.st_mtime)
            elif intake is not None:
                intake.leave_out("links and other things that are no files", relative)


def _tables(tags: Mapping[str, str]) -> list[str]:
    """Return the names of the tables that a run logged as JSON."""
    try:
        listed = json.loads(tags.get(_TABLES, "[]"))
        names = [one["path"] for one in listed if one.get("type") == "table"]
    except UNREADABLE:
        return []
    return [name for name in dict.fromkeys(names) if isinstance(name, str) and name.endswith(".json")]


def _image(folder: Path, name: str) -> list[Encoded]:
    return [file_medium("image", folder, name)]


def _table(folder: Path, name: str, read: set[str]) -> list[Encoded]:
    """Return a table, and note the images in its cells as `read`."""
    path = below(folder, name)
    if path.stat().st_size > _LARGEST_TABLE:
        raise ValueError(f"{path} has more than {_LARGEST_TABLE:,} bytes")
    table = json.loads(path.read_text("utf-8"))
    rows = [[_cell(folder, cell, read) for cell in row] for row in table["data"]]
    return [media_type("Table")(columns=table["columns"], data=rows).encode()]


def _cell(folder: Path, cell: Any, read: set[str]) -> Any:
    if not isinstance(cell, dict) or cell.get("type") != "image":
        return cell
    try:
        image = media_type("Image")(below(folder, cell["filepath"]))
    except UNREADABLE:
        return cell
    read.update(str(cell.get(name)) for name in ("filepath", "compressed_filepath"))
    return image
