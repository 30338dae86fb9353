from __future__ import annotations

from pathlib import Path

import pytest

import trackbook as tb
from command_lines import CommandLine, record, valid


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def logging(*contents: str, name: str = "model") -> tb.Run:
    with tb.init(project="digits", display=False) as run:
        for content in contents:
            Path("m.txt").write_text(content)
            run.log_artifact("m.txt", name=name, type="model")
    return run


def test_artifacts_are_listed_with_their_versions(trackbook_command: CommandLine) -> None:
    run = logging("one", "two")
    lines = trackbook_command("artifacts").out.splitlines()
    assert lines[1].split() == ["artifact", "type", "aliases", "files", "size", "created", "made_by"]
    assert [line.split()[0] for line in lines[2:]] == ["model:v0", "model:v1"]
    rows = valid("artifacts", trackbook_command("artifacts", "model:latest", "--json").json)
    assert [(row["artifact"], row["aliases"], row["made_by"]) for row in rows] == [("model:v1", ["latest"], [run.id])]


def test_artifact_is_downloaded(trackbook_command: CommandLine) -> None:
    logging("one", "two")
    answer = trackbook_command("artifacts", "model:v0", "--download", "out")
    assert answer.out == "model:v0 is in out\n"
    assert Path("out/m.txt").read_text() == "one"


def test_unknown_artifact_is_not_found(trackbook_command: CommandLine) -> None:
    logging("one")
    answer = trackbook_command("artifacts", "modle")
    assert (answer.code, answer.err) == (
        3,
        "trackbook: project 'digits' has no artifact 'modle'; did you mean 'model'?\n",
    )
    assert trackbook_command("artifacts", "a b").code == 2
    assert trackbook_command("artifacts", "--download", "out").code == 2


def test_project_without_artifacts_says_so(trackbook_command: CommandLine) -> None:
    record()
    assert trackbook_command("artifacts").out == "project 'digits' has no artifacts\n"
