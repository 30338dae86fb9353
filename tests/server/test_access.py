from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from trackbook.server.access import Access, Grant, kept_secret
from trackbook.server.tokens import FILE, TokenFile


def test_token_gives_a_cookie_and_the_cookie_the_same_rights() -> None:
    access = Access(may_write=True)
    cookie = access.cookie(access.token)
    assert cookie is not None
    assert cookie != access.token
    assert access.grant(f"other=1; trackbook-1={cookie}") == Grant(None, may_write=True)
    assert access.bearer(f"Bearer {access.token}") == Grant(None, may_write=True)


@pytest.mark.parametrize("cookies", ["", "trackbook-1=", "trackbook-1=x", "=;;=", "a" * 10_000, "trackbook-1=é"])
def test_other_cookies_give_nothing(cookies: str) -> None:
    access = Access()
    assert access.grant(cookies) is None
    assert access.bearer(f"Bearer {cookies}") is None
    assert access.cookie(cookies) is None


def test_share_token_shows_one_project_and_changes_nothing() -> None:
    access = Access(may_write=True)
    cookie = access.cookie(access.share("digits"))
    assert access.grant(f"c={cookie}") == Grant("digits", may_write=False)


def test_cookie_outlives_the_server_where_the_secret_does() -> None:
    first, second, other = Access(secret=b"s"), Access(secret=b"s"), Access(secret=b"t")
    cookie = first.cookie(first.token)
    assert first.token != second.token
    assert second.grant(f"c={cookie}") == Grant()
    assert other.grant(f"c={cookie}") is None
    shared = first.cookie(first.share("p"))
    assert second.grant(f"c={shared}") is None


def test_public_server_lets_everybody_read_and_its_writers_write() -> None:
    access = Access(is_public=True, writers=["first", "second"])
    assert access.grant("") == Grant()
    assert access.bearer("Bearer second") == Grant(may_write=True)
    assert access.bearer("Bearer wrong") is None
    assert Access(writers=["first"]).bearer("Bearer second") is None


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8237", "127.0.0.1:1", "[::1]:9", "::1", "lab.example:80"])
def test_hosts_that_are_answered(host: str) -> None:
    assert Access(hosts=["lab.example"]).answers_for(host) == (host != "::1")


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "localhost:x", "10.0.0.7", "[::1", " "],
)
def test_hosts_that_are_not_answered(host: str) -> None:
    assert not Access().answers_for(host)


def test_server_for_all_addresses_answers_for_each_but_for_no_name() -> None:
    access = Access(any_address=True)
    assert access.answers_for("10.0.0.7:8237")
    assert not access.answers_for("evil.example")


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1", "https://localhost:2.evil"])
def test_origins_of_other_sites(origin: str) -> None:
    assert not Access().comes_from_here(origin, "localhost:2")
    assert Access().comes_from_here("http://localhost:2", "localhost:2")
    assert Access().comes_from_here("https://LOCALHOST:2", "localhost:2")
    assert Access().comes_from_here(None, "localhost:2")


def test_secret_is_made_once_and_is_the_users_alone(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    secret = kept_secret(folder)
    assert secret is not None
    assert kept_secret(folder) == secret
    (file,) = folder.iterdir()
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o600)
    file.write_bytes(b"short")
    assert kept_secret(folder) is None


def test_secret_that_cannot_be_kept_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert kept_secret(tmp_path / "file" / "state") is None


# --- tokens of the token file


def test_cookie_of_a_known_token_with_other_characters_gives_nothing(tmp_path: Path) -> None:
    tokens = TokenFile(tmp_path)
    access = Access(tokens=tokens)
    right = access.cookie(tokens.create())
    assert right is not None
    assert access.grant(f"c={right}") == Grant()
    name, _, _ = right.partition(".")
    assert tokens.find_cookie(f"{name}.é", b"s") is None


@pytest.mark.skipif(sys.platform == "win32", reason="files there belong to nobody's id")
def test_token_file_that_root_writes_belongs_to_the_owner_of_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[int, int, int]] = []
    monkeypatch.setattr(os, "fchown", lambda file, user, group: given.append((os.fstat(file).st_ino, user, group)))
    tokens = TokenFile(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    tokens.create()
    assert given == []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    tokens.create()
    folder = tmp_path.stat()
    assert given == [((tmp_path / FILE).stat().st_ino, folder.st_uid, folder.st_gid)]
