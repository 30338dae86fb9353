from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from command_lines import CommandLine, record, valid
from journals import abandoned
from trackbook import filesystem
from trackbook.cli import checks

in_unix = pytest.mark.skipif(sys.platform == "win32", reason="the program is a shell script")


@pytest.fixture(autouse=True)
def no_other_jupyter(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Most tests need no Jupyter, which takes a second to tell its paths."""
    if "real_jupyter" not in request.fixturenames:
        monkeypatch.setattr(checks, "jupyters", lambda: iter(()))


@pytest.fixture
def real_jupyter() -> None:
    """Asks for the Jupyter of this environment."""


def statuses(findings: list[checks.Finding]) -> list[tuple[str, str]]:
    return [(finding.check, finding.status) for finding in findings]


def test_doctor_finds_no_fault_where_all_is_well(
    trackbook_command: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "front_end", lambda: checks.Finding("front end", "ok", "is built"))
    record()
    answer = trackbook_command("doctor")
    assert (answer.code, answer.err) == (0, "")
    assert re.search(r"^ok +versions: trackbook \S+, Python 3\.", answer.out)
    assert "1 project can be read" in answer.out
    found = valid("doctor", trackbook_command("doctor", "--json").json)
    assert {finding["status"] for finding in found} == {"ok"}


def test_a_fault_is_an_exit_code_and_has_a_remedy(trackbook_command: CommandLine, store_dir: Path) -> None:
    store_dir.mkdir()
    (store_dir / "bad.trackbook.db").write_bytes(b"x" * 5000)
    answer = trackbook_command("doctor")
    assert answer.code == 1
    assert "FAULT    project: cannot read" in answer.out
    assert "-> bring bad.trackbook.db back from a backup" in answer.out


def test_the_front_end_must_be_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_package", lambda: tmp_path)
    assert checks.front_end().status == "fault"
    (tmp_path / "_static").mkdir()
    for name in ("trackbook.js", "loader.js"):
        (tmp_path / "_static" / name).write_text("")
    assert checks.front_end().status == "ok"


def test_an_old_kernel_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_version", {"ipykernel": "6.29.1"}.get)
    assert statuses([*checks.versions()]) == [("versions", "ok"), ("kernel", "warning")]


def test_a_folder_that_cannot_be_written_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    [finding] = checks.data_folder(tmp_path / "file" / "store")
    assert (finding.status, "set TRACKBOOK_DIR" in (finding.remedy or "")) == ("fault", True)
    assert statuses([*checks.data_folder(tmp_path / "new")]) == [("folder", "ok")]


def test_a_network_file_system_and_a_full_disk_are_warnings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filesystem, "is_network", lambda path: path == tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1))  # type: ignore[attr-defined]
    found = statuses([*checks.data_folder(tmp_path / "new")])
    assert found == [("folder", "ok"), ("network", "warning"), ("room", "warning")]


def test_a_file_that_was_set_aside_is_named(store_dir: Path) -> None:
    record()
    (store_dir / "digits.trackbook.db.damaged-20260101-000000").write_bytes(b"")
    (store_dir / "digits.trackbook.db.damaged-20260101-000000-wal").write_bytes(b"")
    found = [*checks.projects(store_dir)]
    assert statuses(found) == [("projects", "ok"), ("project", "warning")]


def test_journals_of_dead_programs_are_counted_and_left(store_dir: Path, trackbook_command: CommandLine) -> None:
    record("my digits")
    home = next(store_dir.glob("*.journals"))
    left = abandoned(home, [(0, 0, 1.0)], state="running", tags=[], config={}, summary={}, step_by="metric")
    [finding] = checks.journals(store_dir)
    assert finding.status == "warning"
    assert finding.message.startswith("1 program died with points that are not in the file of project my digits")
    assert left.is_dir()
    command = (finding.remedy or "").partition(": trackbook ")[2]
    assert command == "ls runs 'my digits'"
    assert len(trackbook_command("ls", "runs", "my digits", "--json").json) == 2
    assert [*checks.journals(store_dir)] == []


def test_a_journal_that_nobody_can_read_is_told_of(store_dir: Path) -> None:
    folder = store_dir / "p.journals" / "x-1"
    folder.mkdir(parents=True)
    (folder / "head.jsonl").write_text("{")
    (folder / "000000.seg").write_bytes(bytes(64))
    [finding] = checks.journals(store_dir)
    assert "head.jsonl is damaged" in finding.message


# --- Jupyter ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A Jupyter of another environment, whose front ends are all there and whose kernel is this Python."""
    programs, data, config = (tmp_path / name for name in ("bin", "data", "config"))
    for folder in (programs, data, config):
        folder.mkdir()
    for name in checks._EXTENSIONS:
        (data / "labextensions" / name).mkdir(parents=True)
        (data / "labextensions" / name / "package.json").write_text("{}")
    (data / "kernels" / "here").mkdir(parents=True)
    (data / "kernels" / "here" / "kernel.json").write_text(json.dumps({"argv": [sys.executable]}))
    paths = json.dumps({"data": [str(data)], "config": [str(config)]})
    program = programs / "jupyter"
    program.write_text(f"#!/bin/sh\necho '{paths}'\n")
    program.chmod(0o755)
    return program


@in_unix
def test_a_jupyter_that_has_everything_is_well(program: Path) -> None:
    assert statuses([*checks.jupyter(program)]) == [("jupyter", "ok")]


@in_unix
@pytest.mark.parametrize("name", checks._EXTENSIONS)
def test_a_jupyter_without_a_front_end_is_a_fault(program: Path, name: str) -> None:
    shutil.rmtree(program.parents[1] / "data" / "labextensions" / name)
    [finding] = checks.jupyter(program)
    assert finding.status == "fault"
    assert f"pip install {checks._EXTENSIONS[name]}" in (finding.remedy or "")
    assert str(program.with_name("python")) in (finding.remedy or "")


@in_unix
@pytest.mark.parametrize("said", [{"anywidget": True}, {"anywidget:plugin": True}, ["anywidget"]])
def test_a_disabled_extension_is_a_fault(program: Path, said: object) -> None:
    path = program.parents[1] / "config" / "labconfig" / "page_config.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"disabledExtensions": said}))
    [finding] = checks.jupyter(program)
    assert (finding.status, "labextension enable anywidget" in (finding.remedy or "")) == ("fault", True)


@in_unix
def test_an_extension_that_is_enabled_again_is_well(program: Path) -> None:
    settings = program.parents[1] / "data" / "lab" / "settings" / "page_config.json"
    config = program.parents[1] / "config" / "labconfig" / "page_config.json"
    for path, is_off in ((settings, True), (config, False)):
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({"disabledExtensions": {"anywidget": is_off}}))
    assert statuses([*checks.jupyter(program)]) == [("jupyter", "ok")]


