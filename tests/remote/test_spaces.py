"""Spaces that run a server: made when missing, completed, brought up to date, and never taken from somebody else."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import re
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

import trackbook
from remote.fake_hub import FakeHub, Repository
from trackbook.remote import space_files, spaces
from trackbook.remote.hub import Hub, Space
from trackbook.remote.spaces import check_runs, ready_space, secret_name, write_token
from trackbook.remote.target import TargetBusy, TargetError

NAME = "ada/runs"


@pytest.fixture(autouse=True)
def released(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this version be a released one: a wheel of the package takes its time."""
    monkeypatch.setattr(space_files, "is_from_source", lambda: False)


def command(hub_server: FakeHub) -> list[str]:
    """Return the command in the Dockerfile of the Space."""
    dockerfile = hub_server.space(NAME).files["Dockerfile"].decode()
    found: list[str] = ast.literal_eval(dockerfile.partition("\nCMD ")[2])
    return found


def test_missing_space_is_made_with_its_dataset_and_secrets(hub_server: FakeHub) -> None:
    hub = Hub()
    space, is_new = ready_space(hub, NAME)
    assert (space.name, space.sdk, space.stage, is_new) == (NAME, "docker", "RUNNING", True)
    made = hub_server.space(NAME)
    token = write_token(hub, NAME)
    assert made.secrets == {"HF_TOKEN": "hf_writer", secret_name(token): token}
    assert not made.private
    assert hub_server.dataset("ada/runs-data").private
    assert made.files["README.md"].startswith(b'---\ntitle: "runs"\nsdk: docker\napp_port: 7860\n')
    assert command(hub_server)[:2] == ["trackbook", "serve"]
    assert command(hub_server)[-2:] == ["--space", "ada/runs-data"]


def test_space_that_is_there_is_taken_as_it_is(hub_server: FakeHub) -> None:
    ready_space(Hub(), NAME)
    space, is_new = ready_space(Hub(), NAME)
    assert (space.name, is_new) == (NAME, False)
    assert len(hub_server.space(NAME).commits) == 1
    assert hub_server.space(NAME).restarts == 0


@pytest.mark.parametrize("private", [True, False])
def test_space_is_private_or_public_as_told(hub_server: FakeHub, *, private: bool) -> None:
    space, _ = ready_space(Hub(), NAME, private)
    assert space.is_private is hub_server.space(NAME).private is private


def test_space_of_a_team_is_made_by_its_member(hub_server: FakeHub) -> None:
    space, _ = ready_space(Hub("hf_team"), "lab/runs")
    assert space.name == "lab/runs"


@pytest.mark.parametrize("files", [{"app.py": b"mine"}, {"Dockerfile": b"FROM scratch"}, {"README.md": b"soon"}])
def test_space_of_something_else_is_refused_and_left(hub_server: FakeHub, files: dict[str, bytes]) -> None:
    hub_server.repos["space", NAME] = Repository(NAME, sdk="docker", files=dict(files))
    with pytest.raises(TargetError, match=r"is not one of Trackbook's, and is left as it is: choose another space_id"):
        ready_space(Hub(), NAME)
    assert hub_server.space(NAME).files == files
    assert list(hub_server.repos) == [("space", NAME)]


@pytest.mark.parametrize("files", [{"trackbook.json": b"{}"}, {}])  # and one whose making was cut short
def test_static_space_takes_no_runs(hub_server: FakeHub, files: dict[str, bytes]) -> None:
    hub_server.repos["space", NAME] = Repository(
        NAME, sdk="static", files=dict(files), variables={"TRACKBOOK_SPACE": "1"}
    )
    with pytest.raises(TargetError, match="the Space ada/runs is static, a page to which nothing can be logged"):
        ready_space(Hub(), NAME)
    assert hub_server.space(NAME).files == files


@pytest.mark.parametrize("fails", ["POST .*/preupload/main", "POST .*/commit/main"])
def test_creation_that_was_cut_short_is_completed(hub_server: FakeHub, fails: str) -> None:
    hub_server.fail(fails, 403)
    with pytest.raises(TargetError):
        ready_space(Hub(), NAME)
    assert "Dockerfile" not in hub_server.space(NAME).files
    ready_space(Hub(), NAME)
    assert "Dockerfile" in hub_server.space(NAME).files


def test_two_machines_that_make_it_at_once_get_one(hub_server: FakeHub) -> None:
    hub_server.fail("GET /api/spaces/ada/runs", 404, X_Error_Code="RepoNotFound")
    ready_space(Hub(), NAME)
    hub_server.fail("GET /api/spaces/ada/runs", 404, X_Error_Code="RepoNotFound")  # as the other one asked before
    with pytest.raises(TargetBusy, match="the Hub answers 409"):
        ready_space(Hub(), NAME)
    assert ready_space(Hub(), NAME)[1] is False


