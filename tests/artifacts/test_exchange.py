from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import trackbook as tb
from command_lines import CommandLine
from processes import own_process
from trackbook.api.process import Process


@pytest.fixture(autouse=True)
def process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Process]:
    monkeypatch.chdir(tmp_path)
    with own_process(monkeypatch) as made:
        yield made


@pytest.fixture
def run() -> tb.Run:
    Path("m.pt").write_text("weights")
    Path("a.py").write_text("code")
    with tb.init("p") as maker:
        maker.log_artifact("m.pt", name="model", type="model", aliases="best")
    with tb.init("p") as run:
        run.save("*.py")
        run.use_artifact("model")
        run.log({"loss": 1.0})
    return run


@pytest.mark.parametrize("name", ["out", "one.parquet"])
def test_files_come_back_from_an_export(run: tb.Run, name: str) -> None:
    tb.export("p", name, runs=run.id, files=True)
    (back,) = tb.import_parquet(name, project="q")
    assert back.restore("a.py", "there").read_text() == "code"
    artifact = tb.get_artifact("model:best", "q")
    assert (artifact.version, artifact.type, artifact.read("m.pt")) == ("v0", "model", b"weights")
    assert artifact.used_by == [run.id]
    tb.import_parquet(name, project="q")  # again, which changes nothing
    assert tb.list_artifacts("q")["artifact"].to_list() == ["model:v0"]


def test_export_without_files_has_none(run: tb.Run, store_dir: Path) -> None:
    tb.export("p", "out")
    assert not Path("out.artifacts").exists()
    (back, *_) = tb.import_parquet("out", project="q")
    assert tb.list_artifacts("q").is_empty()
    with pytest.raises(FileNotFoundError):
        tb.get_run(run.id, "q").restore("a.py", "there")
    assert back.state == "finished"


def test_version_with_other_content_is_left_out(run: tb.Run) -> None:
    tb.export("p", "out", files=True)
    with tb.init("q") as other:
        other.log_artifact("a.py", name="model", type="model")
    with pytest.warns(tb.TrackbookWarning, match="model:v0 has other content here, and is left out"):
        tb.import_parquet("out", project="q")
    assert tb.get_artifact("model", "q").read("a.py") == b"code"


def test_damaged_list_of_versions_is_said(run: tb.Run) -> None:
    tb.export("p", "out", files=True)
    Path("out.artifacts/artifacts.json").write_text(json.dumps({"columns": ["artifact"], "rows": [[3]]}))
    with pytest.raises(ValueError, match=r"artifacts\.json is damaged"):
        tb.import_parquet("out", project="q")


def test_files_go_with_parquet_only(run: tb.Run, trackbook_command: CommandLine) -> None:
    with pytest.raises(ValueError, match=r"export\(files=True\) writes files beside Parquet"):
        tb.export("p", "out.csv", format="csv", files=True)
    assert trackbook_command("export", "p", "out.csv", "--files").code == 2
    assert trackbook_command("export", "p", "out", "--files").code == 0
    assert Path("out.artifacts/artifacts.json").exists()