@in_unix
def test_a_jupyter_without_this_python_is_a_warning(program: Path) -> None:
    shutil.rmtree(program.parents[1] / "data" / "kernels")
    [finding] = checks.jupyter(program)
    assert finding.status == "warning"
    assert "-m ipykernel install --user" in (finding.remedy or "")


@in_unix
def test_a_jupyter_that_does_not_work_is_a_warning(program: Path) -> None:
    program.write_text("#!/bin/sh\nexit 1\n")
    assert statuses([*checks.jupyter(program)]) == [("jupyter", "warning")]


@in_unix
def test_both_jupyters_are_looked_at(program: Path, monkeypatch: pytest.MonkeyPatch, real_jupyter: None) -> None:
    pytest.importorskip("jupyter_core")
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    messages = [finding.message for finding in checks.jupyters()]
    assert len(messages) == 2
    assert str(program) in messages[1]


def test_without_a_jupyter_it_says_what_one_needs(
    monkeypatch: pytest.MonkeyPatch, real_jupyter: None, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    [finding] = checks.jupyters()
    assert (finding.status, "anywidget" in finding.message) == ("ok", True)


@pytest.mark.slow
def test_jupyter_itself_says_that_a_disabled_extension_is_disabled(tmp_path: Path, real_jupyter: None) -> None:
    """So that where we look is where Jupyter writes."""
    pytest.importorskip("jupyterlab")
    environment = os.environ | {"JUPYTER_CONFIG_DIR": str(tmp_path)}
    jupyter = Path(sys.executable).parent / "jupyter"
    command = [jupyter, "labextension", "disable", "--level=user", "anywidget"]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert "anywidget" in checks._disabled([], [tmp_path])
