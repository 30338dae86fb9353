"""The data of a Space that outlive it: a private dataset, from which a starting Space takes them and in which it saves them."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ..store.backup import copy_file
from ..store.paths import JOURNALS, SUFFIX
from ..user_warnings import warn
from .hub import Hub

SAVE_SECONDS: Final = (
    120.0  # between two saves while runs arrive; the Hub takes some 128 commits an hour to a repository
)
QUIET_SECONDS: Final = 45.0  # likewise, once nothing arrives any more: the machine that logged may be gone soon
LOOK_SECONDS: Final = 10.0
SAVES_IN_HISTORY: Final = 50  # former versions of all files take room until the history is cut
SAVED: Final = "data"  # the folder in the dataset
_NOT_SAVED: Final = ("-wal", "-shm", "-journal")  # of SQLite, whose content the copies have


class SpaceStorage:
    """The files of a folder, kept in a dataset of the Hub."""

    def __init__(self, hub: Hub, dataset: str, folder: Path) -> None:
        self._hub = hub
        self._dataset = dataset
        self._folder = folder
        self._seen: dict[str, tuple[tuple[int, int], ...]] = {}  # sizes and times of what is saved, by path
        self._saved: dict[str, str] = {}  # its hash, by path
        self._saves = 0
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._save_regularly, name="trackbook-storage", daemon=True)

    def restore(self) -> int:
        """Take the files of the dataset, which is made if there is none, and return how many. What is here already stays."""
        self._hub.create_dataset(self._dataset)
        self._folder.mkdir(parents=True, exist_ok=True)
        found: dict[str, Path] = {}
        with tempfile.TemporaryDirectory(dir=self._folder, prefix=".restoring-") as beside:
            for path in self._hub.files("dataset", self._dataset):
                name = path.removeprefix(f"{SAVED}/")
                target = self._folder / name
                if name == path or not target.resolve().is_relative_to(self._folder.resolve()):
                    continue
                if target.exists():
                    self._saved[name] = ""  # another version may be in the dataset
                else:
                    found[name] = self._hub.download("dataset", self._dataset, path, Path(beside))
                    self._saved[name] = _hash(found[name])
            for name, copy in found.items():
                target = self._folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(copy, target)
        return len(found)

    def start(self) -> None:
        """Save regularly what has changed, from now on: every two minutes, and soon after the last change."""
        self._thread.start()

    def stop(self) -> None:
        """Save a last time. Raises what `save` raises."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join()
        self.save()

    def save(self) -> list[str]:
        """Save what has changed since the last time, in one commit, and return its paths.

        Raises `TargetError`, or ``OSError`` when it may work the next time; the dataset then has what it had.
        """
        with self._lock, tempfile.TemporaryDirectory(prefix="trackbook-save-") as temporary:
            states = self._states()
            copies: dict[str, Path] = {}
            hashes: dict[str, str] = {}
            for path, state in states.items():
                if self._seen.get(path) == state:
                    continue
                copy = self._copy(path, Path(temporary, str(len(copies))))
                hashes[path] = _hash(copy)
                if hashes[path] != self._saved.get(path):
                    copies[path] = copy
            removed = [path for path in self._saved if path not in states]
            if copies or removed:
                self._hub.commit(
                    "dataset",
                    self._dataset,
                    {f"{SAVED}/{path}": copy for path, copy in copies.items()},
                    f"Save {', '.join([*copies, *removed])}"[:200],
                    [f"{SAVED}/{path}" for path in removed],
                )
                self._saves += 1
            self._seen = states
            self._saved = {path: digest for path, digest in self._saved.items() if path in states} | hashes
            if self._saves >= SAVES_IN_HISTORY:
                self._saves = 0
                self._hub.squash("dataset", self._dataset, "Keep the newest version")
            return [*copies, *removed]

    def _save_regularly(self) -> None:
        is_told, saved_at, before = False, time.monotonic(), self._seen
        while not self._end.wait(min(LOOK_SECONDS, SAVE_SECONDS)):
            try:
                now, states = time.monotonic(), self._states()
                due = QUIET_SECONDS if states == before else SAVE_SECONDS
                before = states
                if states == self._seen or now - saved_at < min(due, SAVE_SECONDS):
                    continue
                saved_at = now
                self.save()
                is_told = False
            except Exception as error:  # noqa: BLE001  # it is said, and the next save may work
                if not is_told:
                    warn(f"runs are not saved in the dataset {self._dataset} for now: {error}")
                is_told = True

    def _states(self) -> dict[str, tuple[tuple[int, int], ...]]:
        return {path: _state(self._folder / path) for path in self._paths()}

    def _paths(self) -> Iterator[str]:
        for path in sorted(self._folder.rglob("*")):
            names = path.relative_to(self._folder).parts
            is_passing = any(name.startswith(".") or name.endswith(JOURNALS) for name in names)
            if path.is_file() and not is_passing and not path.name.endswith(_NOT_SAVED):
                yield "/".join(names)

    def _copy(self, path: str, target: Path) -> Path:
        source = self._folder / path
        if not path.endswith(SUFFIX):
            return source
        copy_file(source, target)
        return target


def _state(path: Path) -> tuple[tuple[int, int], ...]:
    """Return sizes and times of a file and of SQLite's log of it, which change with its content."""
    found = []
    for each in (path, path.with_name(f"{path.name}-wal")):
        try:
            status = each.stat()
        except FileNotFoundError:
            continue
        found.append((status.st_size, status.st_mtime_ns))
    return tuple(found)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
