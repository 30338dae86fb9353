from __future__ import annotations

from pathlib import Path

import pytest

from trackbook.tracking.invitation import Invitation, Place, take
from trackbook.tracking.run_options import run_options


def invitation(folder: Path, **more: bool) -> Invitation:
    given = {"keeps_project": False, "keeps_name": False, "console": True} | more
    made = Invitation(folder, "launched", "id1", "brisk-otter-1", 5.0, **given)
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
    made.accept(Place("/runs", "p", "id1"))
    assert made.answer() == Place("/runs", "p", "id1")


def test_a_launcher_that_has_gone_invites_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKBOOK_RUN", str(tmp_path / "gone"))
    assert take() is None


def test_init_says_what_the_command_line_did_not(tmp_path: Path) -> None:
    given = run_options(project="mine", name="named", config={"lr": 1}, capture=["console", "system"])
    options = invitation(tmp_path).applied(given)
    assert (options.project, options.record.name, options.record.id) == ("mine", "named", "id1")
    assert (options.record.started, options.record.config, options.captures) == (5.0, {"lr": 1}, ("system",))
    options = invitation(tmp_path, keeps_project=True, keeps_name=True, console=False).applied(given)
    assert (options.project, options.record.name, options.captures) == (
        "launched",
        "brisk-otter-1",
        ("console", "system"),
    )
    options = invitation(tmp_path).applied(run_options())
    assert (options.project, options.record.name) == ("launched", "brisk-otter-1")


def test_an_init_that_names_a_run_keeps_it(tmp_path: Path) -> None:
    for given in (run_options(id="own"), run_options(name="old", resume="must")):
        assert invitation(tmp_path).applied(given).record.id == given.record.id
