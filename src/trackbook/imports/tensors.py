"""``TensorProto`` messages, in which TensorFlow 2 keeps what a summary has."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Iterator
from typing import Final

from . import protobuf
from .source import Damaged

_DTYPE, _SHAPE, _CONTENT, _STRINGS = 1, 2, 4, 8  # fields of the message
# By type: the form of an element, and the field of the values when there is no content
_FORMS: Final[dict[int, tuple[str, int]]] = {1: ("f", 5), 2: ("d", 6), 3: ("i", 7), 9: ("q", 10), 19: ("e", 13)}
_SMALL: Final = {4: ("B", 7), 5: ("h", 7), 6: ("b", 7), 17: ("H", 7)}  # the same of small ints
_BFLOAT16: Final = 14
_STRING: Final = 7
MOST_NUMBERS: Final = 300_000
MOST_STRINGS: Final = 1_000


def shape(data: memoryview) -> tuple[int, ...]:
    """Return the shape of a tensor, () of a scalar."""
    dimensions = protobuf.last_fields(data).get(_SHAPE, memoryview(b""))
    return tuple(
        protobuf.integer(protobuf.last_fields(one).get(1)) for number, one in protobuf.fields(dimensions) if number == 2
    )


def scalar(data: memoryview) -> float | None:
    """Return the number of a tensor with one element, None for another tensor."""
    tensor = protobuf.last_fields(data)
    kind = tensor.get(_DTYPE, 0)
    if kind == _BFLOAT16 and len(tensor.get(_CONTENT, b"")) == 2:
        return float(struct.unpack("<f", b"\0\0" + bytes(tensor[_CONTENT]))[0])
    form, number = _FORMS.get(kind, ("", 0))
    content = tensor.get(_CONTENT)
    if form and content is not None:
        return float(struct.unpack(f"<{form}", content)[0]) if len(content) == struct.calcsize(form) else None
    value = tensor.get(number)
    if isinstance(value, int):
        return float(protobuf.integer(value))
    if value is not None and form in ("f", "d") and len(value) == struct.calcsize(form):
        return float(struct.unpack(f"<{form}", value)[0])
    if value is not None and form in ("i", "q"):  # a packed list of varints
        return float(protobuf.integer(protobuf.varint(value)))
    return None


def floats(data: memoryview) -> list[float]:
    """Return the elements of a tensor of floats, in the order of rows.

    Raises ``ValueError`` for another type, more than `MOST_NUMBERS`, and as many as the shape does not say.
    """
    form, _ = _FORMS.get(protobuf.last_fields(data).get(_DTYPE, 0), ("", 0))
    if form not in ("f", "d"):
        raise ValueError("a tensor is of another type than floats")
    return elements(data)


def elements(data: memoryview, most: int = MOST_NUMBERS) -> list[float]:
    """Return the elements of a tensor of floats or ints, in the order of rows. Raises ``ValueError`` as `floats`, for more than `most`."""
    tensor = protobuf.last_fields(data)
    form, field = (_FORMS | _SMALL).get(tensor.get(_DTYPE, 0), ("", 0))
    if not form or form == "e":
        raise ValueError("a tensor is of another type than floats and ints")
    count = math.prod(shape(data))
    if not 0 <= count <= most:
        raise ValueError(f"a tensor has {count:,} numbers")
    content = tensor.get(_CONTENT)
    if content is not None:
        found = numbers([content], form, most)
    else:
        found = numbers(values(data, field), form, most) if form in ("f", "d") else _integers(data, field, most)
    if len(found) == 1 < count:  # the last value stands for all that follow it
        found *= count
    if len(found) != count:
        raise ValueError(f"a tensor has {len(found):,} numbers, and its shape is {shape(data)}")
    return found


def _integers(data: memoryview, field: int, most: int) -> list[float]:
    """Return the ints of a repeated field, whose values are packed or not. Raises ``ValueError`` for more than `most`."""
    found: list[float] = []
    for number, value in protobuf.fields(data):
        if number == field:
            found += map(protobuf.integer, [value] if isinstance(value, int) else protobuf.varints(value))
            if len(found) > most:
                raise ValueError(f"a tensor has more than {most:,} numbers")
    return found


def numbers(pieces: Iterable[memoryview], form: str, most: int = MOST_NUMBERS) -> list[float]:
    """Return the numbers of a repeated field of fixed size, whose values are packed or not. Raises ``ValueError`` for more than `most`."""
    found: list[float] = []
    size = struct.calcsize(f"<{form}")
    for piece in pieces:
        count, rest = divmod(len(piece), size)
        if rest or len(found) + count > most:
            raise ValueError(f"a list of numbers has {len(piece):,} bytes")
        found += struct.unpack(f"<{count}{form}", piece)
    return found


def strings(data: memoryview) -> list[bytes]:
    """Return the elements of a tensor of strings. Raises ``ValueError`` for another type, and more than `MOST_STRINGS`."""
    if protobuf.last_fields(data).get(_DTYPE) != _STRING:
        raise ValueError("a tensor is of another type than strings")
    found: list[bytes] = []
    for value in values(data, _STRINGS):
        if len(found) == MOST_STRINGS:
            raise ValueError(f"a tensor has more than {MOST_STRINGS:,} strings")
        found.append(bytes(value))
    return found


def values(data: memoryview, field: int) -> Iterator[memoryview]:
    """Yield the values of a repeated field of bytes. Raises `Damaged` for numbers."""
    for number, value in protobuf.fields(data):
        if number == field:
            if not isinstance(value, memoryview):
                raise Damaged("a value is of another type than expected")
            yield value
