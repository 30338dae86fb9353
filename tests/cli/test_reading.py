from __future__ import annotations

import math
from pathlib import Path

import pytest

import trackbook as tb
from command_lines import CommandLine, record, valid


def test_get_run_prints_state_config_and_results(trackbook_command: CommandLine) -> None:
    run = record(tags=["good"], notes="the one")
    answer = trackbook_command("get", "run", "first")
    assert answer.code == 0
    for said in (run.id, "digits", "finished", "good", "the one", "adam", "train/loss", "0.33333"):
        assert said in answer.out
    content = valid("get run", trackbook_command("get", "run", "first", "--json").json)
    assert content["config"] == {"lr": 0.1, "opt": "adam"}
    assert content["metrics"]["train/loss"] == {"last": 1 / 3, "min": 1 / 3, "max": 1.0, "count": 3, "step": 2}


def test_without_a_run_the_newest_is_meant(trackbook_command: CommandLine) -> None:
    record("one", "older")
    newest = record("two", "newer")
    assert trackbook_command("get", "run", "--json").json["id"] == newest.id
    assert trackbook_command("get", "run", "-p", "one", "--json").json["name"] == "older"


def test_get_metric_prints_points(trackbook_command: CommandLine) -> None:
    record()
    points = valid("get metric", trackbook_command("get", "metric", "acc", "train/loss", "--json").json)
    assert [(row["metric"], row["step"], row["value"]) for row in points[:3]] == [
        ("acc", 0, 0.0),
        ("acc", 1, 0.1),
        ("acc", 2, 0.2),
    ]
    assert len(points) == 6
    lines = trackbook_command("get", "metric", "acc", "--last", "1").out.splitlines()
    assert [line.split("\t")[:3] for line in lines] == [["metric", "step", "value"], ["acc", "2", "0.2"]]


def test_values_that_are_not_finite_are_words_in_json(trackbook_command: CommandLine) -> None:
    with tb.init(project="p", name="odd") as run:
        for value in (math.nan, math.inf, -math.inf):
            run.log({"loss": value})
    points = valid("get metric", trackbook_command("get", "metric", "loss", "--json").json)
    assert [row["value"] for row in points] == ["NaN", "Infinity", "-Infinity"]


def test_an_unknown_metric_is_not_found_and_the_nearest_named(trackbook_command: CommandLine) -> None:
    record()
    answer = trackbook_command("get", "metric", "train/los")
    assert answer.code == 3
    assert answer.err == "trackbook: run 'first' has no metric 'train/los'; did you mean 'train/loss'?\n"


def test_get_config_prints_json_or_pairs(trackbook_command: CommandLine) -> None:
    record()
    assert trackbook_command("get", "config").out == "lr   0.1\nopt  adam\n"
    assert valid("get config", trackbook_command("get", "config", "--json").json) == {"lr": 0.1, "opt": "adam"}


def test_a_nested_config_is_printed_a_line_for_each_value(trackbook_command: CommandLine) -> None:
    config = {"lr": 0.1, "optim": {"name": "adam", "betas": [0.9, 0.95], "more": {}}}
    tb.init("digits", "nested", config=config).finish()
    assert trackbook_command("get", "config").out.splitlines() == [
        "lr           0.1",
        "optim.name   adam",
        "optim.betas  [0.9, 0.95]",
        "optim.more   {}",
    ]
    assert "optim.betas  [0.9, 0.95]\n" in trackbook_command("get", "run").out
    assert trackbook_command("get", "config", "--json").json == config


def test_get_console_prints_lines(trackbook_command: CommandLine, tmp_path: Path, store_dir: Path) -> None:
    script(tmp_path, store_dir)
    assert trackbook_command("get", "console").out.splitlines() == ["one", "two", "three"]
    assert trackbook_command("get", "console", "--last", "1").out == "three\n"
    lines = valid("get console", trackbook_command("get", "console", "--json").json)
    assert [(line["stream"], line["text"]) for line in lines][-1] == ("stderr", "three")


def script(folder: Path, store: Path) -> None:
    """Record what a script prints, its source and environment."""
    import os
    import subprocess
    import sys

    path = folder / "train.py"
    path.write_text(
        "import sys, trackbook as tb\nwith tb.init(project='s') as run:\n    run.log({'a': 1})\n"
        "    print('one')\n    print('two', flush=True)\n    print('three', file=sys.stderr)\n"
    )
    environment = os.environ | {"TRACKBOOK_DIR": str(store), "TRACKBOOK_CAPTURE": "all"}
    subprocess.run([sys.executable, path], env=environment, check=True, capture_output=True)


