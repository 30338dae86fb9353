"""The target of a Space: the contract of targets, with a server where the Hub says that the Space answers, and what can be wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from remote.fake_hub import FakeHub, Repository
from remote.target_contract import RUN, Stored, TargetContract, batch, rows
from servers import Served
from trackbook.remote import space_files, space_target
from trackbook.remote.hub import Hub, space_address
from trackbook.remote.space_target import SpaceTarget
from trackbook.remote.spaces import secret_name, write_token
from trackbook.remote.target import TargetBusy, TargetError, open_target
from trackbook.server.access import Access

NAME = "ada/runs"
PAGE = "/spaces/ada/runs"


class Place:
    """The Hub, and a server that does what the Space does."""

    def __init__(self, hub: FakeHub, folder: Path) -> None:
        self.hub = hub
        self.folder = folder
        self.served: Served | None = None
        self.targets: list[SpaceTarget] = []
        self.start(write_token(Hub(), NAME))

    def start(self, *writers: str) -> None:
        """Start as the Space does with these secrets."""
        self.stop()
        self.served = Served(self.folder, Access(writers=writers, is_public=True), takes_uploads=True)
        self.hub.host_of_new = self.served.address
        if ("space", NAME) in self.hub.repos:
            self.hub.space(NAME).host = self.served.address

    def open(self, private: bool | None = None, source: str = "source") -> SpaceTarget:
        made = open_target(space_address(NAME, private), project="digits", source=source)
        assert isinstance(made, SpaceTarget)
        self.targets.append(made)
        return made

    def stop(self) -> None:
        if self.served is not None:
            self.served.close()
            self.served = None


@pytest.fixture
def hosted(hub_server: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setattr(space_files, "is_from_source", lambda: False)
    monkeypatch.setattr(space_target, "_announced", set())
    place = Place(hub_server, tmp_path / "space")
    yield place
    for target in place.targets:
        target.close()
    place.stop()


@pytest.fixture
def place(hosted: Place) -> Place:
    return hosted


class TestSpaceTarget(TargetContract):
    @pytest.fixture
    def place(self, hosted: Place) -> Place:
        return hosted

    def open(self, place: Place, source: str = "source") -> SpaceTarget:
        return place.open(source=source)

    def stored(self, place: Place, run_id: str) -> Stored | None:
        assert place.served is not None
        if "digits" not in place.served.projects:
            return None
        store = place.served.projects["digits"].store
        found = store.run(run_id)
        if found is None:
            return None
        return Stored(found, rows(store.read(run_id)), {row[0]: row for row in store.captured(run_id, "console")})


def test_first_call_makes_the_space_and_says_where_it_is(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    target = place.open(private=False)
    assert place.hub.requests == []
    assert target.cursors() == {}
    assert place.hub.space(NAME).secrets.keys() == {"HF_TOKEN", secret_name(write_token(Hub(), NAME))}
    other = place.open()
    assert other.cursors() == {}
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert f"Trackbook: {place.hub.address}{PAGE} (a new Space, which is built within some minutes" in err


def test_space_without_an_owner_is_the_users(place: Place) -> None:
    target = open_target("hf://runs", project="digits", source="s")
    target.put(batch(0, 3))
    target.close()
    assert place.open(source="s").cursor(RUN.id) is not None
    assert target.name == f"{place.hub.address}{PAGE}"


def test_private_space_is_asked_with_the_hubs_token_and_ours(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, str]] = []
    bearer = Access.bearer
    monkeypatch.setattr(Access, "bearer", lambda access, given: seen.append(given) or bearer(access, given))
    place.open(private=True).put(batch(0, 3))
    assert set(seen) == {f"Bearer {write_token(Hub(), NAME)}"}
    target = place.open()
    target.cursors()
    assert target._server is not None
    assert target._server._client._client.headers["authorization"] == "Bearer hf_writer"


def test_token_of_another_user_becomes_a_secret_of_the_space(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.hub.users["hf_second"] = place.hub.users["hf_writer"]  # another token of the same user
    place.open().put(batch(0, 3))
    monkeypatch.setenv("HF_TOKEN", "hf_second")
    target, token = place.open(), write_token(Hub("hf_second"), NAME)
    for _ in range(2):  # the second time the Space has not yet restarted
        with pytest.raises(TargetBusy, match="the Space ada/runs restarts, so that it knows the token") as raised:
            target.put(batch(3, 6))
        assert raised.value.is_expected
    made = place.hub.space(NAME)
    assert (made.secrets[secret_name(token)], made.restarts) == (token, 1)
    place.start(*(value for key, value in made.secrets.items() if key.startswith("TRACKBOOK_WRITE_")))
    fresh = place.open()
    assert fresh.put(batch(3, 6)).ordinal == fresh.cursors()[RUN.id].ordinal == 6


def test_user_who_may_not_write_is_told_so(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.open().put(batch(0, 3))
    monkeypatch.setenv("HF_TOKEN", "hf_reader")
    with pytest.raises(TargetError, match="cannot add a secret to the Space ada/runs, the Hugging Face token may not"):
        place.open().put(batch(3, 6))


@pytest.mark.parametrize(
    ("stage", "why", "is_expected"),
    [
        ("BUILDING", "is being built, which takes minutes", True),
        ("PAUSED", f"is paused, and runs wait here: restart it at .*{PAGE}", False),
        ("RUNTIME_ERROR", "has failed", False),
    ],
)
def test_space_that_does_not_answer_says_why(place: Place, stage: str, why: str, *, is_expected: bool) -> None:
    target = place.open()
    target.put(batch(0, 3))
    place.stop()
    place.hub.space(NAME).stage = stage
    with pytest.raises(TargetBusy, match=f"the Space ada/runs {why}") as raised:
        target.put(batch(3, 6))
    assert raised.value.is_expected == is_expected
    assert raised.value.retry_after is not None


def test_space_that_is_built_at_first_takes_runs_afterwards(place: Place) -> None:
    place.hub.stage_of_new = "BUILDING"
    target = place.open()
    with pytest.raises(TargetBusy, match="is being built"):
        target.put(batch(0, 3))
    place.hub.space(NAME).stage = "RUNNING"
    assert target.put(batch(0, 3)).ordinal == 3


def test_space_whose_place_answers_otherwise_while_it_is_built_is_busy(place: Place, hub_server: FakeHub) -> None:
    """The Hub's own pages answer for a Space that is not there yet, with 404 and 503."""
    place.hub.host_of_new = hub_server.address
    place.hub.stage_of_new = "APP_STARTING"
    target = place.open()
    for _ in range(2):
        with pytest.raises(TargetBusy, match="is being built"):
            target.put(batch(0, 3))


