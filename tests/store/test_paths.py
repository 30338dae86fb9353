from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackbook.store.paths import partition_key, project_file, project_names
from trackbook.store.sqlite import SqliteStore
from trackbook.types import RunRecord


def write_project(folder: Path, name: str, run: str = "r1") -> None:
    store = SqliteStore(folder / project_file(name), name)
    store.put_run(RunRecord(run, "a", 0.0, state="finished"))
    assert store.flush()
    store.close()


# --- project files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["digits", "a", "mnist-2.1_b", "7", "x" * 60])
def test_plain_name_is_its_file_name(name: str) -> None:
    assert project_file(name) == f"{name}.trackbook.db"


ODD_NAMES = [
    "Digits",
    "DIGITS",
    "digits ",
    " digits",
    "digits.",
    ".digits",
    "..",
    ".",
    "/",
    "../../etc/passwd",
    "C:\\digits",
    "a/b",
    "a\\b",
    'it\'s "odd" [x] <b>*?|</b>',
    "\0",
    "a\nb",
    "損失 📉",
    "__proto__",
    "x" * 61,
    "x" * 500,
    "é",
    "e\u0301",
    "con",
    "nul",
    "aux.txt",
    "com1",
    "lpt9.digits",
    "prn.a.b",
    "digits~0123456789abcdef",
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_name_has_a_file_name_for_every_file_system(name: str) -> None:
    file = project_file(name)
    assert file.isascii()
    assert file == file.lower()
    assert len(file) < 100
    assert set(file) <= set("abcdefghijklmnopqrstuvwxyz0123456789-~.")
    assert file.split(".")[0] not in ("con", "nul", "aux", "com1", "lpt9", "prn")


def test_no_two_names_share_a_file_where_case_is_ignored() -> None:
    names = [*ODD_NAMES, "digits"]
    assert len({project_file(name).lower() for name in names}) == len(names)


@pytest.mark.parametrize("name", ODD_NAMES)
def test_project_of_any_name_is_written_and_found(tmp_path: Path, name: str) -> None:
    write_project(tmp_path / "store", name)
    assert [path.parent for path in tmp_path.rglob("*.db")] == [tmp_path / "store"]
    assert project_names(tmp_path / "store") == [name]


def test_projects_that_differ_by_case_are_two(tmp_path: Path) -> None:
    for name in ("digits", "Digits"):
        write_project(tmp_path, name, run=name)
    assert project_names(tmp_path) == ["Digits", "digits"]
    again = SqliteStore(tmp_path / project_file("digits"), "digits")
    assert [run.id for run in again.runs()] == ["digits"]
    again.close()


def test_other_files_are_not_projects(tmp_path: Path) -> None:
    (tmp_path / "x.trackbook.db").write_text("not ours")
    (tmp_path / "notes.txt").write_text("not ours")
    assert project_names(tmp_path) == []
    assert project_names(tmp_path / "nowhere") == []


# --- partition keys ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["digits", "k3x9p2aa", "run-b_c", "x" * 60])
def test_plain_text_is_its_own_key(text: str) -> None:
    assert partition_key(text) == text


@pytest.mark.parametrize("text", ["007", "1e5", "nan", "null", "con", "lpt1", "a.b", "A", "2024-01-01", ""])
def test_key_never_looks_like_a_number_constant_or_device(text: str) -> None:
    assert "~" in partition_key(text)


@given(st.lists(st.text(min_size=1, max_size=6) | st.sampled_from(["A", "a", "con", "nan", "1d"]), unique=True))
def test_keys_differ_where_case_is_ignored(names: list[str]) -> None:
    names = [name.encode(errors="replace").decode() for name in names]
    keys = {name: partition_key(name) for name in names}
    assert len({key.casefold() for key in keys.values()}) == len(set(names))
