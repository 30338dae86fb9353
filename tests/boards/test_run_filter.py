"""The grammar of the runs' filter; `js/test/runs/run-filter.test.ts` reads the same texts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import traitlets

from trackbook.boards.run_filter import check
from trackbook.boards.view_state import View

TEXTS: Any = json.loads((Path(__file__).parents[1] / "golden/matching/run_filters.json").read_text())


@pytest.mark.parametrize("text", TEXTS["accepted"])
def test_filters_and_searches_are_accepted(text: str) -> None:
    check(text)


@pytest.mark.parametrize("text", TEXTS["refused"])
def test_text_that_compares_but_does_not_parse_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|not closed|takes a number"):
        check(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lr > 0.1 and", "expected a column at the end"),
        ("lr 0.1 > 2", r"expected =, !=, <, <=, >, >=, ~ or 'in' after 'lr', before '0.1'"),
        ("lr = 'a", "a quotation mark is not closed: 'a"),
        ("lr > adam", "'>' takes a number, not 'adam'"),
    ],
)
def test_filter_that_does_not_parse_leaves_the_one_before(text: str, said: str) -> None:
    view = View()
    view.run_filter = "lr > 0.01"
    with pytest.raises(traitlets.TraitError, match=said):
        view.run_filter = text
    assert view.run_filter == "lr > 0.01"
    with pytest.raises(ValueError, match=said):
        view.view({"run_filter": text, "smoothing": 9})
    assert (view.run_filter, view.smoothing) == ("lr > 0.01", 0)
