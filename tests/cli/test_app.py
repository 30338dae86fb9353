from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import pytest

import trackbook
from command_lines import CommandLine, record, valid
from trackbook.cli import app, exit_codes

READING = [
    ("ls", "runs", "digits"),
    ("ls", "metrics", "-p", "digits"),
    ("get", "run", "-p", "digits"),
    ("get", "metric", "acc", "-p", "digits"),
    ("get", "config", "-p", "digits"),
    ("get", "console", "-p", "digits"),
    ("get", "env", "-p", "digits"),
    ("get", "cells", "-p", "digits"),
    ("query", "select * from runs", "-p", "digits"),
    ("diff", "a", "b", "-p", "digits"),
    ("export", "digits"),
    ("compact", "digits"),
    ("watch", "-p", "digits"),
]


def program(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "trackbook", *words]
    return subprocess.run(command, env=os.environ | more, capture_output=True, text=True, check=False)


def test_the_module_is_the_program() -> None:
    done = program("--version")
    assert (done.returncode, done.stdout) == (0, f"{trackbook.__version__}\n")
    assert version("trackbook") == trackbook.__version__


def test_help_lists_every_command(trackbook_command: CommandLine) -> None:
    out = trackbook_command("--help").out
    listed = re.findall(r"^  (\w+)  ", out.partition("Commands:")[2], re.MULTILINE)
    assert listed == list(app.COMMANDS)
    for group in ([], ["ls"], ["get"]):
        assert "..." not in trackbook_command(*group, "--help").out.partition("Commands:")[2]  # no line is cut


def commands() -> list[tuple[str, ...]]:
    """Every command with its subcommands."""
    top = app.command_line()
    found = []
    for name, command in top.commands.items():
        found += [(name, sub) for sub in getattr(command, "commands", {})] or [(name,)]
    return found


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_help_of_a_command_has_examples(trackbook_command: CommandLine, words: tuple[str, ...]) -> None:
    answer = trackbook_command(*words, "--help")
    assert answer.code == 0
    examples = answer.out.partition("Examples:\n")[2]
    assert f"    trackbook {' '.join(words)}" in examples


def test_an_unknown_command_or_option_names_the_nearest(trackbook_command: CommandLine) -> None:
    answer = trackbook_command("exprt")
    assert (answer.code, "export" in answer.err) == (2, True)
    answer = trackbook_command("ls", "--jsn")
    assert (answer.code, "--json" in answer.err) == (2, True)


@pytest.mark.parametrize("words", [*READING, ("ls",), ("doctor",), ("import", "x")], ids=" ".join)
def test_what_reads_has_json_and_a_folder(trackbook_command: CommandLine, words: tuple[str, ...]) -> None:
    out = trackbook_command(*words, "--help").out
    assert "--json " in out
    assert "--dir FOLDER " in out


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_a_project_that_is_not_there_is_not_found(trackbook_command: CommandLine, words: tuple[str, ...]) -> None:
    answer = trackbook_command(*words)
    assert (answer.code, answer.out) == (exit_codes.NOT_FOUND, "")
    assert re.fullmatch(r"trackbook: there is no project 'digits' in .+; there is none at all\n", answer.err)


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_a_damaged_project_is_one_sentence(
    trackbook_command: CommandLine, store_dir: Path, words: tuple[str, ...]
) -> None:
    store_dir.mkdir()
    path = store_dir / "digits.trackbook.db"
    path.write_bytes(b"damaged" * 1000)
    answer = trackbook_command(*words)
    assert (answer.code, answer.out) == (exit_codes.UNUSABLE, "")
    assert answer.err.startswith(f"trackbook: Cannot read {path} (file is not a database)")
    assert len(answer.err.splitlines()) == 1
    assert path.read_bytes() == b"damaged" * 1000


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_a_project_of_a_newer_version_is_one_sentence(
    trackbook_command: CommandLine, store_dir: Path, words: tuple[str, ...]
) -> None:
    newer(store_dir)
    answer = trackbook_command(*words)
    assert (answer.code, answer.out) == (exit_codes.UNUSABLE, "")
    assert "was written by Trackbook 9.9" in answer.err
    assert len(answer.err.splitlines()) == 1


def newer(folder: Path, project: str = "digits") -> None:
    """A project that a later Trackbook wrote. It is written by this process, so close it first."""
    subprocess.run(
        [sys.executable, "-c", f"import trackbook as tb; tb.init({project!r}, display=False).finish()"], check=True
    )
    with closing(sqlite3.connect(folder / f"{project}.trackbook.db")) as db:
        db.execute("update meta set value = '999' where key = 'schema_version'")
        db.execute("update meta set value = '9.9' where key = 'trackbook'")
        db.commit()


def test_ls_lists_what_it_cannot_read(trackbook_command: CommandLine, store_dir: Path) -> None:
    newer(store_dir, "new")
    (store_dir / "bad.trackbook.db").write_bytes(b"damaged" * 1000)
    record()
    rows = {row["project"]: row for row in valid("ls projects", trackbook_command("ls", "--json").json)}
    assert rows["digits"]["problem"] is None
    assert "file is not a database" in rows["bad"]["problem"]
    assert "was written by Trackbook 9.9" in rows["new"]["problem"]
    assert rows["bad"]["runs"] is rows["new"]["runs"] is None
    assert "file is not a database" in trackbook_command("ls").out


