from __future__ import annotations

import copy
import math
import pickle
from html.parser import HTMLParser
from typing import Any

import pytest

from trackbook.data import run_differences
from trackbook.data.run_differences import (
    ABSENT,
    MOST_LINES,
    MOST_METRICS,
    Differences,
    Recorded,
    as_html,
    as_text,
    changed,
    code_diff,
    differences,
)
from trackbook.store.documents import put_document
from trackbook.store.memory import MemoryStore
from trackbook.types import RunRecord


def recorded(label: str = "a", **known: Any) -> Recorded:
    return Recorded(**{"label": label, "config": {}, "metrics": {}, **known})


def test_nested_names_are_joined_and_equal_values_left_out() -> None:
    first = {"lr": 0.1, "opt": {"name": "adam", "betas": [0.9, 0.99], "more": {}}, "seed": 1}
    second = {"lr": 0.2, "opt": {"name": "adam", "betas": [0.9, 0.95], "more": {}}, "epochs": 5}
    assert changed(first, second) == {
        "lr": (0.1, 0.2),
        "opt.betas": ([0.9, 0.99], [0.9, 0.95]),
        "seed": (1, ABSENT),
        "epochs": (ABSENT, 5),
    }


@pytest.mark.parametrize(("one", "other"), [(1, 1.0), (math.nan, math.nan), ([math.nan], [math.nan]), (None, None)])
def test_values_that_read_the_same_are_equal(one: Any, other: Any) -> None:
    assert changed({"x": one}, {"x": other}) == {}


@pytest.mark.parametrize(
    ("one", "other"), [(1, True), (0, False), (None, ABSENT), (None, 0), ("1", 1), ({}, []), ([1], [1, 2])]
)
def test_values_that_read_differently_differ(one: Any, other: Any) -> None:
    first, second = ({} if value is ABSENT else {"x": value} for value in (one, other))
    assert list(changed(first, second)) == ["x"]


def test_items_of_a_list_are_compared_one_by_one() -> None:
    first, second = {"gpus": [{"name": "A"}, {"name": "B"}]}, {"gpus": [{"name": "A"}, {"name": "C"}, {"name": "D"}]}
    assert changed(first, second) == {"gpus.1.name": ("B", "C"), "gpus.2.name": (ABSENT, "D")}


def test_value_in_place_of_an_object_differs() -> None:
    assert changed({"x": {"y": 1}}, {"x": 1}) == {"x.y": (1, ABSENT), "x": (ABSENT, 1)}


def test_code_is_compared_by_cell_in_execution_order() -> None:
    first = recorded("one", sources=["import this\nx = 1", "train(x)"])
    second = recorded("two", sources=["import this\nx = 2", "train(x)"])
    assert code_diff(first, second).splitlines() == [
        "--- one",
        "+++ two",
        "@@ -1,5 +1,5 @@",
        " # %%",
        " import this",
        "-x = 1",
        "+x = 2",
        " # %%",
        " train(x)",
    ]
    assert code_diff(first, first) == ""


def test_cell_that_was_executed_once_more_stands_out() -> None:
    found = code_diff(recorded(sources=["a()"]), recorded(sources=["a()", "b()"]))
    assert [line for line in found.splitlines()[2:] if line[0] in "+-"] == ["+# %%", "+b()"]


def test_scripts_are_compared_like_cells() -> None:
    store, records = MemoryStore(), [RunRecord(name, name, started=100.0) for name in ("a", "b")]
    for number, record in enumerate(records):
        store.put_run(record)
        put_document(store, record.id, "code", {"path": "train.py", "source": f"lr = {number}\ntrain(lr)\n"})
    found = differences(*(run_differences.recorded(store, record, record.name) for record in records))
    assert [line for line in found.code.splitlines()[2:] if line[0] in "+-"] == ["-lr = 0", "+lr = 1"]
    assert "code" not in found.unknown


def test_volatile_environment_values_are_left_out() -> None:
    first = {"process": {"pid": 1, "command": "x"}, "packages": {"b": "1"}, "disk": {"free_gb": 3.0}}
    second = {"process": {"pid": 2, "command": "y"}, "packages": {"b": "2", "a": "1"}, "disk": {"free_gb": 4.0}}
    found = differences(recorded(environment=first), recorded(environment=second)).environment
    assert list(found.items()) == [
        ("packages.a", (ABSENT, "1")),
        ("packages.b", ("1", "2")),
        ("process.command", ("x", "y")),
    ]


def test_unrecorded_data_is_named_instead_of_compared() -> None:
    found = differences(recorded("a", environment={"x": 1}), recorded("b", environment={}, sources=["x"]))
    assert (found.environment, found.code, found.unknown) == ({"x": (1, ABSENT)}, "", {"code": ["a"]})
    found = differences(recorded("a"), recorded("b"))
    assert found.unknown == {"environment": ["a", "b"], "code": ["a", "b"]}


