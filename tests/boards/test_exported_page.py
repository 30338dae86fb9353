"""What a page holds, read as a browser reads it: blocks of data by id, and one script."""

from __future__ import annotations

import base64
import gzip
import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from stores import filled, one_run
from trackbook.boards import exported_page
from trackbook.boards.exported_page import pack_points, write_page
from trackbook.store.base import POINTS
from trackbook.store.documents import put_document
from trackbook.store.memory import MemoryStore

sys.path.insert(0, str(Path(__file__).parents[1] / "golden"))
from make_page import FILE, contents

HOSTILE = "</script><script>alert(1)</script><!--<script>\u2028"


@pytest.fixture(autouse=True)
def built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exported_page, "built_file", lambda file: f"// {file}")


class Page(HTMLParser):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self.text = path.read_text("utf-8")
        self.blocks: dict[str, str] = {}
        self.scripts: list[str] = []
        self.tags: list[str] = []
        self.title = ""
        self._into: str | None = None
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._into = (dict(attrs).get("id") or "") if tag == "script" else None
        if self._into == "":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.lasttag == "title":
            self.title += data
        elif self.lasttag == "script" and self._into is not None:
            if self._into:
                self.blocks[self._into] = self.blocks.get(self._into, "") + data
            else:
                self.scripts[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._into = None

    @property
    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.blocks["trackbook-state"])
        return found

    def unpacked(self, name: str) -> bytes:
        return gzip.decompress(base64.b64decode(self.blocks[name]))

    def details(self, run: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.unpacked(self.state["contents"]["details"][run]))
        return found


def written(path: Path, store: MemoryStore, project: str = "p", **more: Any) -> Page:
    options = {"raw": False, "details": True} | more
    write_page(path / "page.html", project, store, store.runs(), **options)
    return Page(path / "page.html")


def runs(count: int) -> MemoryStore:
    return filled(*(one_run(id=f"r{n}", name=f"run {n}", started=10.0 + n) for n in range(count)))


def test_a_page_holds_the_picture_the_table_and_the_front_end(tmp_path: Path) -> None:
    page = written(tmp_path, runs(2))
    traits = page.state["state"]
    assert [run["name"] for run in traits["keyframe"]["header"]["runs"]] == ["run 0", "run 1"]
    assert [run["id"] for run in traits["table"]["header"]["runs"]] == ["r0", "r1"]
    assert [buffer["path"] for buffer in page.state["buffers"]] == [["keyframe", "data"], ["table", "data"]]
    assert (page.title.strip(), page.scripts) == ("p", ["// trackbook.js"])


def test_only_the_newest_runs_are_drawn_at_first(tmp_path: Path) -> None:
    page = written(tmp_path, runs(5), shown=2)
    assert page.state["state"]["hidden_runs"] == ["r0", "r1", "r2"]
    assert len(page.state["state"]["keyframe"]["header"]["series"]) == 10


def test_the_policy_allows_the_one_script_and_no_eval(tmp_path: Path) -> None:
    (policy,) = re.findall('http-equiv="Content-Security-Policy" content="([^"]*)"', written(tmp_path, runs(1)).text)
    directives = dict(each.split(" ", 1) for each in policy.split("; "))
    assert directives["default-src"] == "'none'"
    assert re.fullmatch(r"'sha256-[\w+/=]+'", directives["script-src"])


def test_no_text_of_a_user_is_markup(tmp_path: Path) -> None:
    store = filled(
        one_run(name=HOSTILE, group=HOSTILE, tags=(HOSTILE,), notes=HOSTILE, config={HOSTILE: HOSTILE}, error=HOSTILE),
        points={"r1": [(HOSTILE, 0, 0.5, 10.0), (HOSTILE, 1, 0.5, 11.0)]},
    )
    store.put_captured("r1", "console", [(0, "stdout", HOSTILE, 10.0, None)])
    put_document(store, "r1", "environment", {HOSTILE: HOSTILE})
    page = written(tmp_path, store, HOSTILE, raw=True)
    head = ["html", "head", "meta", "meta", "meta", "title", "link", "style"]
    assert page.tags == [*head, "body", "main", "noscript", "script", "script", "script", "script"]
    assert page.scripts == ["// trackbook.js"]
    assert page.title.removesuffix("\n") == f"{HOSTILE} · {HOSTILE}"
    assert page.state["state"]["keyframe"]["header"]["metrics"] == [HOSTILE]
    assert page.details("r1")["console"]["lines"][0][2] == HOSTILE
    assert page.details("r1")["environment"] == {"environment": {HOSTILE: HOSTILE}}


