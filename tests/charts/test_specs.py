from __future__ import annotations

import json
from typing import Any

import pytest

from trackbook.charts import specs

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


@pytest.mark.parametrize("name", sorted(specs.specs()))
def test_the_committed_specs_are_those_the_code_makes(name: str) -> None:
    committed = json.loads((specs.SPECS / f"{name}.json").read_text(encoding="utf-8"))
    assert committed == specs.specs()[name], "run `python -m trackbook.charts.specs` and commit what it writes"


def test_no_spec_is_committed_that_the_code_does_not_make() -> None:
    assert {path.stem for path in specs.SPECS.glob("*.json")} - {"palette"} == set(specs.specs())


@pytest.mark.parametrize("name", sorted(specs.specs()))
def test_a_spec_reads_only_the_named_dataset_and_its_fixed_fields(name: str) -> None:
    spec = specs.specs()[name]
    assert spec["data"] == {"name": "points", "format": {"parse": None}}  # parsed, Vega would copy every row
    assert everything_under(spec, "url") == everything_under(spec, "values") == []
    assert set(everything_under(spec, "field")) <= FIELDS


@pytest.mark.parametrize("name", sorted(specs.specs()))
def test_a_spec_does_not_name_the_version_of_altair(name: str) -> None:
    assert not {"$schema", "config", "usermeta"} & specs.specs()[name].keys()


def test_writing_leaves_one_readable_file_a_chart(tmp_path: Any) -> None:
    specs.write(tmp_path)
    assert {path.stem for path in tmp_path.iterdir()} == set(specs.specs())
    assert all(path.read_text(encoding="utf-8").endswith("}\n") for path in tmp_path.iterdir())
