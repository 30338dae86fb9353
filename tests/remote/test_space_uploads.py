"""Spaces as users see them: `init(space_id=...)`, `sync(space_id=...)`, the command line, and what is said when something is wrong."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tenacity import RetryCallState

import trackbook as tb
from command_lines import CommandLine
from remote.fake_hub import FakeHub, Repository
from remote.target_contract import rows
from servers import SECONDS, Served
from trackbook.api.process import process
from trackbook.remote import attempts, space_files, space_target, uploader
from trackbook.remote.hub import Hub
from trackbook.remote.spaces import write_token
from trackbook.server.access import Access
from trackbook.tracking.run import writer_of
from tracker_scripts import hearing

NAME = "ada/runs"


@pytest.fixture
def space(hub_server: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """The server of a Space that is not made yet."""
    monkeypatch.setattr(space_files, "is_from_source", lambda: False)
    monkeypatch.setattr(space_target, "_announced", set())
    monkeypatch.setattr(attempts, "pause", lambda _: 0.05)
    access = Access(writers=[write_token(Hub(), NAME)], is_public=True)
    made = Served(tmp_path / "space", access, takes_uploads=True)
    hub_server.host_of_new = made.address
    yield made
    process().uploads.close()
    made.close()


def there(space: Served, run: tb.Run) -> list[tuple[str, int, float, float]]:
    return rows(space.projects["digits"].store.read(run.id))


def here(run: tb.Run) -> list[tuple[str, int, float, float]]:
    return rows(writer_of(run).store.read(run.id))


def warned(run: tb.Run, words: str) -> str:
    """Log until a warning has these words, and return it."""
    until = time.monotonic() + SECONDS
    for step in itertools.count():
        if time.monotonic() > until:
            break
        with hearing() as heard:
            run.log({"loss": 0.5}, step)
        if heard:
            (sentence,) = heard
            assert words in sentence
            return sentence
    pytest.fail(f"no warning says {words!r}")


def test_run_is_in_the_space_that_is_made_for_it(
    space: Served, hub_server: FakeHub, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tb.init("digits", space_id="runs", private=True, display=False)
    run.log({"loss": 0.5})
    run.finish(wait=SECONDS)
    assert there(space, run) == here(run) != []
    assert hub_server.space(NAME).private
    state = run.sync_state
    assert state is not None
    assert (state.state, state.left, state.problem) == ("synced", 0, None)
    out, err = capsys.readouterr()
    assert out == ""
    assert f"Trackbook: {hub_server.address}/spaces/{NAME} (a new Space, " in err
    assert run._space_id == "runs"  # type: ignore[attr-defined]  # of Trackio's runs


def test_init_asks_the_hub_nothing_itself(space: Served, hub_server: FakeHub) -> None:
    hub_server.fail(".*", 503, times=10_000)
    run = tb.init("digits", space_id=NAME, display=False)
    run.log({"loss": 0.5})
    run.finish()
    assert run.history().height == 1
    assert hub_server.repos == {}


def test_runs_wait_while_the_space_is_built_and_nobody_is_warned(space: Served, hub_server: FakeHub) -> None:
    hub_server.stage_of_new = "BUILDING"
    run = tb.init("digits", space_id=NAME, display=False)
    while hub_server.asked(f"GET /api/spaces/{NAME}") < 8:
        with hearing() as heard:
            run.log({"loss": 0.5})
        assert heard == []
    state = run.sync_state
    assert state is not None
    assert state.state == "waiting"
    assert "is being built, which takes minutes" in str(state.problem)
    hub_server.space(NAME).stage = "RUNNING"
    run.finish(wait=SECONDS)
    assert there(space, run) == here(run)


def test_paused_space_is_one_warning_with_the_remedy(space: Served, hub_server: FakeHub) -> None:
    hub_server.stage_of_new = "PAUSED"
    run = tb.init("digits", space_id=NAME, display=False)
    sentence = warned(run, f"the Space {NAME} is paused, and runs wait here: restart it at {hub_server.address}")
    assert "Nothing is lost" in sentence
    hub_server.space(NAME).stage = "RUNNING"
    run.finish(wait=SECONDS)
    assert there(space, run) == here(run)


def test_missing_token_is_one_warning_with_the_remedy(
    space: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "none"))
    run = tb.init("digits", space_id=NAME, display=False)
    warned(run, "there is no Hugging Face token here: run `hf auth login`, or set HF_TOKEN")
    run.finish()
    assert run.history().height > 0


def test_space_of_something_else_is_one_warning_and_stays(space: Served, hub_server: FakeHub) -> None:
    hub_server.repos["space", NAME] = Repository(NAME, sdk="gradio", files={"app.py": b"mine"})
    run = tb.init("digits", space_id=NAME, display=False)
    warned(run, f"the Space {NAME} is not one of Trackbook's, and is left as it is: choose another space_id")
    run.finish()
    assert hub_server.space(NAME).files == {"app.py": b"mine"}


def test_what_names_no_space_is_an_error_before_a_run_begins() -> None:
    with pytest.raises(ValueError, match="space_id='a/b/c' is not the name of a Space"):
        tb.init("digits", space_id="a/b/c")
    with pytest.raises(ValueError, match=r"init\(sync=..., space_id=...\): give one of them"):
        tb.init("digits", space_id=NAME, sync="https://host")
    assert tb.run is None


def test_private_without_a_space_has_no_effect_and_says_so() -> None:
    with hearing() as heard:
        tb.init("digits", private=True).finish()
    assert heard == ["init(private=...) is of a Hugging Face Space, and has no effect without space_id=..."]


def recorded(name: str = "first") -> tb.Run:
    with tb.init("digits", name=name, display=False) as run:
        run.log({"loss": 0.5})
    return run


def test_sync_sends_a_project_that_is_here(space: Served, hub_server: FakeHub) -> None:
    run = recorded()
    address = f"{hub_server.address}/spaces/{NAME}"
    assert tb.sync("digits", space_id=NAME) == address
    assert there(space, run) == here(run)
    assert tb.sync("digits", space_id="runs") == address  # what is there is not sent again
    again = recorded("second")
    assert tb.sync("digits", space_id=NAME, sdk="gradio") == address  # Trackio's word
    assert there(space, again) == here(again)


def test_sync_waits_for_a_space_that_is_built(
    space: Served, hub_server: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub_server.stage_of_new = "BUILDING"
    monkeypatch.setattr(uploader, "PATIENCE_SECONDS", 0.0)
    asked: list[str] = []

    def pause(attempt: RetryCallState) -> float:
        found = str(attempts.error_of(attempt))
        assert "is being built" in found
        asked.append(found)
        if len(asked) == 3:
            hub_server.space(NAME).stage = "RUNNING"
        return 0.01

    monkeypatch.setattr(attempts, "pause", pause)
    run = recorded()
    tb.sync("digits", space_id=NAME)
    assert there(space, run) == here(run)
    assert len(asked) >= 3  # each of the threads that upload asks


def test_sync_as_a_page_needs_no_server(hub_server: FakeHub) -> None:
    recorded()
    assert tb.sync("digits", space_id="ada/page", sdk="static", private=True).endswith("/spaces/ada/page")
    page = hub_server.space("ada/page")
    assert (page.sdk, page.private, "index.html" in page.files) == ("static", True, True)
    with pytest.raises(
        ValueError, match=r"sync\(sdk='streamlit'\): a Space is 'docker', which takes runs, or 'static'"
    ):
        tb.sync("digits", space_id="ada/page", sdk="streamlit")


def test_sync_that_is_refused_is_an_error_with_the_remedy(hub_server: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded()
    monkeypatch.setenv("HF_TOKEN", "hf_expired")
    for sdk in ("docker", "static"):
        with pytest.raises(PermissionError, match="token is not valid, or no longer: run `hf auth login`"):
            tb.sync("digits", space_id=NAME, sdk=sdk)
    assert hub_server.repos == {}


def test_command_line_syncs_to_spaces(space: Served, hub_server: FakeHub, trackbook_command: CommandLine) -> None:
    run = recorded()
    answer = trackbook_command("sync", "digits", "--space", NAME, "--private")
    assert answer.code == 0, answer.err
    assert there(space, run) == here(run)
    assert hub_server.space(NAME).private
    answer = trackbook_command("sync", "digits", "--space", "page", "--static")
    assert answer.code == 0, answer.err
    assert hub_server.space("ada/page").sdk == "static"
    assert trackbook_command("sync", "digits", "--static").code == 2
    assert trackbook_command("sync", "--space", NAME).code == 2
