"""Encoding of points in the file: compressed Arrow, a third of the size of a plain frame, and twice as fast.

A chunk is an Arrow IPC stream, which Polars reads twice as fast as the file format. It has one row of binary columns, compressed by
zstd. Points are sorted by metric, in a stable order, so that the metric column restores the order of arrival. Steps and times are
stored as differences. The bytes of a column are split: first all lowest bytes, then all second bytes. The difference of two times is
that of their bits, which are as regular as the clock for seconds since 1970, so nothing is rounded. A `Form` says how values are
encoded.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .base import FIELDS

Array = NDArray[Any]
LARGEST: Final = 100_000  # rows of a chunk; larger chunks compress no better, and reading a part of them costs more

BITS: Final = 0
DECIMAL: Final = 1
TABLE: Final = 2
STRETCH: Final = 1024  # rows from which on a metric gets a form of its own
_SAMPLE: Final = 500  # up to this size numpy keeps the GIL, which takes 5 ms to get back while a cell computes
_FEW: Final = 24
_MOST_DIGITS: Final = 9
_MOST_ORDER: Final = 4
_POWERS: Final = 10.0 ** np.arange(_MOST_DIGITS + 1)
_LARGEST_WHOLE: Final = 2.0**53
_GAIN: Final = 1.0  # bits that another form must save for each value


class Columns(NamedTuple):
    """Columns of points in order of arrival; ``metric`` holds the numbers of the metrics in the run (int32)."""

    metric: Array
    step: Array
    value: Array
    time: Array


def encode(points: Columns) -> bytes:
    metric = _narrow(points.metric)
    order = np.argsort(metric, kind="stable")
    sorted_metric = metric[order]
    ends = np.append(np.flatnonzero(sorted_metric[1:] != sorted_metric[:-1]) + 1, len(metric))
    value, forms, tables = encode_values(points.value[order], ends)
    columns = {
        "metric": _split(metric),
        "step": _split(_narrow(differences(points.step[order], 1))),
        "time": _split(_narrow(differences(points.time[order].view(np.int64), 1))),
        "value": _split(_narrow(value)),
        "forms": forms.astype("<i8").tobytes(),
        "tables": tables.astype("<f8").tobytes(),
    }
    buffer = io.BytesIO()
    pl.DataFrame({name: [data] for name, data in columns.items()}).write_ipc_stream(buffer, compression="zstd")
    return buffer.getvalue()


_END: Final = b"\xff\xff\xff\xff\0\0\0\0"  # of an Arrow IPC stream


def decode(data: bytes, rows: int, only: Sequence[int] | None = None, *, by_metric: bool = False) -> Columns:
    """Return the `rows` points of a chunk, or those of the metrics in `only`.

    With `by_metric` the points are grouped by metric instead of in order of arrival, which takes less than half the time. Raises
    ``ValueError`` for data that are not a chunk.
    """
    try:
        (packed,) = _unpack([data], FIELDS)
        metric = _joined([packed["metric"]], rows)[0]
        (grouped,) = _decode_alike([packed], rows, only, FIELDS)
    except _NOT_A_CHUNK as error:
        raise ValueError(f"not a chunk of points: {error}") from error
    if by_metric:
        return grouped
    if only is not None:
        metric = metric[np.isin(metric, only)]
    order = np.argsort(metric, kind="stable")
    points = Columns(*map(np.empty_like, grouped))
    for column, source in zip(points, grouped, strict=True):
        column[order] = source
    return points


def decode_many(
    chunks: Sequence[bytes], rows: Sequence[int], only: Sequence[Sequence[int] | None], fields: Collection[str] = FIELDS
) -> list[Columns]:
    """Return the points of many chunks, of each those of some metrics (`only`), grouped by metric.

    Columns that are not in `fields` are empty. Chunks of the same form, which similar runs have, are decoded at once, in a fifth of
    the time. Raises ``ValueError`` when one of them is not a chunk.
    """
    try:
        alike: dict[Any, list[int]] = {}
        packed = _unpack(chunks, fields)
        for place, row in enumerate(packed):
            sizes = [len(row[name]) for name in fields]
            form = (row["metric"], *sizes, row.get("forms"), row.get("tables"))
            asked = only[place]
            alike.setdefault((rows[place], asked and tuple(asked), form), []).append(place)
        found: dict[int, Columns] = {}
        for (count, asked, _), places in alike.items():
            decoded = _decode_alike([packed[place] for place in places], count, asked, fields)
            found.update(zip(places, decoded, strict=True))
    except _NOT_A_CHUNK as error:
        raise ValueError(f"not chunks of points: {error}") from error
    return [found[place] for place in range(len(chunks))]


_NOT_A_CHUNK: Final = (
    pl.exceptions.PolarsError,
    pl.exceptions.PanicException,
    OSError,
    LookupError,
    ValueError,
    TypeError,
    struct.error,
)


def _unpack(chunks: Sequence[bytes], fields: Collection[str]) -> list[dict[str, bytes]]:
    """Return the columns of chunks as bytes. Chunks are read as one stream, as Polars takes longer to open a stream than to read it."""
    names = ["metric", *fields, *(("forms", "tables") if "value" in fields else ())]
    data = chunks[0]
    if len(chunks) > 1:
        head = data[: 8 + struct.unpack_from("<i", data, 4)[0]]  # the schema
        if not all(chunk.startswith(head) and chunk.endswith(_END) for chunk in chunks):
            return [row for chunk in chunks for row in _unpack([chunk], fields)]
        data = b"".join([head, *(chunk[len(head) : -len(_END)] for chunk in chunks), _END])
    table = pl.read_ipc_stream(io.BytesIO(data), columns=names)
    if len(table) != len(chunks):
        raise ValueError(f"{len(table)} rows for {len(chunks)} chunks")
    return table.rows(named=True)


def _decode_alike(
    packed: Sequence[Mapping[str, bytes]], rows: int, only: Sequence[int] | None, fields: Collection[str]
) -> list[Columns]:
    """Return the points of chunks that differ only in steps, values and times."""
    counts = np.bincount(_joined([packed[0]["metric"]], rows)[0])
    ends = np.cumsum(counts)
    wanted = range(len(counts)) if only is None else sorted({number for number in only if number < len(counts)})
    places = [slice(int(ends[number] - counts[number]), int(ends[number])) for number in wanted]
    metric = np.repeat(np.array(wanted, np.int32), counts[[*wanted]])
    stop = places[-1].stop if places else 0  # later rows are not needed: each row is a sum of those before it
    columns = []
    for name in FIELDS:
        if name not in fields:
            columns.append(np.empty((len(packed), 0)))
            continue
        integers = _joined([row[name] for row in packed], rows, stop).astype(np.uint64)
        if name == "value":
            forms, tables = (np.frombuffer(packed[0][of], kind) for of, kind in (("forms", "<i8"), ("tables", "<f8")))
            column = decode_values(integers, forms.reshape(-1, 4), tables, None if only is None else places)
        else:
            column = summed(integers, 1).view(np.float64 if name == "time" else np.int64)
        columns.append(_parts(column, places))
    return [Columns(metric, *each) for each in zip(*columns, strict=True)]


def _parts(columns: Array, places: Sequence[slice]) -> Array:
    """Return slices of the last axis, joined; the array itself when they cover it."""
    if sum(place.stop - place.start for place in places) == columns.shape[-1]:
        return columns
    return np.concatenate([columns[..., :0], *(columns[..., place] for place in places)], axis=-1)


def _narrow(numbers: Array) -> Array:
    largest = int(numbers.max()) if len(numbers) else 0
    return numbers.astype(np.min_scalar_type(largest))


def _split(numbers: Array) -> bytes:
    return np.ascontiguousarray(numbers).view(np.uint8).reshape(len(numbers), numbers.itemsize).T.tobytes()


def _joined(parts: Sequence[bytes], count: int, stop: int | None = None) -> Array:
    """Return the numbers of columns whose bytes were split, up to the index `stop`: one row a column."""
    width = len(parts[0]) // count if count else 1
    split = np.frombuffer(b"".join(parts), np.uint8).reshape(len(parts), width, count)
    return split[:, :, :stop].transpose(0, 2, 1).copy().view(f"<u{width}")[..., 0]


class Form(NamedTuple):
    """How a range of values is encoded. `detail` is the shift of bits, the digits of decimals, or the length of the table."""

    rows: int
    kind: int
    order: int
    detail: int


def encode_values(values: Array, ends: Array) -> tuple[Array, Array, Array]:
    """Return `values` as integers (uint64), forms and tables. The values of each metric end at one of `ends`."""
    integers = np.empty(len(values), np.uint64)
    forms, tables = [], []
    start = 0
    for end in _stretches(ends):
        form, table, integers[start:end] = _encode_stretch(values[start:end])
        forms.append(form)
        tables.append(table)
        start = end
    return integers, np.array(forms, np.int64).reshape(-1, 4), np.concatenate(tables or [np.empty(0)])


def decode_values(integers: Array, forms: Array, tables: Array, only: Sequence[slice] | None = None) -> Array:
    """Return the values along the last axis. With `only`, values outside of these slices are undefined."""
    values = np.empty(integers.shape)
    start = used = 0
    for form in (Form(*form) for form in forms.tolist()):
        end = start + form.rows
        table = tables[used : used + form.detail] if form.kind == TABLE else tables[:0]
        if only is None or any(place.start < end and start < place.stop for place in only):
            values[..., start:end] = _decode_stretch(integers[..., start:end], form, table)
        start = end
        used += len(table)
    return values


def _decode_stretch(integers: Array, form: Form, table: Array) -> Array:
    whole = summed(integers, form.order)
    if form.kind == BITS:
        return ordered_bits((whole.view(np.uint64) << np.uint64(form.detail)).view(np.int64)).view(np.float64)
    values: Array = whole / _POWERS[form.detail] if form.kind == DECIMAL else table[whole]
    return values


def differences(whole: Array, order: int) -> Array:
    """Return differences of this order as uint64, small for small numbers of either sign. Overflow wraps around, also in `summed`."""
    for _ in range(order):
        whole = np.diff(whole, prepend=np.int64(0))
    return ((whole << 1) ^ (whole >> 63)).view(np.uint64)


def summed(differences: Array, order: int) -> Array:
    whole: Array = (differences >> np.uint64(1)).view(np.int64) ^ -(differences & np.uint64(1)).view(np.int64)
    for _ in range(order):
        whole = np.cumsum(whole, axis=-1)
    return whole


def ordered_bits(bits: Array) -> Array:
    """Map the bits of floats (int64) to integers in the order of the floats, and back."""
    ordered: Array = bits ^ ((bits >> 63) & np.int64(2**63 - 1))
    return ordered


def _stretches(ends: Array) -> list[int]:
    chosen, start = [], 0
    for end in ends.tolist():
        if end - start >= STRETCH:
            chosen.append(end)
            start = end
    return [*chosen, int(ends[-1])] if len(ends) and start < ends[-1] else chosen


def _encode_stretch(values: Array) -> tuple[Form, Array, Array]:
    rows = len(values)
    middle = max(0, (rows - _SAMPLE) // 2)
    sample = values[middle : middle + _SAMPLE]
    bits = ordered_bits(values.view(np.int64))
    shift = _shared_zeros(bits)
    bits >>= shift
    order, cost = _best_order(bits[middle : middle + _SAMPLE])
    best, table, whole = Form(rows, BITS, order, shift), np.empty(0), bits
    distinct = 1 + np.count_nonzero(np.diff(np.sort(sample.view(np.int64))))
    digits = _digits(sample)
    if digits is not None:
        decimal = _decimal(values, digits)
        if decimal is not None:
            order, found = _best_order(decimal[middle : middle + _SAMPLE])
            if found < cost - _GAIN:
                best, whole, cost = Form(rows, DECIMAL, order, digits), decimal, found
    if distinct <= len(sample) // 4 and cost > np.log2(distinct) + _GAIN:
        found_values, places = np.unique(values.view(np.int64), return_inverse=True)
        if len(found_values) <= rows // 4:
            order, found = _best_order(places[middle : middle + _SAMPLE])
            if found + 64 * len(found_values) / rows < cost - _GAIN:
                best, whole = Form(rows, TABLE, order, len(found_values)), places
                table = found_values.view(np.float64)
    return best, table, differences(whole, best.order)


def _best_order(sample: Array) -> tuple[int, float]:
    """Return the order of differences with the smallest result, and its bits for each value."""
    best, cost = 0, _bits(np.abs(sample - sample.min()))
    for order in range(1, min(_MOST_ORDER, len(sample) - 2) + 1):
        sample = np.diff(sample)
        found = _bits(np.abs(sample)) + 1
        if found < cost - 0.25:
            best, cost = order, found
    return best, cost


def _bits(sizes: Array) -> float:
    return float(np.log2(sizes.view(np.uint64) + 1.0).mean())


def _shared_zeros(bits: Array) -> int:
    used = int(np.bitwise_or.reduce(bits)) if len(bits) else 0
    return (used & -used).bit_length() - 1 if used else 0


def _digits(sample: Array) -> int | None:
    """Return the fewest decimal digits that represent all values of the sample exactly, None when no number of digits does."""
    few = sample[:: max(1, len(sample) // _FEW)]
    with np.errstate(all="ignore"):
        fits = (np.rint(few[:, None] * _POWERS) / _POWERS == few[:, None]).all(axis=0)
    return int(fits.argmax()) if fits.any() else None


def _decimal(values: Array, digits: int) -> Array | None:
    with np.errstate(all="ignore"):
        scaled = np.rint(values * _POWERS[digits])
        whole = scaled.astype(np.int64)
        fits = (np.abs(scaled) < _LARGEST_WHOLE) & ((whole / _POWERS[digits]).view(np.int64) == values.view(np.int64))
    return whole if fits.all() else None
