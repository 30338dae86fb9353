from __future__ import annotations

import json
from typing import Any

import pytest

from trackbook import charts

FIELDS = {
    "run",
    "step",
    "time",
    "value",
    "smooth",
    "x",
    "mark",
    "color",
    "dash",
    "text",
    "low",
    "high",
    "y",
    "drawn",
    "axis",
    "index",
    "at",
}


def everything_under(node: Any, key: str) -> list[Any]:
    if isinstance(node, list):
        return [found for item in node for found in everything_under(item, key)]
    if isinstance(node, dict):
        own = [node[key]] if key in node else []
        return own + [found for item in node.values() for found in everything_under(item, key)]
    return []


@pytest.mark.parametrize("name", sorted(charts.specs()))
def test_the_committed_specs_are_those_the_code_makes(name: str) -> None:
    committed = json.loads((charts.SPECS / f"{name}.json").read_text(encoding="utf-8"))
    assert committed == charts.specs()[name], "run `python -m trackbook.charts` and commit what it writes"


def test_no_spec_is_committed_that_the_code_does_not_make() -> None:
    assert {path.stem for path in charts.SPECS.glob("*.json")} - {"palette"} == set(charts.specs())


@pytest.mark.parametrize("name", sorted(charts.specs()))
def test_a_spec_reads_only_the_named_dataset_and_its_fixed_fields(name: str) -> None:
    spec = charts.specs()[name]
    assert spec["data"] == {"name": "points", "format": {"parse": None}}  # parsed, Vega would copy every row
    assert everything_under(spec, "url") == everything_under(spec, "values") == []
    assert set(everything_under(spec, "field")) <= FIELDS


@pytest.mark.parametrize("name", sorted(charts.specs()))
def test_a_spec_does_not_name_the_version_of_altair(name: str) -> None:
    assert not {"$schema", "config", "usermeta"} & charts.specs()[name].keys()


def test_writing_leaves_one_readable_file_a_chart(tmp_path: Any) -> None:
    charts.write(tmp_path)
    assert {path.stem for path in tmp_path.iterdir()} == set(charts.specs())
    assert all(path.read_text(encoding="utf-8").endswith("}\n") for path in tmp_path.iterdir())
