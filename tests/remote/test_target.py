"""The double of targets keeps the contract, and addresses lead to targets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from remote.faulty_target import MemoryTarget, Place
from remote.target_contract import Stored, TargetContract, rows
from trackbook.remote.target import TargetError, checked, open_target, shown


class TestMemoryTarget(TargetContract):
    def open(self, place: Place, source: str = "source") -> MemoryTarget:
        return MemoryTarget(place, source)

    def stored(self, place: Place, run_id: str) -> Stored | None:
        if run_id not in place.runs:
            return None
        return Stored(place.runs[run_id], rows(place.points[run_id]), place.documents.get((run_id, "console"), {}))

    @pytest.fixture
    def place(self) -> Place:
        return Place()


def opened(where: str) -> None:
    open_target(where, project="digits", source="s")


def test_an_unknown_scheme_names_the_known_ones() -> None:
    with pytest.raises(TargetError, match="cannot upload to ftp://host: give https://HOST, s3://"):
        opened("ftp://host")


@pytest.mark.parametrize("where", ["https://me:secret@host/x", "https://secret@host", "https://host?token=secret"])
def test_an_address_with_a_secret_is_refused_without_repeating_it(where: str) -> None:
    with pytest.raises(TargetError, match="set TRACKBOOK_TOKEN instead") as refused:
        opened(where)
    assert "secret@" not in str(refused.value)
    assert "=secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("where", "said"),
    [("https://u:p@host/a?token=x#y", "https://host/a"), ("s3://bucket/team/", "s3://bucket/team"), ("/a/b", "/a/b")],
)
def test_addresses_are_shown_without_secrets(where: str, said: str) -> None:
    assert shown(where) == said


@pytest.mark.parametrize(
    "where", ["tracking.example", "127.0.0.1:8931", "localhost:8931", "tracking.example:80", "a.b/team", "a_b.c"]
)
def test_what_may_be_a_host_is_no_path(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = re.escape(f"give https://{where} for a server, ./{where} for a folder")
    with pytest.raises(TargetError, match=said):
        opened(where)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "where", ["team", "shared/team.lake", "./a.b", "../a.b", ".hidden/a", "my.lake", "my.lake/team"]
)
def test_paths_are_absolute(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.lake" / "team").mkdir(parents=True)
    assert checked(where) == str(Path(where).absolute())


@pytest.mark.parametrize(
    "where", ["https://host:80", "file:///a.b", "s3://b.c/team", "gs://b", "gs://b/my team/", "hf://ada/page", "/a.b:c"]
)
def test_whole_addresses_stay(where: str) -> None:
    assert checked(where) == where


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("gs:///team", "gs:///team names no bucket; give gs://BUCKET/PATH"),
        ("s3:/bucket/team", "s3:/bucket/team names no bucket; give s3://BUCKET/PATH"),
        ("gs://bucket/team?x=1", "gs://bucket/team is followed by '?' or '#'"),
        ("gs://bucket/team#x", "gs://bucket/team is followed by '?' or '#'"),
        ("az://box/team?sig=secret", "az://box/team is followed by '?' or '#'"),
        ("gs://bucket//team", "has a part that is empty, '.' or '..'"),
        ("gs://bucket/a/../team", "has a part that is empty, '.' or '..'"),
        ("gs//bucket/team", "gs//bucket/team lacks a colon: give gs://bucket/team, or ./gs//bucket/team for a folder"),
        ("https//host", "lacks a colon: give https://host"),
        ("gcs://bucket/team", "cannot upload to gcs://bucket/team: give https://HOST, s3://, gs://"),
    ],
)
def test_an_address_with_a_slip_is_refused_before_anything_is_written(where: str, said: str) -> None:
    with pytest.raises(TargetError, match=re.escape(said)) as refused:
        checked(where)
    assert "secret" not in str(refused.value)
