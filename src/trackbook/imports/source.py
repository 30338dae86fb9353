"""What a kind of source gives: its runs, each with a function that tells an `Intake` all of it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .intake import Intake

_SKIPPED: Final = frozenset({".git", "__pycache__", "node_modules", "artifacts", "site-packages"})


class Damaged(ValueError):  # noqa: N818  # what a file is
    """A source is not whole: the message says where. What was told before is kept."""


# What a reader raises for a record of another form than it knows: of a later version, or hostile
MALFORMED: Final = (ValueError, TypeError, OverflowError, AttributeError, KeyError, RecursionError)


@dataclass(frozen=True)
class SourceRun:
    """A run of a source, before it is read."""

    id: str  # the tracker's own, else one that is computed from what does not change as the run grows
    origin: Path
    project: str | None
    stamp: str  # another one when the source has changed
    size: int  # of what `tell` reads, in any unit; `Intake.at` is told how far it is
    tell: Callable[[Intake], None]  # raises `Damaged` for what is not whole


def joined(parts: Sequence[SourceRun]) -> SourceRun:
    """Return one run of several sources with its id, such as the files of a run that was resumed offline. They are told one after the other."""

    def tell(intake: Intake) -> None:
        before, started = 0, []
        for part in parts:
            intake.next_part(before)
            try:
                part.tell(intake)
            except Damaged as error:
                intake.lose(str(error))
            before += part.size
            started += [at for at in [intake.fields.get("started")] if at is not None]
        if started:
            intake.set(started=min(started))

    return replace(
        parts[0], stamp=digest(*(part.stamp for part in parts)), size=sum(part.size for part in parts), tell=tell
    )


@dataclass(frozen=True)
class Kind:
    """A kind of source."""

    name: str
    what: str  # what it is, for messages
    holds: Callable[[Path], bool]  # whether a file or folder is such a source
    runs: Callable[[Path], Iterable[SourceRun]]  # raises `ValueError` when it cannot be read at all
    numbers_zeros: bool = False  # whether a point logged without a step is at step 0: see `Intake`


def found(root: Path, wanted: Callable[[str], bool], skipped: frozenset[str] = _SKIPPED) -> Iterator[Path]:
    """Yield the files of a folder whose names are `wanted`, in order; or the file itself. Folders named in `skipped` are passed over."""
    if root.is_file():
        if wanted(root.name):
            yield root
        return
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in skipped)
        for name in sorted(files):
            if wanted(name):
                yield Path(folder) / name


def stamp(paths: Iterable[Path]) -> str:
    """Return a text that changes when one of these files is written to."""
    facts = [path.stat() for path in paths]
    return digest(*(f"{one.st_size} {one.st_mtime_ns}" for one in facts))


def digest(*parts: str | bytes) -> str:
    """Return 10 hexadecimal digits, computed from texts."""
    made = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode(errors="surrogateescape")
        made.update(len(data).to_bytes(8, "little") + data)
    return made.hexdigest()[:10]


def begins_with(path: Path, *heads: bytes) -> bool:
    """Whether a file begins with one of these bytes. A file that cannot be read does not."""
    try:
        with path.open("rb") as file:
            start = file.read(max(map(len, heads)))
    except OSError:
        return False
    return start.startswith(heads)