def test_space_of_an_earlier_version_is_brought_up_to_date(
    hub_server: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spaces, "_own_version", lambda: "0.9.2")
    ready_space(Hub(), NAME)
    monkeypatch.setattr(spaces, "_own_version", lambda: "0.10.0")
    ready_space(Hub(), NAME)
    assert hub_server.space(NAME).commits == ["Trackbook 0.9.2", "Trackbook 0.10.0"]
    monkeypatch.setattr(spaces, "_own_version", lambda: "0.9.2")
    ready_space(Hub(), NAME)  # what is newer stays
    assert json.loads(hub_server.space(NAME).files["trackbook.json"])["trackbook"] == "0.10.0"


def test_write_token_is_the_same_everywhere_and_tells_nothing_of_the_hubs(hub_server: FakeHub) -> None:
    token = write_token(Hub(), NAME)
    assert token == write_token(Hub(), NAME)
    assert re.fullmatch(r"[0-9a-f]{64}", token)
    assert len({token, write_token(Hub(), "ada/other"), write_token(Hub("hf_team"), NAME)}) == 3
    assert re.fullmatch(r"TRACKBOOK_WRITE_[0-9A-F]{12}", secret_name(token))


@pytest.mark.parametrize("stage", ["RUNNING", "RUNNING_BUILDING", "RUNNING_APP_STARTING", "SLEEPING", ""])
def test_running_space_is_fine(stage: str) -> None:
    check_runs(space_in(stage))


@pytest.mark.parametrize(
    ("stage", "why"),
    [
        ("BUILDING", "is being built, which takes minutes; runs wait here until it answers"),
        ("APP_STARTING", "is being built, which takes minutes; runs wait here until it answers"),
        ("PAUSED", r"is paused, and runs wait here: restart it at https://huggingface\.co/spaces/ada/runs"),
        ("STOPPED", r"is stopped, and runs wait here: restart it at https://huggingface\.co/spaces/ada/runs"),
        (
            "BUILD_ERROR",
            r"has failed \(BUILD_ERROR\), and runs wait here: see https://.*/ada/runs\?logs=build, and restart",
        ),
        (
            "RUNTIME_ERROR",
            r"has failed \(RUNTIME_ERROR\), .* https://.*/ada/runs\?logs=container, and restart it there",
        ),
    ],
)
def test_space_that_does_not_run_says_what_to_do(stage: str, why: str) -> None:
    with pytest.raises(TargetBusy, match=f"the Space ada/runs {why}"):
        check_runs(space_in(stage))


def test_space_that_is_deleted_takes_nothing() -> None:
    with pytest.raises(TargetError, match="is being deleted: choose another space_id"):
        check_runs(space_in("DELETING"))


def space_in(stage: str) -> Space:
    page = "https://huggingface.co/spaces/ada/runs"
    return Space(NAME, "docker", frozenset(), stage, "https://ada-runs.hf.space", page, is_private=False)


# --- the package that a Space installs


def test_released_version_is_installed_by_its_number() -> None:
    files = space_files.docker_files(NAME, "1.2.3", ["trackbook", "serve"])
    assert sorted(files) == ["Dockerfile", "README.md", "trackbook.json"]
    assert b'pip install --no-cache-dir --user "trackbook[server,remote,hub]==1.2.3"' in files["Dockerfile"]


def test_package_installed_from_its_folder_goes_along_as_a_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space_files, "is_from_source", lambda: True)
    files = space_files.docker_files(NAME, "1.2.3", ["trackbook", "serve"])
    (name,) = (path for path in files if path.endswith(".whl"))
    assert f"COPY --chown=user {name} ./\n".encode() in files["Dockerfile"]
    assert f'"trackbook[server,remote,hub] @ file:///home/user/{name}"'.encode() in files["Dockerfile"]
    with zipfile.ZipFile(BytesIO(files[name])) as archive:
        assert archive.testzip() is None
        assert "trackbook/__init__.py" in archive.namelist()
        assert "trackbook/_static/trackbook.js" in archive.namelist()
    assert files[name] == space_files.own_wheel()[1]  # the same bytes each time, which the Hub has then


def test_installation_older_than_its_sources_makes_no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space_files, "_EXTRAS", ("server", "telepathy"))
    with pytest.raises(TargetError, match="is older than its sources and does not know telepathy, which a Space needs"):
        space_files.own_wheel()


def test_wheel_that_goes_along_can_be_installed(tmp_path: Path) -> None:
    name, content = space_files.own_wheel()
    (tmp_path / name).write_bytes(content)
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", tmp_path / "there"]
    subprocess.run([*install, tmp_path / name], check=True)
    program = "import trackbook, importlib.metadata as m; print(trackbook.__file__, m.version('trackbook'))"
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(tmp_path / 'there')!r}); {program}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [
        str(tmp_path / "there" / "trackbook" / "__init__.py"),
        importlib.metadata.version("trackbook"),
    ]
    assert trackbook.__version__ == importlib.metadata.version("trackbook")
