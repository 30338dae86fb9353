from __future__ import annotations

import sys
from pathlib import Path

import pytest

from trackbook.imports.yaml_files import read_yaml


def read(path: Path) -> tuple[dict[str, object], list[str]]:
    lost: list[str] = []
    return read_yaml(path, lost.append), lost


def test_mapping_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("a: 1\n2: [x]\n")
    assert read(tmp_path / "x.yaml") == ({"a": 1, "2": ["x"]}, [])


@pytest.mark.parametrize("text", ["a: [1", "a: !!python/object/apply:os.system [ls]", "\x00"])
def test_damaged_and_hostile_files_are_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.yaml").write_text(text)
    found, lost = read(tmp_path / "x.yaml")
    assert found == {}
    assert "x.yaml cannot be read: " in lost[0]


def test_other_values_are_no_mapping(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("- a\n")
    assert read(tmp_path / "x.yaml") == ({}, [])


def test_pyyaml_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    found, lost = read(tmp_path / "x.yaml")
    assert found == {}
    assert lost[0].endswith("x.yaml needs PyYAML to be read: pip install pyyaml, and import again")
