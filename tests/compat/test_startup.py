"""Whole programs that import other trackers: `python -m trackbook.compat` and `trackbook run --as`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import trackbook as tb
from trackbook.compat.__main__ import command_of
from trackbook.settings import variables_for_compat

SCRIPT = """
import multiprocessing, sys
import wandb

def train(name):
    import wandb
    with wandb.init(project="started", name=name) as run:
        run.log({"loss": 0.5})

if __name__ == "__main__":
    train(sys.argv[1])
    worker = multiprocessing.get_context("spawn").Process(target=train, args=("child",))
    worker.start()
    worker.join()
    sys.exit(worker.exitcode or int(sys.argv[2]))
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "train.py"
    path.write_text(SCRIPT)
    return path


def python(*words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    environment = os.environ | more.pop("env", {})
    return subprocess.run(
        [sys.executable, *words], env=environment, capture_output=True, text=True, check=False, **more
    )


@pytest.mark.slow
def test_program_and_its_children_import_trackbook(script: Path) -> None:
    done = python("-m", "trackbook.compat", str(script), "main", "3")
    assert done.returncode == 3, done.stderr
    assert sorted(tb.runs("started")["name"].to_list()) == ["child", "main"]
    assert tb.get_run("main", "started").code == SCRIPT or tb.get_run("main", "started").code is None


@pytest.mark.slow
def test_options_of_python_are_kept(tmp_path: Path) -> None:
    done = python(
        "-X", "utf8=1", "-O", "-m", "trackbook.compat", "-c", "import sys, wandb; print(sys.flags.optimize, wandb)"
    )
    assert done.stdout == "1 <module 'wandb' (trackbook.compat)>\n", done.stderr


@pytest.mark.slow
def test_trackbook_run_as(script: Path) -> None:
    done = python("-m", "trackbook", "run", "--as", "wandb,trackio", "--", sys.executable, str(script), "main", "0")
    assert done.returncode == 0, done.stderr
    assert sorted(tb.runs("started")["name"].to_list()) == ["child", "main"]


@pytest.mark.slow
def test_trackbook_run_as_the_environment_says() -> None:
    code = "import importlib.util as u; print([u.find_spec(name) is not None for name in ('wandb', 'trackio')])"
    words = ["-m", "trackbook", "run", "--", sys.executable, "-c", code]
    assert python(*words, env={"TRACKBOOK_COMPAT": "wandb"}).stdout == "[True, False]\n"
    assert python(*words).stdout == "[False, False]\n"


def test_trackbook_run_as_another_tracker_is_refused(trackbook_command: Any) -> None:
    answer = trackbook_command("run", "--as", "wand", "--", sys.executable, "-c", "1")
    assert answer.code == 2
    assert "'wand' is not a tracker that trackbook stands in for" in answer.err


@pytest.mark.slow
def test_sitecustomize_that_is_hidden_is_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.customized = __name__")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    code = "import sys, wandb; print(sys.customized, sys.modules['sitecustomize'].__file__)"
    done = python("-c", code, env=variables_for_compat(["wandb"]))
    assert done.stdout == f"sitecustomize {tmp_path / 'sitecustomize.py'}\n", done.stderr


@pytest.mark.slow
def test_python_without_trackbook_goes_on(tmp_path: Path) -> None:
    startup = variables_for_compat(["wandb"])["PYTHONPATH"].split(os.pathsep)[0]
    environment = {"PYTHONPATH": startup, "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [
            sys.executable,
            "-S",
            "-c",
            f"exec(open({startup + '/sitecustomize.py'!r}).read(), {{'__file__': {startup + '/sitecustomize.py'!r}}}); print('on')",
        ],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "on\n"
    assert done.stderr.startswith("trackbook: this Python imports other trackers as they are: ")


def test_words_of_the_program_are_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert command_of(["train.py", "--as", "x"]) == (["train.py", "--as", "x"], ["trackio", "swanlab", "wandb"])
    assert command_of(["--as", "wandb", "-m", "pkg"]) == (["-m", "pkg"], ["wandb"])
    assert command_of(["--as=wandb,trackio", "a.py"]) == (["a.py"], ["wandb", "trackio"])
    monkeypatch.setenv("TRACKBOOK_COMPAT", "swanlab")
    assert command_of(["a.py"]) == (["a.py"], ["swanlab"])


@pytest.mark.parametrize(
    ("words", "error"),
    [([], "name a program"), (["--as"], "--as names trackers"), (["--as", "x", "a.py"], "'x' is not")],
)
def test_words_that_cannot_be_understood(words: list[str], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        command_of(words)
