from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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


def index_of(export: str) -> tuple[Path, dict[str, Any]]:
    """Return the list of versions of an export, and its content."""
    path = Path(f"{export}.artifacts/artifacts.json")
    return path, json.loads(path.read_text())


@pytest.mark.parametrize(
    "wrong",
    [
        {"artifact": "../../out"},
        {"artifact": "/tmp/out"},
        {"artifact": "model:v1"},
        {"name": "../model", "artifact": "../model:v0"},
        {"version": -1, "artifact": "model:v-1"},
        {"aliases": '["../x"]'},
    ],
)
def test_version_whose_name_no_project_makes_is_refused(run: tb.Run, wrong: dict[str, Any]) -> None:
    tb.export("p", "out", files=True)
    path, index = index_of("out")
    row = dict(zip(index["columns"], index["rows"][0], strict=True)) | wrong
    path.write_text(json.dumps({"columns": list(row), "rows": [list(row.values())]}))
    with pytest.raises(ValueError, match=r"artifacts\.json is damaged"):
        tb.import_parquet("out", project="q")


def test_alias_that_a_taken_version_loses_does_not_come_back(run: tb.Run) -> None:
    with tb.init("p") as maker:
        for content in ("second", "third"):
            Path("m.pt").write_text(content)
            maker.log_artifact("m.pt", name="model", type="model")
    tb.export("p", "out", files=True)
    path, index = index_of("out")
    aliases = index["columns"].index("aliases")
    for row, given in zip(index["rows"], ('["a", "b"]', '["a"]', '["b"]'), strict=True):
        row[aliases] = given
    path.write_text(json.dumps(index))
    tb.import_parquet("out", project="q")
    assert tb.list_artifacts("q")["aliases"].to_list() == [[], ["a"], ["latest", "b"]]