def test_space_that_is_gone_is_not_made_again(place: Place) -> None:
    target = place.open()
    target.put(batch(0, 3))
    place.stop()
    del place.hub.repos["space", NAME]
    with pytest.raises(TargetError, match="the Space ada/runs is gone; begin another run to make it anew"):
        target.put(batch(3, 6))


def test_space_restored_from_an_earlier_save_gets_what_it_lost(place: Place, tmp_path: Path) -> None:
    target = place.open()
    first = target.put(batch(0, 3))
    target.put(batch(3, 6))
    place.folder = tmp_path / "restored"
    place.start(write_token(Hub(), NAME))
    again = place.open()
    again.put(batch(0, 3))
    assert again.put(batch(6, 9)) == first  # what is missing before it is asked for
    again.put(batch(3, 6))
    assert again.put(batch(6, 9)).ordinal == 9


@pytest.mark.parametrize("where", ["hf://", "hf://a/b/c", "hf://my runs"])
def test_address_that_names_no_space_is_refused(where: str) -> None:
    with pytest.raises(TargetError, match="is not the name of a Space"):
        open_target(where, project="digits", source="s")


def test_space_of_something_else_is_refused(place: Place) -> None:
    place.hub.repos["space", NAME] = Repository(NAME, sdk="gradio", files={"app.py": b"mine"})
    with pytest.raises(TargetError, match="is not one of Trackbook's"):
        place.open().cursors()
