"""Batches and points as bytes, for HTTP: the length of a JSON text (uint32, little-endian), the text, and points as an Arrow IPC stream."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

import polars as pl

from ..store import check_stored
from ..store.base import POINTS
from ..types import CAPTURED, Cursor
from .target import Batch

PROTOCOL: Final = 1  # of requests and answers; a server says which it knows
HEADER: Final = "trackbook-protocol"
# The header of the token where ``Authorization`` is for a proxy: the Hub asks for its own before a private Space.
BEARER_HEADER: Final = "trackbook-token"
LARGEST_BODY: Final = 1 << 26  # bytes of a request
MEDIA_TYPE: Final = "application/vnd.trackbook.points"
_LENGTH: Final = struct.Struct("<I")
_LARGEST_HEAD: Final = 1 << 25


def pack(head: Mapping[str, Any], points: pl.DataFrame) -> bytes:
    """Return a head and points as bytes."""
    text = json.dumps(head, separators=(",", ":")).encode()
    stream = io.BytesIO()
    points.write_ipc_stream(stream, compression="zstd")
    return _LENGTH.pack(len(text)) + text + stream.getvalue()


def unpack(data: bytes) -> tuple[dict[str, Any], pl.DataFrame]:
    """Return the head and the points of bytes. Raises ``ValueError`` for bytes that are cut short, or others."""
    if len(data) < _LENGTH.size:
        raise ValueError("the body is cut short")
    (length,) = _LENGTH.unpack_from(data)
    if length > min(_LARGEST_HEAD, len(data) - _LENGTH.size):
        raise ValueError("the body is cut short")
    start = _LENGTH.size + length
    head = json.loads(data[_LENGTH.size : start])
    if not isinstance(head, dict):
        raise ValueError("the head is no JSON object")  # noqa: TRY004  # bad data are a ValueError, whatever is wrong
    try:
        points = pl.read_ipc_stream(io.BytesIO(data[start:]))
    except Exception as error:  # Polars' own errors, and panics of its reader for damaged bytes
        raise ValueError(f"the points cannot be read: {error}") from error
    if head.get("rows") != len(points):
        raise ValueError("the points are cut short")
    return head, _checked(points)


def pack_batch(batch: Batch, project: str, source: str) -> bytes:
    """Return a batch as bytes."""
    head = {
        "project": project,
        "source": source,
        "run": asdict(batch.run),
        "rows": len(batch.points),
        "start": batch.start,
        "end": batch.end,
        "replaces": batch.replaces,
        "documents": batch.documents,
        "dropped": batch.dropped,
    }
    return pack(head, batch.points)


def unpack_batch(data: bytes) -> tuple[str, str, Batch]:
    """Return project, source and batch. Raises ``ValueError`` for anything that is not one."""
    head, points = unpack(data)
    try:
        project, source = head["project"], head["source"]
        batch = Batch(
            check_stored.record(head["run"]),
            points,
            cursor(head["start"]),
            cursor(head["end"]),
            head["replaces"] is True,
            {table: _rows(table, rows) for table, rows in head["documents"].items()},
            {table: check_stored.keys(table, keys) for table, keys in head["dropped"].items() if table in CAPTURED},
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"the head lacks or mistakes {error}") from error
    if not (check_stored.is_name(project) and check_stored.is_name(source) and "/" not in source):
        raise ValueError("project and source are texts")
    return project, source, batch


def cursor(value: Any) -> Cursor:
    """Return a cursor from JSON. Raises ``ValueError``."""
    if not (isinstance(value, list) and len(value) == 2 and all(map(check_stored.is_count, value))):
        raise ValueError(f"a cursor is two whole numbers, not {str(value)[:100]}")
    return Cursor(*value)


def _rows(table: str, rows: Any) -> list[tuple[Any, ...]]:
    if table not in CAPTURED:
        raise ValueError(f"there is no table {table[:100]!r}; this server may be of an earlier version")
    return check_stored.captured(table, [*CAPTURED[table]], rows)


def _checked(points: pl.DataFrame) -> pl.DataFrame:
    if points.columns != POINTS.names() or points.select(pl.any_horizontal(pl.all().is_null().any())).item():
        raise ValueError(f"points have the columns {', '.join(POINTS)}, without nulls")
    try:
        points = points.cast(POINTS)
    except pl.exceptions.PolarsError as error:
        raise ValueError(f"points are of other types: {error}") from error
    if len(points) and not (points["step"].min() >= 0 and points["time"].is_finite().all()):  # type: ignore[operator]
        raise ValueError("steps are from 0 on, and times finite")
    return points