def test_details_are_the_answers_that_a_kernel_gives(tmp_path: Path) -> None:
    store = runs(1)
    store.put_captured("r0", "console", [(n, "stdout", f"line {n}", 10.0, None) for n in range(3)])
    found = written(tmp_path, store).details("r0")
    assert [text for _, _, text, _, _ in found["console"]["lines"]] == ["line 0", "line 1", "line 2"]
    assert found["cells"] == {"cells": [], "earlier": 0, "script": None}
    assert found["environment"] == {"environment": None}


def test_a_long_console_is_cut_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exported_page, "CONSOLE_LINES", 3)
    store = runs(1)
    store.put_captured("r0", "console", [(n, "stdout", f"line {n}", 10.0, None) for n in range(2000)])
    first, *rest = written(tmp_path, store).details("r0")["console"]["lines"]
    assert first[:3] == [1996, "cut", "… 1,997 earlier lines are left out …"]
    assert [line for line, *_ in rest] == [1997, 1998, 1999]


def test_details_beyond_the_budget_are_left_out_of_older_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = runs(3)
    one = len(written(tmp_path, store).blocks["trackbook-details-0"])
    monkeypatch.setattr(exported_page, "DETAILS_BYTES", 2 * one + 200)
    assert list(written(tmp_path, store).state["contents"]["details"]) == ["r2", "r1"]


def test_a_page_without_details_has_none(tmp_path: Path) -> None:
    page = written(tmp_path, runs(2), details=False)
    assert page.state["contents"] == {"details": {}, "points": None}
    assert list(page.blocks) == ["trackbook-state"]


def unpack(data: bytes) -> list[list[float]]:
    numbers = np.frombuffer(data, np.uint8).reshape(8, -1).T.copy().view("<f8").reshape(3, -1)
    return [np.cumsum(numbers[0]).tolist(), (np.cumsum(numbers[1]) / 1e6).tolist(), numbers[2].tolist()]


def test_raw_points_are_all_there_in_order_of_step(tmp_path: Path) -> None:
    page = written(tmp_path, filled(one_run()), raw=True)
    metrics = page.state["state"]["keyframe"]["header"]["metrics"]
    blocks = {metrics[block["metric"]]: block for block in page.state["contents"]["points"]}
    assert unpack(page.unpacked(blocks["loss"].pop("element"))) == [[0, 1], [10.0, 11.0], [0.5, 0.25]]
    assert blocks["loss"] == {"run": 0, "metric": metrics.index("loss"), "first": 0, "last": 1, "rows": 2}


def test_long_series_are_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exported_page, "POINTS_A_BLOCK", 4)
    store = filled(one_run(), points={"r1": [("loss", n, n / 2, 10.0 + n) for n in range(10)]})
    page = written(tmp_path, store, raw=True)
    blocks = page.state["contents"]["points"]
    assert [(block["first"], block["last"], block["rows"]) for block in blocks] == [(0, 3, 4), (4, 7, 4), (8, 9, 2)]
    steps = [step for block in blocks for step in unpack(page.unpacked(block["element"]))[0]]
    assert steps == list(range(10))


def test_too_many_points_are_an_error_that_leaves_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exported_page, "MOST_POINTS", 5)
    (tmp_path / "page.html").write_text("former")
    with pytest.raises(ValueError, match="more than 5 points, too many for a page: choose some by runs="):
        written(tmp_path, runs(2), raw=True)
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    assert (tmp_path / "page.html").read_text() == "former"


class Unreadable(MemoryStore):
    def read(self, *_: Any, **__: Any) -> pl.DataFrame:
        raise OSError("the disk is gone")


def test_points_that_cannot_be_read_leave_the_file_as_it_was(tmp_path: Path) -> None:
    store = Unreadable()
    store.put_run(one_run())
    store.append("r1", pl.DataFrame([("loss", 0, 1.0, 1.0)], schema=POINTS, orient="row"))
    with pytest.raises(OSError, match="the disk is gone"):
        written(tmp_path, store, raw=True)
    assert list(tmp_path.iterdir()) == []


def test_the_golden_block_of_points_is_current() -> None:
    assert json.loads(FILE.read_text("utf-8")) == contents()


def test_packed_points_keep_every_bit() -> None:
    rng = np.random.default_rng(3)
    step = np.sort(rng.integers(0, 2**50, 1000))
    time = np.round(1_800_000_000 + rng.random(1000) * 1e6, 6)
    value = rng.normal(size=1000) * 10.0 ** rng.integers(-300, 300, 1000)
    steps, times, values = unpack(pack_points(step, time, value))
    assert (steps, values) == (step.tolist(), value.tolist())
    assert np.abs(np.array(times) - time).max() < 1e-6
