"""A project as a page on the Hub: `freeze`, and what a static Space holds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

import trackbook as tb
from remote.fake_hub import FakeHub, Repository
from trackbook.api.projects import existing
from trackbook.api.spaces import freeze, publish
from trackbook.remote.hub import Hub
from trackbook.remote.space_storage import SpaceStorage
from trackbook.tracking.run import writer_of

SECRET = "only on this machine"


def record(name: str = "first", project: str = "digits") -> None:
    with tb.init(project, name=name, config={"lr": 0.1}, display=False) as run:
        writer_of(run).store.put_captured(run.id, "console", [(0, "stdout", SECRET, 1.0, None)])
        run.log({"train/loss": 0.5, "acc": 0.9})


def published(
    space_id: str = "ada/digits", project: str = "digits", include: Sequence[str] = (), private: bool | None = None
) -> str:
    return publish(existing(project), space_id, include, private)


def unpacked(hub_server: FakeHub, name: str, folder: Path) -> Path:
    """Write the files of a Space to a folder."""
    for path, data in hub_server.space(name).files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def test_space_is_created_with_page_and_tables(
    hub_server: FakeHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record()
    capsys.readouterr()
    address = published()
    assert address == f"{hub_server.address}/spaces/ada/digits"
    assert capsys.readouterr() == ("", f"Trackbook: {address}\n")
    space = hub_server.space("ada/digits")
    assert (space.sdk, space.private, space.secrets) == ("static", False, {})
    assert space.files["README.md"].startswith(b'---\ntitle: "digits"\nsdk: static\napp_file: index.html\n')
    assert json.loads(space.files["trackbook.json"])["project"] == "digits"
    page = space.files["index.html"].decode()
    assert page.startswith("<!DOCTYPE html>")
    assert "train/loss" in page
    folder = unpacked(hub_server, "ada/digits", tmp_path / "space")
    points = pl.read_parquet(folder / "data" / "**" / "*.parquet", hive_partitioning=False)
    assert sorted(points["metric"]) == ["acc", "train/loss"]
    (run,) = tb.import_parquet(folder / "data", "copy")
    assert (run.name, run.config["lr"], dict(run.summary)) == ("first", 0.1, {"train/loss": 0.5, "acc": 0.9})


def test_console_stays_on_this_machine(hub_server: FakeHub, tmp_path: Path) -> None:
    record()
    assert tb.get_run("first", "digits").console()["text"].to_list() == [SECRET]
    published()
    folder = unpacked(hub_server, "ada/digits", tmp_path / "space")
    assert SECRET not in (folder / "index.html").read_text()
    (run,) = tb.import_parquet(folder / "data", "copy")
    assert run.console().is_empty()


def test_console_goes_along_where_it_is_included(hub_server: FakeHub, tmp_path: Path) -> None:
    record()
    published(include=["console"])
    folder = unpacked(hub_server, "ada/digits", tmp_path / "space")
    (run,) = tb.import_parquet(folder / "data", "copy")
    assert run.console()["text"].to_list() == [SECRET]


def test_page_is_written_again_without_what_is_gone(hub_server: FakeHub) -> None:
    record("first")
    published("digits")  # a name without an owner
    former = {path for path in hub_server.space("ada/digits").files if path.startswith("data/")}
    tb.delete_run("first", "digits", force=True)
    record("second")
    published("digits")
    now = {path for path in hub_server.space("ada/digits").files if path.startswith("data/")}
    assert len(former) == len(now) == 1
    assert former != now
    assert len(hub_server.space("ada/digits").commits) == 2  # each of them whole


def test_private_page_is_private(hub_server: FakeHub) -> None:
    record()
    published(private=True)
    assert hub_server.space("ada/digits").private


@pytest.mark.parametrize(
    ("space", "why"),
    [
        (Repository("ada/digits", sdk="gradio", files={"app.py": b"mine"}), "is not one of Trackbook's, and is left"),
        (
            Repository("ada/digits", sdk="static", files={"index.html": b"mine"}),
            "is not one of Trackbook's, and is left",
        ),
        (
            Repository("ada/digits", sdk="docker", files={"trackbook.json": b"{}"}),
            "runs a server, and is left as it is",
        ),
        (
            Repository("ada/digits", sdk="static", files={"trackbook.json": b'{"project": "speech"}'}),
            "is the page of project 'speech', and is left as it is",
        ),
    ],
)
def test_space_of_something_else_is_refused_and_left(hub_server: FakeHub, space: Repository, why: str) -> None:
    record()
    hub_server.repos["space", "ada/digits"] = space
    before = dict(space.files)
    with pytest.raises(PermissionError, match=f"the Space ada/digits {why}"):
        published()
    assert space.files == before
    assert space.commits == []


def test_creation_that_was_cut_short_is_completed(hub_server: FakeHub) -> None:
    record()
    hub_server.fail("POST .*/commit/main", 500)
    with pytest.raises(OSError, match="the Hub answers 500"):
        published()
    assert "index.html" not in hub_server.space("ada/digits").files
    published()
    assert "index.html" in hub_server.space("ada/digits").files


def test_freeze_writes_what_the_space_saved(
    hub_server: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub_server.repos["space", "ada/runs"] = Repository("ada/runs", sdk="docker", files={"trackbook.json": b"{}"})
    with monkeypatch.context() as there:
        there.setenv("TRACKBOOK_DIR", str(tmp_path / "container"))
        storage = SpaceStorage(Hub(), "ada/runs-data", tmp_path / "container")
        storage.restore()
        record()
        record(project="speech")
        storage.save()
    assert tb.freeze("runs", "digits").endswith("/spaces/ada/runs-static")
    frozen = hub_server.space("ada/runs-static")
    assert (frozen.sdk, "index.html" in frozen.files) == ("static", True)
    assert "train/loss" in frozen.files["index.html"].decode()
    assert hub_server.space("ada/runs").files == {"trackbook.json": b"{}"}
    assert freeze("runs", "speech", "ada/talk", private=True).endswith("/spaces/ada/talk")
    assert hub_server.space("ada/talk").private


def test_freeze_of_what_is_not_there_says_what_is(
    hub_server: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match="there is no Space ada/runs, or none that this token may see"):
        tb.freeze("runs", "digits")
    hub_server.repos["space", "ada/runs"] = Repository("ada/runs", sdk="docker", files={"trackbook.json": b"{}"})
    with pytest.raises(ValueError, match="the Space ada/runs has no project 'digits'; it has saved none yet"):
        tb.freeze("runs", "digits")
    with monkeypatch.context() as there:
        there.setenv("TRACKBOOK_DIR", str(tmp_path / "container"))
        storage = SpaceStorage(Hub(), "ada/runs-data", tmp_path / "container")
        storage.restore()
        record()
        storage.save()
    with pytest.raises(ValueError, match="the Space ada/runs has no project 'digit'; did you mean 'digits'"):
        tb.freeze("runs", "digit")
    assert [name for kind, name in hub_server.repos if kind == "space"] == ["ada/runs"]


def test_without_a_token_freeze_says_how_to_log_in(
    hub_server: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "none"))
    with pytest.raises(PermissionError, match="there is no Hugging Face token here: run `hf auth login`"):
        tb.freeze("ada/runs", "digits")


def test_what_names_no_space_is_an_error(hub_server: FakeHub) -> None:
    with pytest.raises(ValueError, match="is not the name of a Space"):
        tb.freeze("a/b/c", "digits")