def test_equal_metrics_are_listed_too() -> None:
    found = differences(recorded(metrics={"loss": 1.0, "acc": 0.5}), recorded(metrics={"loss": 1.0, "f1": 0.1}))
    assert found.metrics == {"loss": (1.0, 1.0), "acc": (0.5, ABSENT), "f1": (ABSENT, 0.1)}


def test_absent_is_one_and_says_so() -> None:
    assert repr(ABSENT) == "absent"
    assert copy.deepcopy(ABSENT) is ABSENT
    assert pickle.loads(pickle.dumps(ABSENT)) is ABSENT


# --- as text and HTML -------------------------------------------------------------------------------------------------


def two(first: dict[str, Any], second: dict[str, Any], labels: tuple[str, str] = ("one", "two")) -> Differences:
    usual: dict[str, Any] = {"config": {}, "metrics": {}}
    return differences(
        *(Recorded(label=label, **(usual | known)) for label, known in zip(labels, (first, second), strict=True))
    )


EVERYTHING = two(
    {"config": {"lr": 0.1}, "environment": {"python": "3.11"}, "metrics": {"loss": 0.5}, "sources": ["x = 1"]},
    {"config": {"lr": 0.2}, "environment": {"python": "3.12"}, "metrics": {"loss": 1 / 3}, "sources": ["x = 2"]},
)


class Texts(HTMLParser):
    """The texts and tags of a page."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: set[str] = set()
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        assert {name for name, _ in attrs} <= {"style", "colspan"}

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_text_is_aligned_and_plain() -> None:
    assert as_text(EVERYTHING).splitlines() == [
        "          one   two",
        "config",
        "  lr      0.1   0.2",
        "environment",
        "  python  3.11  3.12",
        "last values",
        "  loss    0.5   0.333333",
        "code",
        "  --- one",
        "  +++ two",
        "  @@ -1,2 +1,2 @@",
        "   # %%",
        "  -x = 1",
        "  +x = 2",
    ]


def test_html_says_the_same() -> None:
    said = " ".join(Texts(as_html(EVERYTHING)).texts).split()
    assert said == as_text(EVERYTHING).split()


def test_equal_and_unrecorded_sections_are_named() -> None:
    text = as_text(two({"config": {"lr": 1}, "environment": {}}, {"config": {"lr": 1}, "sources": ["x"]}))
    assert [line for line in text.splitlines() if line.strip() and not line.startswith(" ")] == [
        "config: the same",
        "environment: not recorded for two",
        "last values: none yet",
        "code: not recorded for one",
    ]


def test_no_text_of_a_run_is_markup() -> None:
    evil = "<script>alert(1)</script><img src=x onerror=y> \"' &amp;"
    found = two(
        {"config": {evil: evil}, "environment": {evil: evil}, "metrics": {evil: 1.0}, "sources": [evil]},
        {"config": {evil: 1}, "environment": {evil: 1}, "metrics": {evil: 2.0}, "sources": ["x"]},
        (evil, "two"),
    )
    page = Texts(as_html(found))
    assert page.tags == {"table", "thead", "tbody", "tr", "th", "td", "pre", "span", "br"}
    assert evil in page.texts
    assert f"-{evil}" in page.texts


def test_long_values_are_shortened_and_lines_counted() -> None:
    text = as_text(two({"environment": {"git": {"diff": "a\nb\n"}}}, {"environment": {"git": {"diff": "x" * 500}}}))
    (line,) = [line for line in text.splitlines() if "git.diff" in line]
    assert line.split() == ["git.diff", "2", "lines", f"{'x' * 29}…{'x' * 30}"]


def test_line_breaks_in_names_do_not_break_the_table() -> None:
    assert "  a b  " in as_text(two({"config": {"a\nb": 1}}, {}))


def test_long_diff_names_the_number_of_cut_lines() -> None:
    found = two(
        {"metrics": {f"m{i}": 1.0 for i in range(MOST_METRICS + 5)}, "sources": ["a\n" * 1000]},
        {"sources": ["b\n" * 1000]},
    )
    for said in (as_text(found), as_html(found)):
        assert f"the first {MOST_METRICS} of {MOST_METRICS + 5}" in said
        assert f"m{MOST_METRICS}" not in said
        assert f"... {2000 + 4 - MOST_LINES:,} more lines" in said


def test_the_text_fits_into_the_width_of_a_terminal_and_tells_long_values_apart() -> None:
    path = "/mnt/checkpoints/llama-3-8b-instruct-grpo-lora-r16-alpha32/seed-"
    first, second = ({"config": {"lr": seed, "trainer.output_dir": f"{path}{seed}"}} for seed in (0, 1))
    lines = as_text(two(first, second), 80).splitlines()
    assert max(map(len, lines)) <= 80
    (line,) = [line for line in lines if "output_dir" in line]
    assert line.split() == ["trainer.output_dir", "/mnt/checkp…pha32/seed-0", "/mnt/checkp…pha32/seed-1"]
    assert as_text(two(first, second), 200) == as_text(two(first, second))
