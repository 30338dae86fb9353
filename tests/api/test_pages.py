from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import trackbook as tb
from trackbook.api import pages


@pytest.fixture(autouse=True)
def built(monkeypatch: pytest.MonkeyPatch) -> None:
    from trackbook.boards import exported_page

    monkeypatch.setattr(exported_page, "built_file", lambda _: "")


def log(*names: str, project: str = "p") -> list[tb.Run]:
    made = []
    for name in names:
        with tb.init(project=project, name=name, display=False) as run:
            tb.log({"loss": 1.0})
        made.append(run)
    return made


def state(path: Path) -> dict[str, Any]:
    (text,) = re.findall('id="trackbook-state">(.*?)</script>', path.read_text("utf-8"))
    found: dict[str, Any] = json.loads(text)
    return found


def names(path: Path) -> list[str]:
    return [run["name"] for run in state(path)["state"]["keyframe"]["header"]["runs"]]


def test_a_page_of_a_project_has_its_runs(tmp_path: Path) -> None:
    log("a", "b")
    log("c", project="q")
    path = tb.export_html(tmp_path / "page.html", "p")
    assert path == tmp_path / "page.html"
    assert names(path) == ["a", "b"]
    assert names(tb.export_html(tmp_path / "page.html")) == ["c"]  # the last run's project


def test_a_page_has_the_runs_asked_for_all_of_them_drawn(tmp_path: Path) -> None:
    first, second, _ = log("a", "b", "c")
    assert names(tb.export_html(tmp_path / "one.html", "p", run="b")) == ["b"]
    path = tb.export_html(tmp_path / "two.html", "p", runs=[second.id, "a", first.id])
    assert names(path) == ["a", "b"]
    assert state(path)["state"]["hidden_runs"] == []


def test_a_page_of_a_run_that_is_being_written_has_all_that_was_logged(tmp_path: Path) -> None:
    with tb.init(project="p", display=False):
        tb.log({"loss": 1.0})
        path = tb.export_html(tmp_path / "page.html")
    assert state(path)["state"]["keyframe"]["header"]["metrics"] == ["loss"]


def test_raw_and_details_say_what_is_in_it(tmp_path: Path) -> None:
    log("a")
    whole = state(tb.export_html(tmp_path / "page.html", "p", raw=True, details=True))["contents"]
    assert ([block["rows"] for block in whole["points"]], len(whole["details"])) == ([1], 1)
    lean = state(tb.export_html(tmp_path / "page.html", "p"))["contents"]
    assert lean == {"details": {}, "points": None}


def test_a_large_project_goes_with_its_newest_runs_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MOST_RUNS", 2)
    log("a", "b", "c")
    with pytest.warns(tb.TrackbookWarning, match=r"page.html has the newest 2 runs of 'p'; choose others by runs="):
        path = tb.export_html(tmp_path / "page.html", "p")
    assert names(path) == ["b", "c"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"run": "a", "runs": ["a"]}, "run= or runs=, not both"),
        ({"run": "zz"}, "project 'p' has no run 'zz'; its latest are 'a'"),
        ({"project": "q"}, "there is no project 'q'"),
        ({"path": "."}, "is a folder; name a file in it"),
        ({"runs": []}, "has no runs to write"),
    ],
)
def test_bad_input_is_an_error_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    log("a")
    with pytest.raises(ValueError, match=told):
        tb.export_html(**{"path": "page.html", "project": "p"} | given)
    assert not (tmp_path / "page.html").exists()
