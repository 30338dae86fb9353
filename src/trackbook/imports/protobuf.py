"""The wire format of protobuf messages: fields by number, without their descriptions.

The packages of wandb, SwanLab and TensorBoard have the descriptions, which need not be installed where their files are read. Fields that
are not asked for are skipped, so later versions of their messages are read, too.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, Final

from .source import Damaged

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_DOUBLE: Final = struct.Struct("<d")
_FLOAT: Final = struct.Struct("<f")

Message = memoryview


def fields(data: Message) -> Iterator[tuple[int, Any]]:
    """Yield number and value of each field: an int of a varint, else the bytes. Raises `Damaged` when the message is damaged."""
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at, end)
        kind = key & 7
        if kind == _VARINT:
            value, at = _varint(data, at, end)
            yield key >> 3, value
            continue
        if kind == _BYTES:
            size, at = _varint(data, at, end)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
        else:
            raise Damaged(f"a field is of the unknown wire type {kind}")
        if at + size > end:
            raise Damaged("a field is longer than its message")
        yield key >> 3, data[at : at + size]
        at += size


def _varint(data: Message, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
    raise Damaged("a number is cut off")


def varint(data: Message) -> int:
    """Return the first number of a packed list."""
    return _varint(data, 0, len(data))[0]


def varints(data: Message) -> Iterator[int]:
    """Yield the numbers of a packed list."""
    at = 0
    while at < len(data):
        value, at = _varint(data, at, len(data))
        yield value


def last_fields(data: Message) -> dict[int, Any]:
    """Return the last value of each field, which is the value of one that is not repeated."""
    return dict(fields(data))


def text(value: Any) -> str:
    """Return a string field, empty when it is not set. Raises `Damaged` for a number, of which `bytes` makes that many zeros."""
    if value is None:
        return ""
    if not isinstance(value, memoryview):
        raise Damaged("a text is of another type than expected")
    return bytes(value).decode(errors="backslashreplace")


def integer(value: int | None) -> int:
    """Return an int32 or int64 field, 0 when it is not set."""
    if not value:
        return 0
    return value - (1 << 64) if value >= 1 << 63 else value


def double(value: Message | None) -> float:
    """Return a double field, 0 when it is not set. Raises `Damaged` for another size, as do the following."""
    return 0.0 if value is None else _unpacked(_DOUBLE, value)


def float32(value: Message | None) -> float:
    """Return a float field, 0 when it is not set."""
    return 0.0 if value is None else _unpacked(_FLOAT, value)


def _unpacked(form: struct.Struct, value: Any) -> float:
    if not isinstance(value, memoryview) or len(value) != form.size:
        raise Damaged("a number is of another type than expected")
    return float(form.unpack(value)[0])


def timestamp(value: Message | None) -> float | None:
    """Return a ``google.protobuf.Timestamp`` in seconds UTC, None when it is not set."""
    if value is None:
        return None
    found = last_fields(value)
    return (integer(found.get(1)) + integer(found.get(2)) / 1e9) or None
