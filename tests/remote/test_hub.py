"""What the Hub is asked, and what its answers mean to a user."""

from __future__ import annotations

from pathlib import Path

import pytest

from remote.fake_hub import FakeHub, Repository
from trackbook.remote.hub import Hub, check_space_id
from trackbook.remote.target import TargetBusy, TargetError

FILES: dict[str, bytes | Path] = {"trackbook.json": b"{}", "README.md": b"---\nsdk: docker\n---\n"}


def created(hub: Hub, name: str = "ada/runs") -> None:
    hub.create_space(name, "docker", None, {"KEY": "value"}, {})


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("ada/runs", "ada/runs"),
        ("runs", "runs"),
        ("https://huggingface.co/spaces/ada/my.runs_2/", "ada/my.runs_2"),
    ],
)
def test_space_is_named_with_or_without_its_owner_or_by_its_address(given: str, name: str) -> None:
    assert check_space_id(given) == name


@pytest.mark.parametrize("given", ["", "a/b/c", "my runs", "https://huggingface.co/ada/runs", "../x", None, "ada/"])
def test_what_names_no_space_is_an_error_that_says_how(given: str) -> None:
    with pytest.raises(ValueError, match="is not the name of a Space: give 'user/name'"):
        check_space_id(given)


def test_name_without_an_owner_is_the_tokens_users(hub_server: FakeHub) -> None:
    hub = Hub()
    assert hub.full_name("runs") == "ada/runs"
    assert hub.full_name("lab/runs") == "lab/runs"
    assert hub.full_name("others") == "ada/others"
    assert hub_server.asked("GET /api/whoami-v2") == 1  # the Hub limits this question strictly


def test_no_token_says_how_to_log_in(hub_server: FakeHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "none"))
    with pytest.raises(TargetError, match="there is no Hugging Face token here: run `hf auth login`, or set HF_TOKEN"):
        Hub()


def test_expired_token_says_how_to_log_in(hub_server: FakeHub) -> None:
    hub = Hub("hf_expired")
    for ask in (hub.user, lambda: created(hub)):
        with pytest.raises(TargetError, match="token is not valid, or no longer: run `hf auth login`"):
            ask()


def test_token_that_only_reads_says_what_it_may_not(hub_server: FakeHub) -> None:
    with pytest.raises(TargetError, match="cannot create the Space ada/runs, the Hugging Face token may not: run"):
        created(Hub("hf_reader"))


def test_subscription_is_named_with_what_needs_none(hub_server: FakeHub) -> None:
    hub_server.needs_subscription = True
    with pytest.raises(TargetError, match=r'subscription or credits .* trackbook.sync\(..., sdk="static"\) needs none'):
        created(Hub())


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"Retry_After": "7"}, 7.0), ({"RateLimit": '"api";r=0;t=55'}, 55.0), ({}, 60.0)],
)
def test_rate_limit_says_when_to_ask_again(hub_server: FakeHub, headers: dict[str, str], seconds: float) -> None:
    hub_server.fail("GET /api/spaces/ada/runs", 429, **headers)
    with pytest.raises(TargetBusy, match=f"for {seconds:.0f} s, the Hub limits the rate") as raised:
        Hub().space("ada/runs")
    assert raised.value.retry_after == seconds


def test_failing_hub_is_asked_again_later(hub_server: FakeHub) -> None:
    hub_server.fail("GET /api/spaces/ada/runs", 503)
    with pytest.raises(TargetBusy, match="the Hub answers 503"):
        Hub().space("ada/runs")


def test_hub_out_of_reach_is_an_os_error(hub_server: FakeHub) -> None:
    hub = Hub()
    hub_server.stop()
    with pytest.raises(OSError, match="cannot look at the Space ada/runs, the Hub cannot be reached: ") as raised:
        hub.space("ada/runs")
    assert not isinstance(raised.value, TargetBusy)


def test_created_space_is_ours_before_it_has_files(hub_server: FakeHub) -> None:
    hub = Hub()
    assert hub.space("ada/runs") is None
    created(hub)
    space = hub.space("ada/runs")
    assert space is not None
    assert (space.sdk, space.stage, space.address) == ("docker", "NO_APP_FILE", "https://ada-runs.hf.space")
    assert hub.is_ours(space)
    assert hub_server.space("ada/runs").secrets == {"KEY": "value"}


@pytest.mark.parametrize("files", [{}, {"README.md": b"mine"}, {"app.py": b"print()"}])
def test_space_of_somebody_else_is_not_ours(hub_server: FakeHub, files: dict[str, bytes]) -> None:
    hub_server.repos["space", "ada/demo"] = Repository("ada/demo", sdk="gradio", files=files)
    space = Hub().space("ada/demo")
    assert space is not None
    assert not Hub().is_ours(space)


def test_commit_writes_small_and_large_files_and_removes_others(hub_server: FakeHub, tmp_path: Path) -> None:
    hub = Hub()
    created(hub)
    (tmp_path / "large").write_bytes(bytes(100_000))
    hub.commit("space", "ada/runs", {**FILES, "data/points.parquet": tmp_path / "large"}, "first")
    assert hub_server.space("ada/runs").files["data/points.parquet"] == bytes(100_000)
    hub.commit("space", "ada/runs", {"trackbook.json": b"{1}"}, "second", ["data/points.parquet"])
    assert hub_server.space("ada/runs").commits == ["first", "second"]
    assert sorted(hub.files("space", "ada/runs")) == [".gitattributes", "README.md", "trackbook.json"]
    assert hub.download("space", "ada/runs", "trackbook.json", tmp_path).read_bytes() == b"{1}"


def test_private_space_is_made_private(hub_server: FakeHub) -> None:
    Hub().create_space("ada/secret", "static", True, {}, {})
    assert hub_server.space("ada/secret").private
    assert Hub("hf_other").space("ada/secret") is None


def test_upload_of_a_large_file_that_fails_is_tried_again_later(hub_server: FakeHub, tmp_path: Path) -> None:
    hub = Hub()
    created(hub)
    (tmp_path / "large").write_bytes(bytes(100_000))
    hub_server.fail("PUT /large/.*", 403)
    with pytest.raises(TargetError, match="cannot write to the space ada/runs"):
        hub.commit("space", "ada/runs", {"large": tmp_path / "large"}, "first")
    assert hub_server.space("ada/runs").commits == []
