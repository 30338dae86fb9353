from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import trackbook as tb
from trackbook.metrics import as_pairs, axis_of, define, glob_matches
from trackbook.user_warnings import TrackbookWarning

GLOBS = json.loads((Path(__file__).parent / "golden" / "matching" / "globs.json").read_text("utf-8"))


@pytest.mark.parametrize(("glob", "name", "matches"), GLOBS)
def test_glob_star_stands_for_any_text_and_nothing_else_is_special(glob: str, name: str, matches: bool) -> None:
    assert glob_matches(glob, name) is matches


@given(st.text("ab*", max_size=8), st.text("ab*", max_size=10))
def test_globs_match_as_the_plain_rule_says(glob: str, name: str) -> None:
    plain = re.fullmatch(".*".join(map(re.escape, glob.split("*"))), name, re.DOTALL)
    assert glob_matches(glob, name) is (plain is not None)


def test_glob_of_many_stars_takes_no_time() -> None:
    """A regular expression would backtrack forever on a glob that may come from an export."""
    hostile = "*a" * 5_000 + "*b"
    assert not glob_matches(hostile, "a" * 10_000)
    assert glob_matches(hostile, "a" * 10_000 + "b")
    assert axis_of([[hostile, "epoch"]], "a" * 10_000) is None


def defined_by(*definitions: tuple[str, str]) -> dict[str, str]:
    defined: dict[str, str] = {}
    for name, step_metric in definitions:
        defined, _ = define(defined, {}, name, step_metric)
    return defined


def test_later_glob_takes_precedence() -> None:
    defined = defined_by(("val/*", "epoch"), ("*", "time"))
    assert axis_of(as_pairs(defined), "val/loss") == "time"
    assert axis_of(as_pairs(define(defined, {}, "val/*", "epoch")[0]), "val/loss") == "epoch"


def test_full_name_takes_precedence_over_a_glob() -> None:
    defined = defined_by(("val/loss", "epoch"), ("*", "time"))
    assert as_pairs(defined) == [["val/loss", "epoch"], ["*", "time"]]
    assert axis_of(as_pairs(defined), "val/loss") == "epoch"


def test_a_metric_is_not_drawn_over_itself() -> None:
    pairs = as_pairs(defined_by(("*", "epoch")))
    assert (axis_of(pairs, "epoch"), axis_of(pairs, "loss")) == (None, "epoch")


def test_metric_without_a_definition_has_no_axis() -> None:
    assert axis_of(as_pairs(defined_by(("val/*", "epoch"))), "train/loss") is None


def test_wandb_names_of_axes_are_translated() -> None:
    assert defined_by(("*", "_timestamp")) == {"*": "time"}


def test_defining_a_metric_without_an_axis_changes_nothing() -> None:
    assert define({"val/*": "epoch"}, {}, "epoch") == ({"val/*": "epoch"}, {})


@pytest.mark.parametrize("name", ["", None, 3, ["val/*"]])
def test_name_that_is_not_text_is_a_type_error(name: object) -> None:
    with pytest.raises(TypeError, match=r"name is .*; give a metric's name or a glob, such as 'val/\*'"):
        define({}, {}, name, "epoch")


@pytest.mark.parametrize("x", ["", 3, ["epoch"]])
def test_axis_that_is_not_text_is_a_type_error(x: object) -> None:
    with pytest.raises(TypeError, match=r"step_metric is .*such as 'epoch'"):
        define({}, {}, "val/*", x)


def test_run_keeps_its_definitions() -> None:
    run = tb.init("p")
    tb.define_metric("epoch")
    tb.define_metric("val/*", step_metric="epoch")
    run.finish()
    assert run.record.defined == {"val/*": "epoch"}
    assert tb.get_run(run.id, project="p").record.defined == {"val/*": "epoch"}


def test_a_resumed_run_keeps_its_definitions() -> None:
    run = tb.init("p", id="mine")
    run.define_metric("val/*", "epoch")
    run.finish()
    with tb.init("p", id="mine", resume="must") as resumed:
        assert resumed.record.defined == {"val/*": "epoch"}


def test_wandbs_other_keywords_are_ignored_with_one_warning_that_names_them() -> None:
    run = tb.init("p")
    with pytest.warns(TrackbookWarning, match=r"ignores summary, hidden: .*run.summary.min") as said:
        run.define_metric("val/loss", step_metric="epoch", summary="mean", goal="minimize", hidden=True)
    assert len(said) == 1
    assert (run.record.defined, run.record.goals) == ({"val/loss": "epoch"}, {"val/loss": "min"})
    run.finish()


def test_the_run_keeps_which_value_is_the_best() -> None:
    run = tb.init("p", id="mine")
    run.define_metric("val/*", goal="max")
    run.define_metric("val/loss", summary="min")
    run.finish()
    assert tb.get_run("mine", project="p").record.goals == {"val/*": "max", "val/loss": "min"}


def test_another_goal_is_refused_and_changes_nothing() -> None:
    run = tb.init("p")
    with pytest.raises(ValueError, match="goal is 'min' or 'max', not 'smallest'"):
        run.define_metric("val/loss", "epoch", goal="smallest")
    assert (run.record.defined, run.record.goals) == ({}, {})
    run.finish()


def test_without_a_run_there_is_nothing_to_define() -> None:
    with pytest.raises(RuntimeError, match="define_metric"):
        tb.define_metric("val/*", "epoch")
