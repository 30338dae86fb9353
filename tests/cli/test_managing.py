from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

import trackbook as tb
from command_lines import CommandLine, record, valid


def names(project: str = "digits") -> list[str]:
    return tb.runs(project)["name"].to_list()


def test_rm_deletes_runs(trackbook_command: CommandLine) -> None:
    for name in ("a", "b", "c"):
        record(name=name)
    assert trackbook_command("rm", "a", "b", "--force").code == 0
    assert names() == ["c"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("said", "left", "code"), [("y\n", [], 0), ("n\n", ["first"], 1)])
def test_rm_asks_first(
    trackbook_command: CommandLine, monkeypatch: pytest.MonkeyPatch, said: str, left: list[str], code: int
) -> None:
    run = record()
    monkeypatch.setattr(sys, "stdin", Terminal(said))
    answer = trackbook_command("rm", "first")
    assert f"Delete run 'first' ({run.id}) of 'digits' for good?" in answer.out
    assert (answer.code, names()) == (code, left)


def test_rm_refuses_where_nobody_can_answer(trackbook_command: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    record()
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    answer = trackbook_command("rm", "first")
    assert (answer.code, names()) == (4, ["first"])
    assert "pass --force" in answer.err


def test_rm_deletes_a_project(trackbook_command: CommandLine) -> None:
    record("keep")
    record()
    assert trackbook_command("rm", "-p", "digits", "--all", "--force").code == 0
    assert [row["project"] for row in trackbook_command("ls", "--json").json] == ["keep"]


@pytest.mark.parametrize("words", [(), ("--all",), ("first", "--all", "-p", "digits")])
def test_rm_wants_runs_or_a_whole_project(trackbook_command: CommandLine, words: tuple[str, ...]) -> None:
    record()
    assert trackbook_command("rm", *words, "--force").code == 2
    assert names() == ["first"]


def test_an_open_run_is_neither_deleted_nor_moved(trackbook_command: CommandLine) -> None:
    with tb.init(project="digits", name="open"):
        for words in (("rm", "open", "--force"), ("mv", "open", "other"), ("rm", "-p", "digits", "--all", "-f")):
            answer = trackbook_command(*words)
            assert (answer.code, answer.out) == (4, "")
            assert "run 'open' is still running" in answer.err
    assert names() == ["open"]


def test_mv_moves_a_run(trackbook_command: CommandLine) -> None:
    run = record()
    assert trackbook_command("mv", "first", "archive").code == 0
    assert (names(), names("archive")) == ([], ["first"])
    assert tb.get_run(run.id, "archive").history().height == 6
    assert trackbook_command("mv", "first", "archive").code == 2


def test_rename_tag_and_note_change_a_run(trackbook_command: CommandLine) -> None:
    record(tags=["old"])
    assert trackbook_command("rename", "first", "baseline").code == 0
    assert trackbook_command("tag", "baseline", "good", "paper").out == "baseline: old, good, paper\n"
    assert trackbook_command("tag", "baseline", "good", "--remove").out == "baseline: old, paper\n"
    assert trackbook_command("note", "baseline", "the", "one").code == 0
    assert trackbook_command("note", "baseline").out == "the one\n"
    run = trackbook_command("get", "run", "baseline", "--json").json
    assert (run["tags"], run["notes"]) == (["old", "paper"], "the one")
    assert trackbook_command("note", "baseline", "--clear").code == 0
    assert trackbook_command("note", "baseline").out == "\n"


def test_compact_gives_room_back_and_loses_nothing(trackbook_command: CommandLine, store_dir: Path) -> None:
    record(name="large", steps=20_000)
    record(name="small")
    assert trackbook_command("rm", "large", "--force").code == 0
    before = (store_dir / "digits.trackbook.db").stat().st_size
    [row] = valid("compact", trackbook_command("compact", "digits", "--json").json)
    assert row["before"] >= before > row["after"] == (store_dir / "digits.trackbook.db").stat().st_size
    assert tb.get_run("small", "digits").history().height == 6
    assert trackbook_command("compact").out.startswith("digits: ")


@pytest.mark.parametrize(
    "words",
    [
        ("rename", "first", ""),
        ("rename", "first", " "),
        ("tag", "first", ""),
        ("mv", "first", ""),
        ("mv", "first", " "),
    ],
    ids=" ".join,
)
def test_a_name_that_cannot_be_one_is_a_wrong_use(trackbook_command: CommandLine, words: tuple[str, ...]) -> None:
    record("digits")
    assert trackbook_command(*words).code == 2


class Interrupted(Terminal):
    def readline(self, *_: object) -> str:  # type: ignore[override]
        raise KeyboardInterrupt


def test_an_interrupt_at_the_question_is_no_answer(
    trackbook_command: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    record()
    monkeypatch.setattr(sys, "stdin", Interrupted())
    assert trackbook_command("rm", "first").code == 130
    assert names() == ["first"]
