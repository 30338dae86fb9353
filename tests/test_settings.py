from __future__ import annotations

import os
from pathlib import Path

import platformdirs
import pytest

from trackbook.settings import data_dir, notebook_path


def test_the_folder_given_comes_first(tmp_path: Path) -> None:
    assert data_dir(tmp_path / "mine") == tmp_path / "mine"
    assert data_dir(str(tmp_path / "mine")) == tmp_path / "mine"


def test_then_the_environment(store_dir: Path) -> None:
    assert data_dir() == store_dir
    assert data_dir("") == store_dir


@pytest.mark.parametrize("value", [None, ""])
def test_then_the_users_own_data_folder(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    if value is None:
        monkeypatch.delenv("TRACKBOOK_DIR")
    else:
        monkeypatch.setenv("TRACKBOOK_DIR", value)
    assert data_dir() == Path(platformdirs.user_data_dir("trackbook", appauthor=False))


def test_a_relative_folder_stays_where_it_was_when_the_program_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    chosen = data_dir("runs")
    assert chosen.is_absolute()
    assert chosen.parent.samefile(tmp_path)


def test_a_tilde_is_the_home_folder() -> None:
    assert data_dir("~/runs") == Path(os.path.expanduser("~")) / "runs"  # noqa: PTH111  # by another way than ours


def test_the_notebooks_path_is_what_jupyter_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/me/digits.ipynb")
    assert notebook_path() == "/home/me/digits.ipynb"


@pytest.mark.parametrize("value", [None, ""])
def test_where_jupyter_tells_none_there_is_none(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    if value is not None:
        monkeypatch.setenv("JPY_SESSION_NAME", value)
    assert notebook_path() is None
