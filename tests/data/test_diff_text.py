from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from trackbook.data.diff import Differences, Recorded, differences
from trackbook.data.diff_text import MOST_LINES, MOST_METRICS, as_html, as_text


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
    """What a reader sees, and every tag."""

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


def test_what_is_equal_or_not_known_is_said() -> None:
    text = as_text(two({"config": {"lr": 1}, "environment": {}}, {"config": {"lr": 1}, "sources": ["x"]}))
    assert [line for line in text.splitlines() if line.strip() and not line.startswith(" ")] == [
        "config: the same",
        "environment: not recorded of two",
        "last values: none yet",
        "code: not recorded of one",
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


def test_long_values_are_cut_and_texts_of_many_lines_counted() -> None:
    text = as_text(two({"environment": {"git": {"diff": "a\nb\n"}}}, {"environment": {"git": {"diff": "x" * 500}}}))
    (line,) = [line for line in text.splitlines() if "git.diff" in line]
    assert line.split() == ["git.diff", "2", "lines", "x" * 59 + "…"]


def test_no_end_of_lines_in_a_name_breaks_the_table() -> None:
    assert "  a b  " in as_text(two({"config": {"a\nb": 1}}, {}))


def test_of_many_metrics_and_much_code_it_says_what_is_left_out() -> None:
    found = two(
        {"metrics": {f"m{i}": 1.0 for i in range(MOST_METRICS + 5)}, "sources": ["a\n" * 1000]},
        {"sources": ["b\n" * 1000]},
    )
    for said in (as_text(found), as_html(found)):
        assert f"the first {MOST_METRICS} of {MOST_METRICS + 5}" in said
        assert f"m{MOST_METRICS}" not in said
        assert f"... {2000 + 4 - MOST_LINES:,} more lines" in said
