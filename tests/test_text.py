from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackbook.text import (
    ONE_SLIP,
    ago,
    aligned,
    did_you_mean,
    duration,
    listed,
    nearest,
    one_line,
    shorten,
    shorten_name,
    visible,
)


@given(st.text(max_size=30), st.integers(1, 30))
def test_shortened_text_fits_and_ends_in_an_ellipsis(text: str, most: int) -> None:
    short = shorten(text, most)
    assert len(short) <= most
    assert short == text if len(text) <= most else short == text[: most - 1] + "…"


def test_one_line_collapses_white_space() -> None:
    assert one_line(" select *\n\tfrom  points\n") == "select * from points"
    assert one_line("x" * 100) == "x" * 79 + "…"


@pytest.mark.parametrize(
    ("word", "said"),
    [("train/los", "did you mean 'train/loss'?"), ("los", "did you mean 'loss'?"), ("zzz", "it has none like it")],
)
def test_similar_names_are_offered(word: str, said: str) -> None:
    assert did_you_mean(word, ["train/loss", "loss", "acc"], "it has none like it") == said


def test_the_most_similar_name_comes_first() -> None:
    assert nearest("losss", ["lossy", "loss", "gloss"])[0] == "loss"
    assert did_you_mean("val/los", ["val/loss", "val/lot", "lost"]) == "did you mean 'val/loss' or 'val/lot'?"


def test_one_slip_leaves_out_other_trackers_words() -> None:
    assert nearest("entity", ["reinit"]) == ["reinit"]
    assert nearest("entity", ["reinit"], ONE_SLIP) == []
    assert nearest("projct", ["project"], ONE_SLIP) == ["project"]


def test_a_list_of_names_is_bounded() -> None:
    assert listed("ab", 2) == "'a', 'b'"
    assert listed("abc", 2) == "'a', 'b' and 1 more"
    assert listed([]) == ""


@given(st.text())
def test_what_is_visible_holds_no_control_but_newlines_and_tabs(text: str) -> None:
    shown = visible(text)
    assert not [char for char in shown if unicodedata.category(char) == "Cc" and char not in "\n\t"]
    assert visible("a\x1b[2J\tb\n") == "a\\x1b[2J\tb\n"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-1, "0.0 s"),
        (3.21, "3.2 s"),
        (245, "4 min 05 s"),
        (7_620, "2 h 07 min"),
        (86_400 * 3 + 3_600 * 4 + 59, "3 d 4 h"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_columns_are_aligned() -> None:
    assert aligned([["a", "10"], ["long", "2"]]) == ["a     10", "long   2"]


@pytest.mark.parametrize(
    ("passed", "shown"),
    [(-3, "0 s ago"), (5.9, "5 s ago"), (119, "119 s ago"), (120, "2 min ago"), (7200, "2 h ago"), (2e5, "2 d ago")],
)
def test_how_long_ago_is_told_in_one_unit(passed: float, shown: str) -> None:
    assert ago(passed) == shown


def test_a_short_name_keeps_its_beginning_and_its_end() -> None:
    assert shorten_name("seed-0", 6) == "seed-0"
    assert shorten_name("llama-3-8b-instruct-seed0", 12) == "llama…-seed0"
    assert {len(shorten_name("x" * 50, most)) for most in range(3, 30)} == set(range(3, 30))
