from __future__ import annotations

import re

import pytest

from trackbook.ids import new_id, readable_name


@pytest.mark.parametrize("length", [8, 16])
def test_an_id_is_lower_case_letters_and_digits_that_nobody_misreads(length: int) -> None:
    for _ in range(200):
        assert re.fullmatch(f"[0-9a-km-np-z]{{{length}}}", new_id(length))


def test_ids_differ() -> None:
    assert len({new_id() for _ in range(1000)}) == 1000


def test_a_readable_name_is_two_words_and_the_number() -> None:
    assert re.fullmatch(r"[a-z]+-[a-z]+-12", readable_name(12))


def test_readable_names_vary() -> None:
    assert len({readable_name(1) for _ in range(100)}) > 50