def test_without_a_project_to_choose_the_reason_is_said(trackbook_command: CommandLine, store_dir: Path) -> None:
    for words in (["get", "run"], ["get", "run", "x"], ["ls", "runs"], ["query", "select 1"]):
        answer = trackbook_command(*words)
        assert (answer.code, answer.err) == (3, f"trackbook: there are no projects in {store_dir} yet\n")
    store_dir.mkdir()
    (store_dir / "bad.trackbook.db").write_bytes(b"damaged" * 1000)
    assert trackbook_command("get", "run").code == exit_codes.UNUSABLE


def test_a_project_without_runs_has_none(trackbook_command: CommandLine) -> None:
    record()
    assert trackbook_command("rm", "first", "--force").code == 0
    assert trackbook_command("ls", "runs", "digits").out == "project 'digits' has no runs yet\n"
    answer = trackbook_command("get", "run", "-p", "digits")
    assert (answer.code, answer.err) == (3, "trackbook: project 'digits' has no runs yet\n")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(99, "cannot listen at 'x'"), "cannot listen at 'x'"),
        (PermissionError(13, "Permission denied", "/x/y"), "Permission denied: /x/y"),
        (OSError("one\n sentence"), "one sentence"),
        (ValueError("no such thing"), "no such thing"),
        (ModuleNotFoundError('this needs x: pip install "trackbook[x]"'), 'this needs x: pip install "trackbook[x]"'),
    ],
)
def test_an_error_is_told_without_its_number(error: Exception, said: str) -> None:
    assert str(exit_codes.as_command_error(error)) == said


def test_tables_elsewhere_than_in_a_terminal_have_no_trailing_spaces(
    trackbook_command: CommandLine, store_dir: Path
) -> None:
    record()
    (store_dir / "bad.trackbook.db").write_bytes(b"x" * 1000)
    assert [line for line in trackbook_command("ls").out.splitlines() if line != line.rstrip()] == []


def test_warnings_are_lines_on_stderr(trackbook_command: CommandLine, store_dir: Path) -> None:
    """A journal whose head is damaged is told of, and the command goes on."""
    record()
    folder = store_dir / "digits.journals" / "x-1"
    folder.mkdir(parents=True)
    (folder / "head.jsonl").write_text("{")
    (folder / "000000.seg").write_bytes(bytes(64))
    answer = trackbook_command("ls", "runs", "digits")
    assert answer.code == 0
    assert answer.err.startswith("trackbook: ")
    assert "head.jsonl is damaged" in answer.err


def completions(*words: str, shell: str = "complete_bash") -> list[str]:
    line = ["trackbook", *words]
    done = program(_TRACKBOOK_COMPLETE=shell, COMP_WORDS=" ".join(line), COMP_CWORD=str(len(line) - 1))
    return done.stdout.split()


@pytest.mark.slow
def test_the_shell_completes_projects_runs_metrics_and_formats() -> None:
    record("digits", "brisk")
    record("dogs", "calm")
    assert completions("ls", "runs", "d") == ["dogs", "digits"]
    assert completions("get", "run", "") == ["calm", "brisk"]
    assert completions("get", "run", "-p", "dogs", "") == ["calm"]
    assert completions("get", "metric", "tr") == ["train/loss"]
    assert completions("diff", "brisk", "c") == ["calm"]
    assert completions("export", "digits", "--format", "") == ["parquet", "csv", "jsonl", "arrow", "html"]
    assert completions("com") == ["compact"]


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["get", "--help"], ["ls", "--json"]])
def test_what_needs_no_points_loads_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys\nfrom trackbook.cli.app import main\ntry: main(sys.argv[1:])\nexcept SystemExit: pass\n"
        "print(*{'polars', 'numpy', 'rich', 'IPython'} & set(sys.modules), file=sys.stderr)"
    )
    record()
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == ""


@pytest.mark.parametrize("words", [*READING, ("ls",), ("backup", "copies"), ("token", "list"), ("show",)], ids=" ".join)
def test_a_folder_that_is_none_is_an_error(
    trackbook_command: CommandLine, tmp_path: Path, words: tuple[str, ...]
) -> None:
    answer = trackbook_command(*words, "--dir", str(tmp_path / "mistyped"))
    assert (answer.code, answer.out) == (exit_codes.NOT_FOUND, "")
    assert answer.err == f"trackbook: there is no folder {tmp_path / 'mistyped'}\n"
    (tmp_path / "file").touch()
    answer = trackbook_command(*words, "--dir", str(tmp_path / "file"))
    assert (answer.code, answer.out) == (exit_codes.UNUSABLE, "")
    assert answer.err == f"trackbook: {tmp_path / 'file'} is a file; give the folder of the projects\n"


@pytest.mark.parametrize("steps", [1, 2000])  # what fits into the pipe's buffer, and what does not
def test_output_that_nobody_reads_ends_quietly(steps: int) -> None:
    record("digits", steps=steps)
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "trackbook", "get", "metric", "acc", "train/loss"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (exit_codes.NO_READER, "")
