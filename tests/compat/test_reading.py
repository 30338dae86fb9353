from __future__ import annotations

import importlib
from pathlib import Path

import pytest

import trackbook as tb
from trackbook.compat.reading import Api
from trackbook.user_warnings import TrackbookWarning


@pytest.fixture
def project() -> str:
    for name in ("first", "second"):
        with tb.init("p", name, id=name, step_by="run", config={"lr": 0.1}) as run:
            run.log({"loss": 1.0, "acc": 0.5})
            run.log({"loss": 0.5})
    return "p"


@pytest.mark.parametrize("path", ["p", "entity/p"])
def test_runs_of_a_project_are_newest_first(project: str, path: str) -> None:
    runs = Api().runs(path)
    assert [run.name for run in runs] == ["second", "first"]
    assert (runs[0].state, runs[0].config["lr"], runs[0].summary["loss"]) == ("finished", 0.1, 0.5)
    assert Api().projects() == ["p"]


@pytest.mark.parametrize("path", ["p/first", "entity/p/first", "/entity/p/runs/first"])
def test_run_is_found_by_its_path(project: str, path: str) -> None:
    assert Api().run(path).id == "first"


def test_history_has_a_row_for_each_step(project: str) -> None:
    run = Api().run("p/first")
    wide = run.history(pandas=False)
    assert wide.to_dict(as_series=False) == {"_step": [0, 1], "loss": [1.0, 0.5], "acc": [0.5, None]}
    assert run.history(keys=["loss", "_step"], x_axis="n", pandas=False).columns == ["n", "loss"]
    assert list(run.scan_history(keys=["loss"])) == [{"_step": 0, "loss": 1.0}, {"_step": 1, "loss": 0.5}]


def test_history_is_a_pandas_frame_where_pandas_is(project: str) -> None:
    pandas = pytest.importorskip("pandas")
    frame = Api().run("p/first").history()
    assert isinstance(frame, pandas.DataFrame)
    assert frame["loss"].tolist() == [1.0, 0.5]


def test_history_without_pandas_is_a_polars_frame(project: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert Api().run("p/first").history()["_step"].to_list() == [0, 1]


def test_filters_are_ignored_with_a_warning(project: str) -> None:
    with pytest.warns(TrackbookWarning, match=r"Api\.runs\(\) ignores filters"):
        assert len(Api().runs("p", filters={"state": "finished"}, order=None)) == 2


def test_what_is_not_there_is_an_error(project: str) -> None:
    with pytest.raises(ValueError, match="there is no project 'q'"):
        Api().runs("q")
    with pytest.raises(ValueError, match="nope"):
        Api().run("p/nope")
    with pytest.raises(NotImplementedError, match=r"Api\(\)\.artifact_collection is not supported yet: .* no registry"):
        Api().artifact_collection("model", "weights")


def test_artifact_is_read_by_its_path(project: str, tmp_path: Path) -> None:
    (tmp_path / "weights").write_text("1")
    with tb.init(project=project, display=False) as run:
        run.log_artifact(tmp_path / "weights", name="weights", type="model", aliases=["best"])
    assert Api().artifact(f"somebody/{project}/weights:best").read("weights") == b"1"
    assert Api().artifact(f"{project}/weights:v0", type="model").aliases == ["latest", "best"]
    with pytest.raises(ValueError, match="has the type 'model', not 'dataset'"):
        Api().artifact(f"{project}/weights:v0", type="dataset")
