from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

import trackbook as tb
from trackbook.api import compare
from trackbook.metrics import SYSTEM
from trackbook.store.base import POINTS
from trackbook.store.documents import put_document
from trackbook.tracking.run import writer_of
from trackbook.types import CAPTURED


def a_run(name: str, loss: float = 0.5, packages: dict[str, str] | None = None, *sources: str | None) -> tb.Run:
    """A run with a recorded environment and cells, if given."""
    with tb.init("p", name, config={"lr": loss, "kind": "same"}) as run:
        run.log({"loss": loss})
        writer_of(run).store.append(run.id, pl.DataFrame([(f"{SYSTEM}cpu", 0, 3.0, 0.0)], schema=POINTS, orient="row"))
        if packages is not None:
            put_document(writer_of(run).store, run.id, "environment", {"packages": packages})
        usual = {"cell": "c", "started": 0.0, "state": "ok", "metrics": "[]", "points": 1}
        cells = [usual | {"number": number, "source": source} for number, source in enumerate(sources)]
        writer_of(run).store.put_captured(run.id, "cells", [tuple(map(cell.get, CAPTURED["cells"])) for cell in cells])
    return run


def test_diff_holds_the_differences_of_two_runs() -> None:
    a_run("a", 0.5, {"numpy": "2.1"}, "x = 1", None)
    a_run("b", 0.25, {"numpy": "2.2"}, "x = 2")
    found = tb.diff("a", "b")
    assert found.labels == ("a", "b")
    assert found.config == {"lr": (0.5, 0.25)}
    assert found.environment == {"packages.numpy": ("2.1", "2.2")}
    assert found.metrics == {"loss": (0.5, 0.25)}
    assert found.code.splitlines()[-2:] == ["-x = 1", "+x = 2"]
    assert repr(found).splitlines()[1:3] == ["config", "  lr              0.5  0.25"]


def test_open_run_is_compared_in_its_current_state() -> None:
    a_run("a")
    run = tb.init("p", "b")
    run.log({"loss": 7.0})
    assert tb.diff("a", run).metrics == {"loss": (0.5, 7.0)}
    run.finish()


def test_runs_with_the_same_name_are_labelled_with_ids() -> None:
    ids = [a_run("twin").id for _ in range(2)]
    assert tb.diff(*ids).labels == tuple(f"twin ({one})" for one in ids)


@pytest.mark.parametrize("call", [tb.diff, lambda *runs: compare.compare(runs)])
def test_comparing_with_a_missing_run_is_an_error(call: Any) -> None:
    run = a_run("first")
    with pytest.raises(ValueError, match=r"^run 'first' is given twice"):
        call("first", run.id)
    with pytest.raises(ValueError, match=r"has no run 'fist'; did you mean 'first'\?$"):
        call("first", "fist")


def test_one_run_is_too_few_to_compare() -> None:
    a_run("first")
    with pytest.raises(ValueError, match=r"^give the run to compare 'first' with$"):
        compare.compare(["first"])


def test_without_a_notebook_compare_returns_differing_columns() -> None:
    for name, loss in (("a", 0.5), ("b", 0.25), ("c", 1.0)):
        a_run(name, loss)
    table = compare.compare(["c", "a"])
    assert table["name"].to_list() == ["c", "a"]
    assert {"config.lr", "summary.loss"} <= set(table.columns)
    assert not {"config.kind", "state", "group"} & set(table.columns)


def test_in_a_notebook_a_diff_is_a_table_and_a_board(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [a_run("a"), a_run("b", 0.25)]
    found = tb.diff("a", "b")
    shown: list[Any] = []
    notebook = SimpleNamespace(shell=object(), show=lambda thing, **_: shown.append(thing))
    monkeypatch.setattr(compare, "host", SimpleNamespace(current=lambda: notebook))
    monkeypatch.setattr(compare.process().boards, "show", shown.append)
    found._ipython_display_()
    bundle, board = shown
    assert bundle == {"text/plain": repr(found), "text/html": found._repr_html_()}
    assert board.source.run_ids == [run.id for run in runs]


def test_in_a_notebook_runs_are_compared_on_their_board(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [a_run(name).id for name in "ab"]
    monkeypatch.setattr(compare.host.Host, "is_notebook", True)
    board = compare.compare(["b", "a"])
    assert (board.panel, board.source.run_ids) == ("compare", ids[::-1])
