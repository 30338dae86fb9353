"""The interface of targets, the places to which runs are uploaded: `Target`, its batches and errors, and `open_target`.

The local store is the spool: whatever a target refuses, loses or answers too late is sent again from there. A target keeps for each run
and source a cursor, in the same transaction as the data, and takes a batch only if it begins at that cursor. So every crash, retry
or second uploader ends with each point there once.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlsplit

from ..settings import user_path
from ..types import Cursor, RunRecord

if TYPE_CHECKING:
    import polars as pl

NOTHING: Final = Cursor()  # the cursor of a run of which a target has nothing

CLOUDS: Final = ("s3", "gs", "az")
# The module and class of each kind of target, by scheme; "" is a path.
_KINDS: Final = {
    **dict.fromkeys(("http", "https"), ("server_target", "ServerTarget")),
    **dict.fromkeys((*CLOUDS, "file", ""), ("lake_target", "LakeTarget")),
    "hf": ("space_target", "SpaceTarget"),
}
_LACKS_COLON: Final = re.compile(rf"({'|'.join([*CLOUDS, 'https?', 'hf'])})//(.*)")
_HOST: Final = re.compile(r"(?![a-zA-Z]:)[^/\\.~][^/\\]*[.:]")  # a path whose first part has a dot or a colon
_EXTRAS: Final = {"server_target": "remote", "lake_target": "lake", "space_target": "hub"}


class TargetError(Exception):
    """A target refuses what is sent, and will refuse it again until somebody acts. The text says what to do."""

    def __init__(self, message: str, status: int | None = None) -> None:
        """`status` is that of the answer, if a server gave one."""
        super().__init__(message)
        self.status = status


class TargetBusy(OSError):  # noqa: N818  # an error that passes by itself, as other OSErrors here
    """A target cannot take anything now. It may say after how many seconds to ask again."""

    def __init__(self, message: str, retry_after: float | None = None, *, is_expected: bool = False) -> None:
        """`is_expected`: it passes without anybody's doing, so that nobody need be told."""
        super().__init__(message)
        self.retry_after = retry_after
        self.is_expected = is_expected


@dataclass(frozen=True, slots=True)
class Batch:
    """A part of one run. Text in it has passed the store's gate, so known secrets are masked."""

    run: RunRecord
    points: pl.DataFrame  # of the schema `POINTS`: what the source has from `start` to `end`
    start: Cursor  # what the target must have of this source; `NOTHING` for a run that it does not have
    end: Cursor  # what it has afterwards
    replaces: bool = (
        False  # all earlier points are deleted first: the source was cut back, and `points` begin at its ordinal 0
    )
    documents: Mapping[str, Sequence[tuple[Any, ...]]] = field(
        default_factory=dict
    )  # rows of tables of `CAPTURED`, which replace rows with the same key
    dropped: Mapping[str, Sequence[Any]] = field(default_factory=dict)  # keys of rows to delete, by table


class Target(Protocol):
    """Where one project of one source is uploaded to. A source is one project file, which has an id of its own.

    Every method may raise `TargetError`; `TargetBusy` or another ``OSError`` means that the same call may succeed later, whether or
    not it had an effect. Used by one thread at a time. Making a target touches no network.
    """

    @property
    def name(self) -> str:
        """How messages call the target, without secrets: ``https://host``."""

    @property
    def seconds(self) -> float:
        """The shortest interval between two batches of one live run that the target takes well."""

    def cursors(self) -> dict[str, Cursor]:
        """Return what the target durably has of this source, by run id."""

    def cursor(self, run_id: str) -> Cursor | None:
        """Return what the target durably has of a run of this source, None for a run that it does not have."""

    def put(self, batch: Batch) -> Cursor:
        """Take a batch durably, and return the cursor that the target then has of this source.

        All of it in one transaction: the record, points, documents, and the cursor. When the kept cursor is not `batch.start`, nothing
        changes: somebody else was faster, or an answer was lost; the returned cursor says where to go on. Of two points with one metric
        and step, which may come from two sources, the first stays. A batch without points (`start` equals `end`) updates record and
        documents, and is the heartbeat of a run that is running. A batch that `replaces` also forgets the cursors of other sources.
        """

    def delete(self, run_id: str) -> None:
        """Delete a run with its cursors. One that does not exist is no error."""

    def missing_files(self, names: Collection[str]) -> set[str]:
        """Return those of `names` that the target does not have. A file's name is made of its content."""

    def put_file(self, name: str, path: Path) -> None:
        """Take a file durably. One that is there already stays."""

    def close(self) -> None:
        """Release connections."""


