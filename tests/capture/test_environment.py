from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import trackbook as tb
from journals import new_run
from trackbook import settings
from trackbook.capture import environment
from trackbook.capture.environment import EnvironmentCapture, git, without_credentials
from trackbook.capture.hardware import Machine
from trackbook.tracking.run import writer_of


@pytest.fixture(autouse=True)
def every_run_looks_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "RECENT_SECONDS", -1.0)


def no_gpu() -> Machine:
    return Machine(Path("/nowhere"))


def gathered(**how: Any) -> dict[str, Any]:
    run = tb.init("p", capture=["environment"], **how)
    found = run.environment
    run.finish()
    return found


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return a function that runs git in a repository with one commit, which is the working directory."""
    folder = tmp_path / "repository"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, os.devnull)

    def run_git(*arguments: str) -> str:
        command = ["git", "-c", "user.name=me", "-c", "user.email=me@here", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    run_git("init", "-b", "trunk")
    (folder / "train.py").write_text("lr = 1\n")
    run_git("add", ".")
    run_git("commit", "-m", "first")
    return run_git


def test_environment_has_every_topic() -> None:
    found = gathered()
    assert {name: value for name, value in found.items() if isinstance(value, dict) and "error" in value} == {}
    assert set(found) >= {"os", "cpu", "memory", "disk", "gpus", "python", "process", "variables", "packages"}
    assert found["os"]["hostname"] == os.uname().nodename
    assert found["python"]["executable"] == sys.executable
    assert found["process"]["working_directory"] == str(Path.cwd())
    assert found["process"]["pid"] == os.getpid()
    assert found["packages"]["polars"] == __import__("polars").__version__
    assert found["packages"]["vl-convert-python"]
    assert found["cpu"]["count"] == os.cpu_count()


def test_without_a_capture_there_is_no_environment() -> None:
    run = tb.init("p")
    assert run.environment == {}
    run.finish()


def test_the_environment_is_in_the_file_and_of_each_run() -> None:
    first, second = gathered(name="first"), gathered(name="second")
    read = subprocess.run(
        [
            sys.executable,
            "-c",
            "import trackbook as tb; print(tb.get_run('second', 'p').environment['process']['pid'])",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert first["process"] == second["process"]
    assert int(read.stdout) == os.getpid()


def test_run_that_ends_at_once_has_its_environment() -> None:
    run = tb.init("p", capture=["environment"])
    run.finish()
    assert run.environment["python"]["version"]


def test_command_line_and_variables_are_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "orig_argv", ["python", "train.py", "--api-key", "abcdefgh", "--lr", "3"])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    monkeypatch.setenv("HF_TOKEN", "hf_abc")
    monkeypatch.setenv("HF_ENDPOINT", "https://me:secret@mirror")
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    monkeypatch.setenv("DATABASE_URL", "x")
    found = gathered()
    assert found["process"]["command"] == "python train.py --api-key '[redacted]' --lr 3"
    variables = found["variables"]
    assert {"HF_TOKEN", "DATABASE_URL"}.isdisjoint(variables)
    assert [variables[name] for name in ("CUDA_VISIBLE_DEVICES", "SLURM_JOB_ID", "TOKENIZERS_PARALLELISM")] == [
        "0,1",
        "17",
        "false",
    ]
    assert variables["HF_ENDPOINT"] == "https://[redacted]@mirror"


def test_repository_is_recorded_with_its_diff(repository: Callable[..., str]) -> None:
    repository("remote", "add", "origin", "https://me:t0ken@host/project.git")
    commit = repository("rev-parse", "HEAD")
    clean = gathered()["git"]
    expected = {"remote": "https://host/project.git", "branch": "trunk", "commit": commit, "dirty": False}
    assert clean == {"root": str(Path.cwd()), **expected}
    Path("train.py").write_text("lr = 2\npassword = 'hunter2'\n")
    Path("folder").mkdir()
    os.chdir("folder")
    dirty = gathered()["git"]
    assert dirty["dirty"] is True
    assert dirty["diff"].splitlines()[-3:] == ["-lr = 1", "+lr = 2", "+password = '[redacted]'"]


def test_no_diff_without_save_code(repository: Callable[..., str]) -> None:
    Path("train.py").write_text("lr = 2\n")
    found = gathered(save_code=False)["git"]
    assert found["dirty"] is True
    assert "diff" not in found


def test_long_diff_is_cut_with_a_note(repository: Callable[..., str]) -> None:
    Path("train.py").write_text("x = 123456789\n" * 100_000)
    diff = git(str(Path.cwd()), save_code=True)["diff"]  # type: ignore[index]
    assert diff.endswith("\n[the diff is longer: cut off after 100,000 characters]")
    assert len(diff) < environment.MOST_DIFF + 100


def test_repository_without_commit_or_branch(repository: Callable[..., str], tmp_path: Path) -> None:
    repository("checkout", "--detach")
    assert "branch" not in (git(str(Path.cwd()), save_code=True) or {"branch": "?"})
    (tmp_path / "new").mkdir()
    repository("init", "-b", "trunk", str(tmp_path / "new"))
    assert git(str(tmp_path / "new"), save_code=True) == {
        "root": str(tmp_path / "new"),
        "branch": "trunk",
        "dirty": False,
    }


def test_git_runs_no_program_that_the_repository_configures(repository: Callable[..., str]) -> None:
    harm = Path.cwd() / "harm"
    for name in ("core.fsmonitor", "diff.external", "diff.bad.textconv"):
        repository("config", name, f"touch {harm}; true")
    Path(".gitattributes").write_text("*.py diff=bad\n")
    Path("train.py").write_text("lr = 2\n")
    assert "+lr = 2" in (git(str(Path.cwd()), save_code=True) or {})["diff"]
    assert not harm.exists()


def test_change_in_a_submodule_is_in_the_diff_and_runs_no_program(
    repository: Callable[..., str], tmp_path: Path
) -> None:
    library = tmp_path / "library"
    library.mkdir()
    repository("init", "-b", "trunk", str(library))
    (library / "model.py").write_text("depth = 1\n")
    repository("-C", str(library), "add", ".")
    repository("-C", str(library), "commit", "-m", "first")
    repository("-c", "protocol.file.allow=always", "submodule", "add", str(library), "libs/model")
    repository("commit", "-m", "with a submodule")
    assert git(str(Path.cwd()), save_code=True)["dirty"] is False  # type: ignore[index]
    harm = Path.cwd() / "harm"
    for name in ("core.fsmonitor", "diff.external"):
        repository("-C", "libs/model", "config", name, f"touch {harm}; true")
    Path("libs/model/model.py").write_text("depth = 2\n")
    found = git(str(Path.cwd()), save_code=True) or {}
    assert found["dirty"] is True
    assert "+++ b/libs/model/model.py" in found["diff"]
    assert found["diff"].endswith("-depth = 1\n+depth = 2")
    assert not harm.exists()


@pytest.mark.parametrize("path", ["../outside", "/etc", "nowhere"])
def test_submodule_outside_of_the_repository_is_ignored(repository: Callable[..., str], path: str) -> None:
    Path(".gitmodules").write_text(f'[submodule "x"]\n\tpath = {path}\n\turl = y\n')
    assert git(str(Path.cwd()), save_code=True)["dirty"] is False  # type: ignore[index]


def test_refusal_of_git_is_recorded_with_its_reason(repository: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / ".git").write_text("gitdir: /nowhere\n")
    os.chdir(tmp_path / "broken")
    assert "not a git repository: /nowhere" in gathered()["git"]["error"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root, to give a folder away")
def test_repository_of_another_user_is_reported(
    repository: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SUDO_UID", raising=False)
    for path in [Path.cwd(), *Path.cwd().rglob("*")]:
        os.chown(path, 12345, 12345)
    assert "dubious ownership" in gathered()["git"]["error"]


def test_no_git_topic_without_repository_or_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert git(str(tmp_path), save_code=True) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert "git" not in gathered()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://host/x.git", "https://host/x.git"),
        ("https://user@host/x", "https://host/x"),
        ("https://user:p%40ss@host:8443/x", "https://host:8443/x"),
        ("git@github.com:me/x.git", "git@github.com:me/x.git"),
        ("ssh://git@host/x", "ssh://git@host/x"),
    ],
)
def test_a_remote_keeps_its_address_without_credentials(url: str, shown: str) -> None:
    assert without_credentials(url) == shown


def test_hanging_git_is_killed_and_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "git"
    fake.write_text("#!/bin/sh\nexec sleep 1000\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(environment, "GIT_SECONDS", 0.05)
    assert gathered()["git"] == {"error": "TimeoutError: git rev-parse took longer than 0.05 s"}


def test_failing_topic_keeps_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> Any:
        raise OSError("no device at https://me:pw@host")

    monkeypatch.setattr(environment, "_os", fail)
    found = gathered()
    assert found["os"] == {"error": "OSError: no device at https://[redacted]@host"}
    assert found["python"]["version"]


def test_run_that_ends_early_says_which_topics_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    going_on = threading.Event()
    monkeypatch.setattr(environment, "_packages", going_on.wait)
    monkeypatch.setattr(environment, "WAIT_SECONDS", 0)
    capture, run, other = EnvironmentCapture(no_gpu), new_run(), new_run("r2")
    capture.begin(writer_of(run))
    capture.begin(writer_of(other))
    while not capture._last._found.get("variables"):  # type: ignore[union-attr]
        pass
    capture.end(writer_of(run))
    told = json.loads(dict(writer_of(run).store.captured(run.id, "facts"))["environment"])
    going_on.set()
    assert other.environment["packages"] is True  # what the event's `wait` says
    assert told["python"]["version"]
    assert told["packages"] == {"error": "was not known yet when the run ended"}
    assert json.loads(dict(writer_of(run).store.captured(run.id, "facts"))["environment"]) == told


def test_runs_in_quick_succession_share_one_collection(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    looks = []
    monkeypatch.setattr(environment, "RECENT_SECONDS", 1e6)
    monkeypatch.setattr(environment, "_packages", lambda: looks.append(1))
    capture, hidden = EnvironmentCapture(no_gpu), new_run("hidden")
    for name in ("a", "b"):
        run = new_run(name)
        capture.begin(writer_of(run))
        capture.end(writer_of(run))
        assert run.environment["python"]["version"]
    assert len(looks) == 1
    writer = writer_of(hidden)
    writer.options = replace(writer.options, save_code=False)
    capture.begin(writer_of(hidden))
    capture.end(writer_of(hidden))
    monkeypatch.chdir(tmp_path)
    moved = new_run("moved")
    capture.begin(writer_of(moved))
    capture.end(writer_of(moved))
    assert moved.environment["process"]["working_directory"] == str(tmp_path)
    assert len(looks) == 3


def test_notebook_is_recorded() -> None:
    capture, run = EnvironmentCapture(no_gpu, lambda: {"name": "a.ipynb", "path": "/x/a.ipynb"}), new_run()
    capture.begin(writer_of(run))
    capture.end(writer_of(run))
    assert run.environment["notebook"] == {"name": "a.ipynb", "path": "/x/a.ipynb"}


def test_working_directory_may_be_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "Path", SimpleNamespace(cwd=lambda: (_ for _ in ()).throw(FileNotFoundError())))
    assert environment._folder() == ""


def test_git_leaves_the_warning_filters_alone(repository: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread calls it: what the user's thread does to the filters meanwhile would be undone."""
    entered: list[str] = []

    class Noted(warnings.catch_warnings):  # type: ignore[type-arg]
        def __enter__(self) -> Any:
            entered.append(threading.current_thread().name)
            return super().__enter__()

    folder = repository("rev-parse", "--show-toplevel")
    monkeypatch.setattr(warnings, "catch_warnings", Noted)
    assert git(folder, save_code=True)
    assert entered == []


