"""Messages to a viewer over a WebSocket: JSON and its buffers. `js/src/hosts/remote-model.ts` reads them.

A binary message holds one or several parts. Each part is two little-endian uint32, the bytes of its JSON and of its buffers, then
the JSON, padded with spaces to a multiple of 8 bytes, then the buffers, each padded to a multiple of 8 bytes. The JSON of a part is
``{"trait": name, "value": ..., "buffers": [[key, bytes], ...]}``, where each buffer belongs at ``key`` of the value, or
``{"answer": ..., "buffers": [["", bytes], ...]}``.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any, Final

_ALIGNMENT: Final = 8
_LENGTHS: Final = struct.Struct("<II")


def trait_part(name: str, value: Any) -> bytes:
    """Return the part that sets a trait of a board. Buffers may be values of a dict."""
    buffers: list[tuple[str, bytes]] = []
    if isinstance(value, Mapping):
        buffers = [(key, bytes(item)) for key, item in value.items() if _is_buffer(item)]
        value = {key: item for key, item in value.items() if not _is_buffer(item)}
    return _part({"trait": name, "value": value}, buffers)


def answer_part(answer: Mapping[str, Any], buffers: Sequence[bytes]) -> bytes:
    """Return the part that answers a question."""
    return _part({"answer": answer}, [("", bytes(buffer)) for buffer in buffers])


def _part(content: dict[str, Any], buffers: Sequence[tuple[str, bytes]]) -> bytes:
    content["buffers"] = [(key, len(buffer)) for key, buffer in buffers]
    text = _padded(_json(content), b" ")
    data = b"".join(_padded(buffer, b"\0") for _, buffer in buffers)
    return _LENGTHS.pack(len(text), len(data)) + text + data


def _json(content: Any) -> bytes:
    try:
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()
    except ValueError:  # JSON has no NaN
        return json.dumps(_finite(content), allow_nan=False, separators=(",", ":")).encode()


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


def _is_buffer(value: Any) -> bool:
    return isinstance(value, bytes | bytearray | memoryview)


def _padded(data: bytes, by: bytes) -> bytes:
    return data + by * (-len(data) % _ALIGNMENT)