def open_target(where: str, *, project: str, source: str, token: str | None = None) -> Target:
    """Return the target at `where`: ``https://host``, ``s3://bucket/path``, ``gs://``, ``az://``, a path, or ``hf://user/space``.

    Touches no network. Raises `TargetError` for an address that cannot be one, and where packages are missing.
    """
    where = checked(where)
    module, name = _KINDS[_scheme(where)]
    try:
        made: Target = getattr(importlib.import_module(f".{module}", __package__), name)(
            where, project=project, source=source, token=token
        )
    except ModuleNotFoundError as error:
        raise TargetError(needs(where, error)) from error
    return made


def checked(where: str) -> str:
    """Return an address as runs keep it: the path of a folder is absolute. Raises `TargetError` for what cannot be an address."""
    try:
        parts, scheme = urlsplit(where), _scheme(where)
    except ValueError as error:
        raise TargetError(f"{where} is no address: {error}") from None
    is_host = not scheme and _HOST.match(where) and not user_path(where).exists()
    if "://" not in where and (is_host or scheme not in _KINDS):
        raise TargetError(
            f"{where} may be a server or a folder: give https://{where} for a server, ./{where} for a folder"
        )
    if (typo := _LACKS_COLON.match(where)) and not user_path(where).exists():
        raise TargetError(f"{where} lacks a colon: give {typo[1]}://{typo[2]}, or ./{where} for a folder")
    if scheme not in _KINDS:
        raise TargetError(f"cannot upload to {shown(where)}: give https://HOST, s3://, gs://, az://, hf:// or a path")
    if parts.username is not None or parts.password is not None or "token=" in parts.query:
        raise TargetError(f"{shown(where)} contains a secret, which would be seen in logs; set TRACKBOOK_TOKEN instead")
    check_place(where)
    return where if scheme else str(user_path(where).absolute())


def check_place(where: str) -> None:
    """Raise `TargetError` for an address on an object store that its libraries would take for another one, or for none."""
    parts = urlsplit(where)
    if parts.scheme not in CLOUDS:
        return
    plain = re.split("[?#]", where)[0]
    if not parts.netloc:
        raise TargetError(f"{plain} names no bucket; give {parts.scheme}://BUCKET/PATH")
    if plain != where:
        raise TargetError(
            f"{shown(where)} is followed by '?' or '#', which a lake's address cannot have; credentials are set in the environment"
        )
    if {"", ".", ".."} & {*parts.path.rstrip("/").split("/")[1:]}:
        raise TargetError(f"{where} has a part that is empty, '.' or '..'; give {parts.scheme}://BUCKET/PATH")


def _scheme(where: str) -> str:
    scheme = urlsplit(where).scheme
    return "" if len(scheme) == 1 else scheme  # a drive of Windows


def needs(where: str, error: ModuleNotFoundError) -> str:
    """Say which package an upload to this address lacks, and how to install it."""
    extra = _EXTRAS[_KINDS[_scheme(where)][0]]
    return f'uploading to {shown(where)} needs {error.name}, which is not installed: pip install "trackbook[{extra}]"'


def shown(where: str) -> str:
    """Return an address for messages, without user, password and query."""
    parts = urlsplit(where)
    if not parts.netloc:
        return where
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl().rstrip("/")
