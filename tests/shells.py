"""IPython shells for tests."""

from __future__ import annotations

import atexit
import builtins
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import trackbook as tb
from processes import own_process
from trackbook.api.process import Process
from trackbook.api.run import current_run
from trackbook.magics import commands, completion, extension
from trackbook.magics.watch import Watcher


class Shell:
    """An IPython shell with its own `Process`."""

    def __init__(self, shell: InteractiveShell, process: Process, capsys: pytest.CaptureFixture[str]) -> None:
        self.ip = shell
        self.process = process
        self._capsys = capsys

    def run(self, *lines: str) -> Any:
        """Run a cell, and return its result."""
        return self.ip.run_cell("\n".join(lines), store_history=True)

    def said(self, *lines: str) -> str:
        """Run a cell, and return its output on stdout and stderr."""
        self._capsys.readouterr()
        self.run(*lines)
        found = self._capsys.readouterr()
        return found.out + found.err

    def points(self, run: str | None = None) -> dict[str, list[float]]:
        """Return the values of each metric of a run, by default of the last run."""
        history = tb.get_run(run).history()
        return {name: part["value"].to_list() for (name,), part in history.group_by("metric", maintain_order=True)}

    def states(self) -> list[str]:
        return tb.runs()["state"].to_list()


@contextmanager
def ipython(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Shell]:
    monkeypatch.setenv("IPYTHONDIR", str(folder / "ipython"))
    monkeypatch.chdir(folder)
    watching = Watcher(current_run)
    for module in (commands, completion, extension):
        monkeypatch.setattr(module, "watching", watching)
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])  # a shell puts its own there
    InteractiveShell.clear_instance()
    config = Config({"HistoryManager": {"enabled": False}, "InteractiveShell": {"colors": "nocolor"}})
    with own_process(monkeypatch) as process:
        shell = InteractiveShell.instance(config=config)
        shell.extension_manager.load_extension("trackbook")
        try:
            yield Shell(shell, process, capsys)
        finally:
            vars(sys).pop("last_value", None)  # what a shell showed is not this process's end
            shell.atexit_operations()
            atexit.unregister(shell.atexit_operations)
            InteractiveShell.clear_instance()
            for name in [name for name in vars(builtins) if name.startswith("__trackbook_")]:
                delattr(builtins, name)
