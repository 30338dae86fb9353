from __future__ import annotations

import math

from servers import parts
from trackbook.server.wire import answer_part, trait_part


def test_parts_of_a_message_are_read_one_after_the_other() -> None:
    message = trait_part("keyframe", {"header": {"é": [1]}, "data": b"abc"}) + trait_part("open_runs", ["r1"])
    assert [*parts(message)] == [
        ({"trait": "keyframe", "value": {"header": {"é": [1]}}, "buffers": [["data", 3]]}, [b"abc"]),
        ({"trait": "open_runs", "value": ["r1"], "buffers": []}, []),
    ]


def test_each_part_begins_at_a_multiple_of_eight_bytes() -> None:
    for size in range(20):
        assert len(trait_part("x" * size, {"data": b"y" * size})) % 8 == 0


def test_answer_has_its_buffers_in_order() -> None:
    ((head, buffers),) = parts(answer_part({"lines": [], "answers": 3}, [b"", b"12345678", memoryview(b"9")]))
    assert head["answer"] == {"lines": [], "answers": 3}
    assert buffers == [b"", b"12345678", b"9"]


def test_numbers_that_json_cannot_hold_are_null() -> None:
    ((head, _),) = parts(trait_part("table", {"header": [math.nan, {"a": (math.inf, 1.5)}]}))
    assert head["value"] == {"header": [None, {"a": [None, 1.5]}]}
