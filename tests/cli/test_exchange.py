from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import polars as pl
import pytest

import trackbook as tb
from command_lines import CommandLine, record, valid
from foreign_stores import trackio_db
from trackbook.types import RunRecord


def test_export_and_import_give_back_equal_runs(trackbook_command: CommandLine, tmp_path: Path) -> None:
    run = record()
    record(name="second")
    done = valid("export", trackbook_command("export", "digits", str(tmp_path / "out"), "--json").json)
    assert (done["path"], done["format"], len(done["runs"])) == (str(tmp_path / "out"), "parquet", 2)
    read = valid("import", trackbook_command("import", str(tmp_path / "out"), "-p", "copy", "--json").json)
    assert {row["name"] for row in read} == {"first", "second"}
    assert tb.get_run(run.id, "copy").history().equals(run.history())


@pytest.mark.parametrize(("name", "format"), [("x.csv", "csv"), ("x.jsonl", "jsonl"), ("x.arrow", "arrow")])
def test_the_suffix_chooses_the_format(trackbook_command: CommandLine, tmp_path: Path, name: str, format: str) -> None:
    record()
    record(name="second")
    answer = trackbook_command("export", "digits", str(tmp_path / name), "--run", "second")
    assert answer.out == f"{tmp_path / name}\n"
    if format == "csv":
        assert pl.read_csv(tmp_path / name)["run"].unique().to_list() == ["second"]
    elif format == "jsonl":
        assert json.loads((tmp_path / name).read_text().splitlines()[0])["run"] == "second"
    else:
        assert pl.read_ipc(tmp_path / name)["run"].unique().to_list() == ["second"]


def test_without_a_path_the_folder_is_named_after_the_project(
    trackbook_command: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    record("my digits")
    assert trackbook_command("export", "my digits").code == 0
    assert (tmp_path / "my-digits").is_dir()


def test_a_format_without_a_path_gives_the_file_its_suffix(
    trackbook_command: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    record()
    assert trackbook_command("export", "digits", "--format", "csv").out == f"{tmp_path / 'digits.csv'}\n"


def test_a_page_is_the_board_of_chosen_runs(
    trackbook_command: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(name="first run")
    record(name="second run")
    written: dict[Path, list[str]] = {}

    def write(target: Path, project: str, store: object, runs: list[RunRecord], **options: object) -> None:
        written[target] = [run.name for run in runs]

    monkeypatch.setattr("trackbook.boards.exported_page.write_page", write)
    done = trackbook_command("export", "digits", str(tmp_path / "all.html"), "--json")
    assert valid("export", done.json)["format"] == "html"
    trackbook_command("export", "digits", str(tmp_path / "one"), "--format", "html", "--run", "second run")
    assert written == {tmp_path / "all.html": ["first run", "second run"], tmp_path / "one": ["second run"]}


def test_an_unknown_format_is_a_usage_error(trackbook_command: CommandLine, tmp_path: Path) -> None:
    record()
    for words in ([str(tmp_path / "x.xlsx")], [str(tmp_path / "x"), "--format", "xlsx"]):
        answer = trackbook_command("export", "digits", *words)
        assert answer.code == 2
        assert ".parquet, .pq, .csv, .jsonl" in answer.err


def test_export_leaves_what_is_not_an_export(trackbook_command: CommandLine, tmp_path: Path) -> None:
    record()
    (tmp_path / "x.csv").write_text("mine")
    answer = trackbook_command("export", "digits", str(tmp_path / "x.csv"))
    assert (answer.code, (tmp_path / "x.csv").read_text()) == (4, "mine")
    assert "is not an export of Trackbook" in answer.err


def test_import_of_what_is_not_there_is_not_found(trackbook_command: CommandLine, tmp_path: Path) -> None:
    answer = trackbook_command("import", str(tmp_path / "none.parquet"))
    assert answer.code == 3
    assert str(tmp_path / "none.parquet") in answer.err


def test_import_of_another_table_names_what_is_missing(trackbook_command: CommandLine, tmp_path: Path) -> None:
    pl.DataFrame({"x": ["a"]}).write_parquet(tmp_path / "x.parquet")
    assert trackbook_command("import", str(tmp_path / "x.parquet"), "-p", "p").code == 4


def test_import_from_another_tracker(trackbook_command: CommandLine, tmp_path: Path) -> None:
    path = trackio_db(tmp_path / "theirs.db", [("t1", "brisk-1", 0, "2026-01-01", {"loss": 0.5})])
    assert trackbook_command("import", str(path)).out == "theirs: brisk-1 (t1)\n"
    read = valid("import", trackbook_command("import", str(path), "-p", "copy", "--kind", "trackio", "--json").json)
    assert read == [{"project": "copy", "id": "t1", "name": "brisk-1"}]
    assert tb.get_run("t1", "copy").history()["value"].to_list() == [0.5]


def test_import_of_an_unknown_kind_names_the_kinds(trackbook_command: CommandLine, tmp_path: Path) -> None:
    answer = trackbook_command("import", str(tmp_path), "--kind", "comet")
    assert answer.code == 2
    assert "--kind comet: it is one of wandb, swanlab, " in answer.err


@pytest.mark.skipif(sys.platform != "linux", reason="a folder where nobody can write")
@pytest.mark.parametrize("name", ["x.csv", "x.parquet", "x.html", "x.jsonl", "x.arrow", "folder"])
def test_a_file_that_cannot_be_written_is_named(trackbook_command: CommandLine, name: str) -> None:
    record("digits")
    answer = trackbook_command("export", "digits", f"/proc/{name}")
    assert (answer.code, answer.out) == (5, "")
    assert re.match(rf"trackbook: .*/proc/{name}\b", answer.err)
    assert ".trackbook-" not in answer.err
