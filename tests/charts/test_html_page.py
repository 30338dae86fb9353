from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import trackbook as tb
from trackbook.charts.html_page import as_data, document, page

HOSTILE = [
    "</script><script>document.title='owned'</script>",
    "<!--<script>",
    "]]><img src=x onerror=alert(1)>",
    "'\"&amp;\u2028\u2029</SCRIPT >",
    "{{7*7}}${alert(1)}",
]


class Scripts(HTMLParser):
    """The elements of a page as a browser reads it, and the texts of its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.scripts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.scripts += [""] if tag == "script" else []

    def handle_data(self, data: str) -> None:
        if self.scripts and self.lasttag == "script":
            self.scripts[-1] += data


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_ends_the_block_of_data(text: str) -> None:
    found = Scripts(page({"title": text, text: [text]}))
    head = ["html", "head", "meta", "meta", "meta", "title", "link", "style"]
    assert found.tags == [*head, "body", "div", "script", "script", "script"]
    assert json.loads(found.scripts[0]) == {"title": text, text: [text]}
    assert "<" not in as_data(text)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_board_is_saved_with_its_texts_as_data(tmp_path: Path, text: str) -> None:
    with tb.init("p", name=text, group=text, config={text: text}, capture=False, display=False) as run:
        run.log({"loss": 1.0, f"metric {text}": 1.0})
        run.log({"loss": 2.0, f"metric {text}": 2.0})
    tb.board("p").save(tmp_path / "board.html")
    found = Scripts((tmp_path / "board.html").read_text("utf-8"))
    assert len(found.scripts) == 3
    assert any(text in each for each in texts(json.loads(found.scripts[0])))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_title_is_text(text: str) -> None:
    found = Scripts("".join(document(text, "", [], ["1"])))
    assert found.tags.count("title") == 1
    assert [script.strip() for script in found.scripts] == ["1"]


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts(item)


def test_the_policy_names_the_two_scripts_by_their_hashes() -> None:
    text = page({})
    (policy,) = re.findall('http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert "unsafe-eval" not in policy
    assert "default-src 'none'" in policy
    allowed = re.findall("'sha256-([^']*)'", policy)
    scripts = re.findall("<script>(.*?)</script>", text, re.DOTALL)
    assert allowed == [base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in scripts]
