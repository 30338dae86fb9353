from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackbook.artifacts.names import Wanted, check_aliases, check_name, check_path, inside, parse, plain_name


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("model", Wanted(None, "model", "latest")),
        ("model:v3", Wanted(None, "model", "v3")),
        ("model:best", Wanted(None, "model", "best")),
        ("digits/model:v0", Wanted("digits", "model", "v0")),
        ("team/digits/model", Wanted("digits", "model", "latest")),
    ],
)
def test_text_asks_for_a_version(text: str, wanted: Wanted) -> None:
    assert parse(text) == wanted


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a:b", "..", ".", "x" * 129, "é", "a\n", "../../etc"])
def test_other_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is no name of an artifact"):
        check_name(name)


@pytest.mark.parametrize("aliases", [["v3"], ["v0", "best"], ["a/b"]])
def test_alias_that_is_a_version_or_a_path_is_refused(aliases: list[str]) -> None:
    with pytest.raises(ValueError, match="alias"):
        check_aliases(aliases)


def test_aliases_are_said_once_and_without_latest() -> None:
    assert check_aliases(["best", "latest", "best", "prod"]) == ["best", "prod"]
    assert check_aliases("best") == ["best"]
    assert check_aliases(None) == []


@given(st.text())
def test_any_text_gives_a_name(text: str) -> None:
    assert check_name(plain_name(text))


BAD_PATHS = [
    "",
    ".",
    "..",
    "/etc/passwd",
    "../x",
    "a/../b",
    "a//b",
    "a/",
    "./a",
    "C:/x",
    "c:x",
    "a\\b",
    "a\0b",
    "a\nb",
    "\\\\host\\x",
    "x" * 1001,
]


@pytest.mark.parametrize("path", BAD_PATHS)
def test_path_that_leads_elsewhere_is_refused(path: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is no path of a file"):
        check_path(path)
    with pytest.raises(ValueError, match="is no path of a file"):
        inside(tmp_path, path)


@given(st.text())
def test_every_allowed_path_is_below_its_folder(path: str) -> None:
    try:
        check_path(path)
    except ValueError:
        return
    joined = os.path.normpath(Path("/root/of/all") / path)
    assert joined.startswith("/root/of/all/")


def test_folder_that_is_a_link_out_of_the_root_is_refused(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "sub").symlink_to(outside)
    with pytest.raises(ValueError, match="leads out of"):
        inside(root, "sub/x")
    assert list(outside.iterdir()) == []
    (root / "near").mkdir()
    (root / "link").symlink_to(root / "near")
    assert inside(root, "link/x").parent.resolve() == root.resolve() / "near"
