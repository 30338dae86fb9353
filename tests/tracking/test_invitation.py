from __future__ import annotations

from pathlib import Path

import pytest

from trackbook.store.paths import ProjectPaths
from trackbook.tracking.invitation import Invitation, Place, take
from trackbook.tracking.run_options import run_options


def invitation(folder: Path, project: str | None = None, **more: bool) -> Invitation:
    given = {"keeps_name": False, "console": True} | more
    made = Invitation(folder, project, "id1", "brisk-otter-1", 5.0, **given)
    made.offer()
    return made


def test_an_invitation_is_taken_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert take() is None
    made = invitation(tmp_path)
    monkeypatch.setenv("TRACKBOOK_RUN", str(tmp_path))
    assert [take(), take()] == [made, None]
    made.give_back()
    assert take() == made


def test_the_answer_tells_the_launcher_where_the_run_is(tmp_path: Path) -> None:
    made = invitation(tmp_path)
    assert made.answer() is None
    place = Place(ProjectPaths(Path("/runs"), "p"), "id1")
    made.accept(place)
    assert made.answer() == place


def test_a_launcher_that_has_gone_invites_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKBOOK_RUN", str(tmp_path / "gone"))
    assert take() is None


def test_init_says_what_the_command_line_did_not(tmp_path: Path) -> None:
    given = run_options(name="named", config={"lr": 1}, capture=["console", "system"])
    options = invitation(tmp_path).applied(given)
    assert (options.record.name, options.record.id) == ("named", "id1")
    assert (options.record.started, options.record.config, options.captures) == (5.0, {"lr": 1}, ("system",))
    options = invitation(tmp_path, keeps_name=True, console=False).applied(given)
    assert (options.record.name, options.captures) == ("brisk-otter-1", ("console", "system"))
    assert invitation(tmp_path).applied(run_options()).record.name == "brisk-otter-1"


def test_project_that_the_user_named_to_the_launcher_has_precedence(tmp_path: Path) -> None:
    asked = ProjectPaths(tmp_path, "mine")
    assert invitation(tmp_path).project_for(asked) == asked
    assert invitation(tmp_path, "launched").project_for(asked) == ProjectPaths(tmp_path, "launched")


def test_an_init_that_names_a_run_keeps_it(tmp_path: Path) -> None:
    for given in (run_options(id="own"), run_options(name="old", resume="must")):
        assert invitation(tmp_path).applied(given).record.id == given.record.id
