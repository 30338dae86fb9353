from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreign_stores import message, moment
from trackbook.imports import protobuf
from trackbook.imports.source import Damaged

VALUES = st.one_of(st.integers(0, 2**64 - 1), st.floats(), st.binary(max_size=300))


@given(st.lists(st.tuples(st.integers(1, 300), VALUES), max_size=8))
def test_fields_come_back_as_they_were_written(fields: list[tuple[int, int | float | bytes]]) -> None:
    found = list(protobuf.fields(memoryview(message(*fields))))
    assert [number for number, _ in found] == [number for number, _ in fields]
    for (_, value), (_, known) in zip(found, fields, strict=True):
        if isinstance(known, float):
            assert repr(protobuf.double(value)) == repr(known)
        else:
            assert value == known


@given(st.binary(max_size=60))
def test_any_bytes_are_fields_or_damaged(data: bytes) -> None:
    try:
        sizes = [len(value) for _, value in protobuf.fields(memoryview(data)) if not isinstance(value, int)]
    except Damaged:
        return
    assert sum(sizes) <= len(data)


@pytest.mark.parametrize("data", [b"\x0a\x05abc", b"\x08", b"\x08" + b"\xff" * 12, b"\x0b", b"\x09\x00"])
def test_cut_off_and_unknown_fields_are_damaged(data: bytes) -> None:
    with pytest.raises(Damaged):
        list(protobuf.fields(memoryview(data)))


def test_negative_numbers_and_times() -> None:
    ((_, value),) = protobuf.fields(memoryview(message((1, -5))))
    assert protobuf.integer(value) == -5
    assert protobuf.integer(None) == 0
    assert protobuf.timestamp(memoryview(moment(1795961019.25))) == 1795961019.25
    assert protobuf.timestamp(None) is None
    assert protobuf.text(memoryview(b"a\xffb")) == "a\\xffb"


def test_text_that_is_a_number_is_damaged() -> None:
    with pytest.raises(Damaged, match="another type"):
        protobuf.text(2**62)