def test_git_gets_an_environment_without_prompts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    variables = settings.variables_for_git()
    assert (variables["HOME"], variables["GIT_TERMINAL_PROMPT"], variables["GIT_OPTIONAL_LOCKS"]) == (
        "/home/me",
        "0",
        "0",
    )


def test_packages_equal_importlib_metadata() -> None:
    import importlib.metadata
    import re

    told = {re.sub(r"[-_.]+", "-", each.name).lower(): each.version for each in importlib.metadata.distributions()}
    found = environment._packages()
    assert {name: version for name, version in told.items() if name in found} == found
    assert len(found) > 0.9 * len(told)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_forked_child_does_not_collect_the_environment() -> None:
    run = tb.init("p", capture=["environment", "system"])
    child = os.fork()
    if not child:
        run.log({"loss": 1.0})
        os._exit(0 if threading.active_count() == 1 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    run.finish()
    assert run.environment["python"]
    assert run.history()["value"].to_list() == [1.0]


def test_interrupted_end_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    capture, run = EnvironmentCapture(no_gpu), new_run()
    capture.begin(writer_of(run))
    gathering = capture._gathering[run.id]

    def interrupted(_: float) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(gathering.done, "wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            capture.end(writer_of(run))
    capture.end(writer_of(run))
    assert run.environment["python"]["version"]


def test_lone_surrogates_are_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arguments and names of folders may not be UTF-8."""
    monkeypatch.setattr(sys, "orig_argv", ["python", "\udcff.py"])
    assert gathered()["process"]["command"] == "python '\\udcff.py'"
