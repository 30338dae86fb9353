"""The page of the command line: every command is on it, and what stands on it runs."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path

import pytest

import trackbook as tb
from command_lines import CommandLine, record
from remote.lakes import fill as fill_lake
from trackbook.cli import app, exit_codes
from trackbook.server.running import Server

PAGE = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text()


def table(head: str) -> list[str]:
    """The first column of the table with this heading."""
    rows = PAGE.partition(f"| {head} |")[2].partition("\n\n")[0].splitlines()[2:]
    return [row.split(" | ")[0].strip("| ").strip("`") for row in rows]


def commands() -> list[str]:
    """Every command line that can be given, without arguments."""
    found = []
    for name, command in app.command_line().commands.items():
        subcommands = getattr(command, "commands", {})
        found += [f"{name} {each}" for each in subcommands] or [name]
    return [*found, "ls"]


def test_every_command_is_documented() -> None:
    lines = [line.removeprefix("trackbook ") for line in table("command")]
    assert {name for name in commands() if not any(f"{line} ".startswith(f"{name} ") for line in lines)} == set()


def test_documented_commands_run(
    trackbook_command: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    Path("train.py").write_text("import trackbook as tb\ntb.init(name='trained').log({'loss': 1})")
    for name in ("brisk-otter", "calm-lynx"):
        record(name=name)
    with tb.init(project="digits", name="maker", display=False) as run:
        for version in range(4):
            Path("weights.txt").write_text(str(version))
            run.log_artifact("weights.txt", name="model", type="model")
    fill_lake(tmp_path / "lake")
    monkeypatch.setattr("trackbook.server.running.Server.wait", Server.stop)  # as Ctrl-C ends `show`
    assert table("command")
    for line in table("command"):
        answer = trackbook_command(*shlex.split(line)[1:])
        may_be = (0, 1) if line == "trackbook doctor" else (0,)  # it may find a fault of this machine
        assert answer.code in may_be, f"{line}: {answer}"


def test_documented_options_exist(trackbook_command: CommandLine) -> None:
    helps = "".join(trackbook_command(*name.split(), "--help").out for name in ["", *commands()])
    for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", "".join(re.findall(r"`[^`\n]+`", PAGE))):
        assert re.search(rf"(?<![\w-]){option}\b", helps), option


def test_exit_codes_are_those_of_the_table() -> None:
    codes = [value for name, value in vars(exit_codes).items() if name.isupper() and isinstance(value, int)]
    assert [int(code) for code in table("exit code")] == sorted(codes)
