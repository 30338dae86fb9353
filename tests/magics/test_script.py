"""Scripts that `trackbook run --track` starts: tracked, and otherwise as Python runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import trackbook as tb
from trackbook.magics.script import command_that_tracks

pytestmark = pytest.mark.slow

PROGRAM = '''"""Trains."""
import pickle
import sys

class Model:
    pass

def evaluate(n):
    loss = n / 4
    return loss

def main(epochs):
    for epoch in range(epochs):
        for batch in range(2):
            loss = epoch + batch / 2
        val_loss = evaluate(epoch)
        print(f"epoch {epoch} val loss {val_loss:.2f}")

if __name__ == "__main__":
    assert type(pickle.loads(pickle.dumps(Model()))) is Model
    main(int(sys.argv[1]))
    print(sys.argv[0], __file__, __name__, __doc__, __spec__ is None)
    if len(sys.argv) > 2:
        sys.exit(int(sys.argv[2]))
    if len(sys.argv) == 2 and sys.argv[1] == "1":
        1 / 0
'''


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "train.py"
    path.write_text(PROGRAM)
    (tmp_path / "beside.py").write_text("acc = 0.5\n")
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "train.py").write_text(
        "from . import __name__ as name\nfor i in range(3): loss = i\nprint(__name__, name)\n"
    )
    return path


def python(*words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False, env=os.environ | more)


def launch(track: str, *words: str) -> subprocess.CompletedProcess[str]:
    return python("-m", "trackbook", "run", "--project", "p", "--track", track, "--", sys.executable, *words)


def points() -> dict[str, list[float]]:
    history = tb.get_run(project="p").history()
    return {name: part["value"].to_list() for (name,), part in history.group_by("metric", maintain_order=True)}


def test_script_is_tracked_and_does_what_it_did(script: Path) -> None:
    done, plain = launch("loss", "train.py", "2"), python("train.py", "2")
    assert (done.stdout, done.returncode, done.stderr) == (plain.stdout, 0, "")
    assert points() == {"main/loss": [0, 0.5, 1, 1.5], "evaluate/loss": [0, 0.25]}
    assert tb.get_run(project="p").state == "finished"


def test_script_without_names_is_charted(script: Path) -> None:
    assert launch("", "train.py", "2").returncode == 0
    assert points() == {"loss": [0, 0.5, 1, 1.5], "val_loss": [0, 0.25], "epoch": [0, 1]}


def test_exit_code_and_traceback_are_the_scripts(script: Path) -> None:
    assert launch("loss", "train.py", "2", "3").returncode == 3
    assert tb.get_run(project="p").state == "failed"
    done, plain = launch("loss", "train.py", "1"), python("train.py", "1")
    assert "ZeroDivisionError" in plain.stderr
    assert (done.stderr, done.returncode) == (plain.stderr, plain.returncode)


def test_module_of_a_package_is_tracked(script: Path) -> None:
    done, plain = launch("loss", "-m", "package.train"), python("-m", "package.train")
    assert done.stdout == plain.stdout == "__main__ package\n"
    assert points() == {"loss": [0, 1, 2]}
    assert "No module named nope" in launch("loss", "-m", "nope").stderr


def test_run_that_the_script_begins_gets_what_is_tracked(script: Path) -> None:
    script.write_text(
        "import trackbook as tb\ntb.init(name='mine')\nfor i in range(3):\n    loss = i\n    tb.log({'acc': i})\n"
    )
    assert launch("loss", "train.py").stderr == ""
    assert tb.runs("p")["name"].to_list() == ["mine"]
    assert points() == {"loss": [0, 1, 2], "acc": [0, 1, 2]}


def test_metric_that_the_script_logs_itself_is_not_logged_twice(script: Path) -> None:
    script.write_text(
        "import trackbook as tb\nrun = tb.init()\nfor i in range(3):\n    loss = acc = i\n    run.log({'loss': 10 * loss})\n"
    )
    assert "the program logs 'loss' itself" in launch("loss acc", "train.py").stderr
    assert points() == {"loss": [0, 10, 20], "acc": [0, 1, 2]}


def test_name_that_is_not_assigned_is_said(script: Path) -> None:
    said = launch("los", "train.py", "2").stderr
    assert "neither the program nor evaluate, main assigns 'los'" in said
    assert "did you mean 'loss'?" in said


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["python", "train.py", "1"], ["python", "-m", "trackbook.magics.script", "loss", "train.py", "1"]),
        (
            ["/bin/python3.12", "-u", "-X", "dev", "-m", "a.b", "--track"],
            ["/bin/python3.12", "-u", "-X", "dev", "-m", "trackbook.magics.script", "loss", "-m", "a.b", "--track"],
        ),
    ],
)
def test_command_of_python_runs_our_module_first(command: list[str], expected: list[str]) -> None:
    assert command_that_tracks(command, "loss") == expected


@pytest.mark.parametrize(
    "command", [["./train.sh"], ["python"], ["python", "-c", "1"], ["python", "-m"], ["torchrun", "a.py"]]
)
def test_command_that_is_no_python_program_is_refused(command: list[str]) -> None:
    with pytest.raises(
        ValueError,
        match=r"--track (is for a Python program|follows a file or module), as in: --track loss -- python train",
    ):
        command_that_tracks(command, "loss")


def test_bad_names_are_refused_before_the_program_runs(script: Path) -> None:
    done = launch("a+", "train.py", "1")
    assert (done.returncode, done.stdout) == (2, "")
    assert "'a+' is not a Python expression" in done.stderr
