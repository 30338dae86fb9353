"""How the values of a chunk are written: as the integers that stay smallest, with nothing rounded.

Values are taken in stretches, whole metrics or several small ones, each in the form that suits it::

    bits      the bits of the number, in the order of the numbers, without the zeros at the low end that all share
    decimal   value * 10**digits where that is whole: what was rounded, or counted
    table     places in a table of the values that occur: such as accuracies of a small set

and of these the differences, the differences of differences, and so on, as often as it pays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
BITS: Final = 0
DECIMAL: Final = 1
TABLE: Final = 2
STRETCH: Final = 1024  # rows that make a form worth choosing
_SAMPLE: Final = 500  # up to which numpy keeps the GIL: to get it back from a loop that computes takes 5 ms each time
_FEW: Final = 24
_MOST_DIGITS: Final = 9
_MOST_ORDER: Final = 4
_POWERS: Final = 10.0 ** np.arange(_MOST_DIGITS + 1)
_LARGEST_WHOLE: Final = 2.0**53
_GAIN: Final = 1.0  # bits a value that another form must save


class Form(NamedTuple):
    """How one stretch is written; `detail` is the shift of bits, the digits of decimals, the length of the table."""

    rows: int
    kind: int
    order: int
    detail: int


def encode(values: Array, ends: Array) -> tuple[Array, Array, Array]:
    """Integers (uint64), forms and tables of `values`, of which each metric's end at `ends`."""
    integers = np.empty(len(values), np.uint64)
    forms, tables = [], []
    start = 0
    for end in _stretches(ends):
        form, table, integers[start:end] = _encode(values[start:end])
        forms.append(form)
        tables.append(table)
        start = end
    return integers, np.array(forms, np.int64).reshape(-1, 4), np.concatenate(tables or [np.empty(0)])


def decode(integers: Array, forms: Array, tables: Array, only: Sequence[slice] | None = None) -> Array:
    """The values, or those in some places, which lie among others that mean nothing."""
    values = np.empty(len(integers))
    start = used = 0
    for form in (Form(*form) for form in forms.tolist()):
        end = start + form.rows
        table = tables[used : used + form.detail] if form.kind == TABLE else tables[:0]
        if only is None or any(place.start < end and start < place.stop for place in only):
            values[start:end] = _decode(integers[start:end], form, table)
        start = end
        used += len(table)
    return values


def _decode(integers: Array, form: Form, table: Array) -> Array:
    whole = summed(integers, form.order)
    if form.kind == BITS:
        return in_order((whole.view(np.uint64) << np.uint64(form.detail)).view(np.int64)).view(np.float64)
    values: Array = whole / _POWERS[form.detail] if form.kind == DECIMAL else table[whole]
    return values


def differences(whole: Array, order: int) -> Array:
    """Small numbers of either sign as small numbers (uint64). Differences wrap around, and so do the sums that undo them."""
    for _ in range(order):
        whole = np.diff(whole, prepend=np.int64(0))
    return ((whole << 1) ^ (whole >> 63)).view(np.uint64)


def summed(differences: Array, order: int) -> Array:
    whole: Array = (differences >> np.uint64(1)).view(np.int64) ^ -(differences & np.uint64(1)).view(np.int64)
    for _ in range(order):
        whole = np.cumsum(whole)
    return whole


def in_order(bits: Array) -> Array:
    """The bits of floats (int64) in the order of the floats, and back."""
    ordered: Array = bits ^ ((bits >> 63) & np.int64(2**63 - 1))
    return ordered


def _stretches(ends: Array) -> list[int]:
    chosen, start = [], 0
    for end in ends.tolist():
        if end - start >= STRETCH:
            chosen.append(end)
            start = end
    return [*chosen, int(ends[-1])] if len(ends) and start < ends[-1] else chosen


def _encode(values: Array) -> tuple[Form, Array, Array]:
    rows = len(values)
    middle = max(0, (rows - _SAMPLE) // 2)
    sample = values[middle : middle + _SAMPLE]
    bits = in_order(values.view(np.int64))
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
    """How often to take differences, and the bits a value that are left then."""
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
    """The fewest digits after the point that all values of the sample have, None when they are no short decimals."""
    few = sample[:: max(1, len(sample) // _FEW)]
    with np.errstate(all="ignore"):
        fits = (np.rint(few[:, None] * _POWERS) / _POWERS == few[:, None]).all(axis=0)
    return int(fits.argmax()) if fits.any() else None


def _decimal(values: Array, digits: int) -> Array | None:
    with np.errstate(all="ignore"):
        scaled = np.rint(values * _POWERS[digits])
        fits = (np.abs(scaled) < _LARGEST_WHOLE) & ((scaled / _POWERS[digits]).view(np.int64) == values.view(np.int64))
    return scaled.astype(np.int64) if fits.all() else None