def test_get_env_and_cells_print_what_was_captured(
    trackbook_command: CommandLine, tmp_path: Path, store_dir: Path
) -> None:
    script(tmp_path, store_dir)
    found = valid("get env", trackbook_command("get", "env", "--json").json)
    assert found["python"]["version"]
    assert f"python.version  {found['python']['version']}" in trackbook_command("get", "env").out
    assert "print('two', flush=True)" in trackbook_command("get", "cells").out
    assert valid("get cells", trackbook_command("get", "cells", "--json").json)["script"].startswith("import sys")


def test_query_answers_sql(trackbook_command: CommandLine) -> None:
    record()
    sql = "select run, min(value) as best from points where metric = 'train/loss' group by run"
    assert valid("query", trackbook_command("query", sql, "--json").json) == [{"run": "first", "best": 1 / 3}]
    assert trackbook_command("query", sql).out.split() == ["run", "best", "first", "0.33333"]


@pytest.mark.parametrize("sql", ["drop table runs", "select nothing from points", "selct 1"])
def test_a_query_that_cannot_be_understood_is_a_usage_error(trackbook_command: CommandLine, sql: str) -> None:
    record()
    answer = trackbook_command("query", sql)
    assert (answer.code, answer.out) == (2, "")
    assert len(answer.err.splitlines()) == 1


def test_a_run_is_found_in_whichever_project_has_it(trackbook_command: CommandLine) -> None:
    record("one", "alpha")
    record("two", "beta")
    assert trackbook_command("get", "run", "alpha", "--json").json["project"] == "one"
    record("two", "alpha")
    answer = trackbook_command("get", "run", "alpha")
    assert (answer.code, answer.err) == (
        4,
        "trackbook: run 'alpha' is in the projects 'one', 'two'; say which by --project\n",
    )
    assert trackbook_command("get", "run", "alpha", "-p", "two", "--json").json["project"] == "two"


def test_an_unknown_run_or_project_is_not_found_and_the_nearest_named(
    trackbook_command: CommandLine, store_dir: Path
) -> None:
    record()
    answer = trackbook_command("get", "run", "firts")
    assert (answer.code, answer.err) == (
        3,
        f"trackbook: there is no run 'firts' in {store_dir}; did you mean 'first'?\n",
    )
    assert trackbook_command("get", "run", "firts", "-p", "digits").code == 3
    answer = trackbook_command("ls", "runs", "digts")
    assert (answer.code, answer.err) == (
        3,
        f"trackbook: there is no project 'digts' in {store_dir}; did you mean 'digits'?\n",
    )


def test_metrics_of_the_user_are_named_before_those_of_the_system(trackbook_command: CommandLine) -> None:
    with tb.init("digits", display=False, capture=False) as run:
        for number in range(12):
            run.log_system({f"a{number}": 1.0})
        run.log({"loss": 0.5})
    answer = trackbook_command("get", "metric", "zzz")
    assert answer.code == 3
    assert "it has 'loss', '@system/a0'" in answer.err


def test_a_lake_is_read_at_its_address(trackbook_command: CommandLine, tmp_path: Path) -> None:
    run = record("digits")
    assert trackbook_command("sync", "digits", "--to", str(tmp_path / "lake")).code == 0
    address = (tmp_path / "lake").as_uri()
    rows = trackbook_command("ls", "runs", address, "--json").json
    assert [(row["id"], row["points"], row["summary"]["acc"]) for row in rows] == [(run.id, 6, 0.2)]
    assert trackbook_command("get", "config", "-p", address, "--json").json == run.config
    for words in (("get", "run"), ("ls", "metrics"), ("get", "metric", "acc"), ("query", "select * from points")):
        assert "acc" in trackbook_command(*words, "-p", address).out
    assert trackbook_command("diff", "first", "first", "-p", address).code == 2
    answer = trackbook_command("rename", "first", "second", "-p", address)
    assert (answer.code, "is only read" in answer.err) == (4, True)
    assert trackbook_command("ls", "runs", (tmp_path / "none").as_uri()).code == 3
