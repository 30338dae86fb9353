from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import trackbook as tb
from command_lines import CommandLine, record, valid
from terminals import in_terminal, screen


def test_ls_lists_projects(trackbook_command: CommandLine, store_dir: Path) -> None:
    record("one")
    record("two")
    record("two", "second")
    out, same = (re.sub(r"\d+ s ago", "now", trackbook_command(*words).out) for words in (["ls"], ["ls", "projects"]))
    assert out == same
    found = valid("ls projects", trackbook_command("ls", "--json").json)
    assert [(row["project"], row["runs"], row["running"]) for row in found] == [("two", 2, 0), ("one", 1, 0)]
    assert found[1]["path"] == str(store_dir / "one.trackbook.db")


def test_ls_of_a_folder_without_projects_says_so(trackbook_command: CommandLine, store_dir: Path) -> None:
    answer = trackbook_command("ls")
    assert (answer.code, answer.out) == (0, f"there are no projects in {store_dir} yet\n")
    assert valid("ls projects", trackbook_command("ls", "--json").json) == []


def test_ls_projects_tells_dead_runs_from_running_ones(trackbook_command: CommandLine) -> None:
    program = "import os, trackbook as tb\ntb.init('p', display=False).log({'a': 1})\nos._exit(0)"
    subprocess.run([sys.executable, "-c", program], check=True)
    assert valid("ls projects", trackbook_command("ls", "--json").json)[0]["running"] == 0
    assert trackbook_command("ls", "runs", "p", "--json").json[0]["state"] == "lost"


def test_ls_counts_open_runs(trackbook_command: CommandLine) -> None:
    with tb.init(project="p"):
        assert trackbook_command("ls", "--json").json[0]["running"] == 1


def test_ls_runs_lists_runs_with_results(trackbook_command: CommandLine) -> None:
    record(tags=["good"])
    record(name="second", config={"lr": 0.2})
    answer = trackbook_command("ls", "runs", "digits")
    assert answer.out.splitlines()[0].strip() == "digits"
    assert answer.out.splitlines()[1].split() == [
        *("name", "id", "state", "started", "duration", "points", "tags", "train/loss", "acc"),
    ]
    assert "first" in answer.out
    rows = valid("ls runs", trackbook_command("ls", "runs", "-p", "digits", "--json").json)
    assert [(row["name"], row["config"]["lr"], row["summary"]["acc"]) for row in rows] == [
        ("first", 0.1, 0.2),
        ("second", 0.2, 0.2),
    ]
    assert "opt" not in rows[1]["config"]
    assert [row["name"] for row in trackbook_command("ls", "runs", "--limit", "1", "--json").json] == ["second"]


def test_ls_runs_lists_runs_that_are_running(trackbook_command: CommandLine) -> None:
    with tb.init("p", name="first") as run:
        answer = trackbook_command("ls", "runs", "p")
    assert (answer.code, answer.out.splitlines()[2].split()[:3]) == (0, ["first", run.id, "running"])


@pytest.mark.parametrize("logs", [False, True])
def test_commands_that_read_can_read_a_running_run(trackbook_command: CommandLine, logs: bool) -> None:
    record("p", "ended")
    with tb.init("p", name="first") as run:
        if logs:
            run.log({"train/loss": float("nan"), "acc": 0.5})
            run.alert("low")
        read = ["ls projects", "ls runs p", "ls metrics first -p p", "alerts -p p", "diff ended first -p p"]
        commands = [*read, *(f"get {what} first -p p" for what in ("run", "config", "console", "env", "cells"))]
        codes = {command: trackbook_command(*command.split()).code for command in commands}
    assert codes == dict.fromkeys(commands, 0)


def test_ls_metrics_lists_the_metrics_of_a_run(trackbook_command: CommandLine) -> None:
    record()
    assert "train/loss" in trackbook_command("ls", "metrics").out
    rows = valid("ls metrics", trackbook_command("ls", "metrics", "first", "--json").json)
    assert [(row["metric"], row["count"]) for row in rows] == [("train/loss", 3), ("acc", 3)]


def test_a_folder_is_chosen_by_an_option(trackbook_command: CommandLine, tmp_path: Path) -> None:
    record("elsewhere", dir=tmp_path / "other")
    assert trackbook_command("ls", "--dir", str(tmp_path / "other"), "--json").json[0]["project"] == "elsewhere"
    assert trackbook_command("get", "run", "first", "--dir", str(tmp_path / "other")).code == 0
    assert trackbook_command("ls", "--json").json == []


def test_names_that_look_like_markup_are_printed_as_they_are(trackbook_command: CommandLine) -> None:
    record(name="[bold]x[/bold] \n two", tags=["[red]"])
    answer = trackbook_command("ls", "runs")
    assert "[bold]x[/bold] two" in answer.out
    assert "[red]" in answer.out


def test_names_cannot_move_the_cursor_of_a_terminal(trackbook_command: CommandLine) -> None:
    with tb.init(project="p", name="a\x1b[2J\x9bb", notes="\x1b]0;title\x07", config={"x": "\x1b[31m"}) as run:
        run.log({"m\x1b[1A": 1})
    for words in (("ls", "runs"), ("ls", "metrics"), ("get", "run"), ("get", "config"), ("note", run.id), ("watch",)):
        out = trackbook_command(*words).out
        assert "\\x1b" in out, words
        assert not set(out) & set("\x1b\x07\x9b"), words


def test_a_terminal_without_utf_8_shows_question_marks() -> None:
    record(name="größe 📉")
    done = subprocess.run(
        [sys.executable, "-m", "trackbook", "ls", "runs"],
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "gr??e ?" in done.stdout


def test_names_and_ids_are_whole_in_a_narrow_terminal() -> None:
    with tb.init("digits", "a-run-with-a-name-of-some-length", display=False, capture=False) as run:
        run.log({f"validation/metric{number}": number / 3 for number in range(6)})
    shown = screen(in_terminal(sys.executable, "-m", "trackbook", "ls", "runs", columns=80), 80)
    assert shown[2].split()[:2] == [run.name, run.id]
    assert not any("…" in line for line in shown)
    assert shown[3].startswith("not shown in 80 columns: ")
    assert "validation/metric5" in " ".join(shown[3:])


def test_names_longer_than_half_a_terminal_are_cut_in_their_middle() -> None:
    for seed in range(2):
        name = f"llama-3-8b-instruct-grpo-lora-r16-bf16-seed{seed}"
        with tb.init("digits", name, display=False, capture=False) as run:
            run.log({"validation/accuracy": 0.5})
    shown = screen(in_terminal(sys.executable, "-m", "trackbook", "ls", "runs", columns=80), 80)
    assert [line.split()[0] for line in shown[2:4]] == [f"llama-3-8b-instruct…-lora-r16-bf16-seed{s}" for s in range(2)]
    assert shown[1].split() == ["name", "id", "state", "started", "duration"]
    shown = screen(in_terminal(sys.executable, "-m", "trackbook", "ls", "metrics", name, columns=40), 40)
    assert shown[0] == "digits: llama-3-8b-…-lora-r16-bf16-seed1"


def test_names_of_wide_letters_are_cut_to_the_columns_that_they_take() -> None:
    with tb.init("digits", "損失" * 30, display=False, capture=False) as run:
        run.log({"loss": 0.5})
    shown = screen(in_terminal(sys.executable, "-m", "trackbook", "ls", "runs", columns=60), 60)
    (row,) = [line for line in shown if run.id in line]
    assert row.split()[0].replace(" ", "").count("…") == 1
    assert not row.split()[0].endswith("…")
