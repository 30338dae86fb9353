from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from IPython.core.completer import provisionalcompleter

import trackbook as tb
from shells import Shell
from trackbook.data.export import FORMATS
from trackbook.magics.commands import COMMANDS, overview
from trackbook.magics.completion import complete


def a_run(name: str, project: str = "digits") -> tb.Run:
    run = tb.init(project, name)
    run.log({"loss": 0.5})
    run.finish()
    return run


def test_a_run_begins_and_ends_on_a_line(shell: Shell) -> None:
    shell.run("%track init 'first run' --project digits --config lr=0.1 --tag a --tag b --notes 'to see' --group g")
    run = tb.get_run()
    assert (run.name, run.project, run.state, run.tags, run.notes) == (
        "first run",
        "digits",
        "running",
        ("a", "b"),
        "to see",
    )
    assert run.config == {"lr": 0.1}
    shell.run("%track finish failed")
    assert run.state == "failed"


def test_without_words_the_current_or_last_run_is_shown(shell: Shell) -> None:
    assert "UsageError: %track: no run yet" in shell.said("%track")
    run = a_run("first")
    assert shell.run("%track").result is run


def test_runs_and_projects_are_listed(shell: Shell) -> None:
    assert "there are no projects in" in shell.said("%track ls")
    a_run("first")
    a_run("second", "other")
    assert shell.run("%track ls").result["name"].to_list() == ["second"]
    assert shell.run("%track ls --project digits").result["name"].to_list() == ["first"]
    assert shell.said("%track ls --projects") == "digits\nother\n"


def test_a_board_of_some_runs_is_shown(shell: Shell) -> None:
    first, _, third = a_run("first"), a_run("second"), a_run("third")
    board = shell.run(f"%track show first {third.id}").result
    assert board.source.run_names == ["first", "third"]
    assert list(board.source.run_ids) == [first.id, third.id]
    assert "has no run 'nope'" in shell.said("%track show nope")


def exported(folder: Path, *names: str) -> Path:
    for name in names:
        a_run(name, "away")
    path = tb.export("away", folder / "away.parquet")
    tb.delete_project("away", force=True)
    return path


def test_export_is_shown_without_a_project(shell: Shell, tmp_path: Path) -> None:
    exported(tmp_path, "first", "second")
    board = shell.run("%track show away.parquet").result
    assert (board.project, board.source.run_names) == ("away", ["first", "second"])
    assert shell.run("%track show ./away.parquet second").result.source.run_names == ["second"]
    assert shell.said("%track ls --projects") == f"there are no projects in {tmp_path / 'store'} yet\n"
    answer, _ = board.publisher.answer({"ask": "delete", "run": board.source.run_ids[0]})
    assert "are shown from away.parquet" in answer["error"]


def test_run_exported_while_open_is_shown_as_lost(shell: Shell, tmp_path: Path) -> None:
    run = tb.init("digits", "open")
    run.log({"loss": 1.0})
    run.to_parquet(tmp_path / "open.parquet")
    board = shell.run("%track show open.parquet").result
    assert [header["state"] for header in board.source.picture.runs.values()] == ["lost"]
    assert run.state == "running"
    run.finish()


def test_a_folder_of_two_projects_is_one_board(shell: Shell, tmp_path: Path) -> None:
    for project in ("one", "two"):
        a_run("first", project)
        tb.export(project, tmp_path / "both")
    board = shell.run("%track show both").result
    assert (board.project, board.source.run_names) == ("both", ["first", "first"])


def test_run_takes_precedence_over_a_folder_of_its_name(shell: Shell, tmp_path: Path) -> None:
    a_run("lr/0.1")
    (tmp_path / "lr" / "0.1").mkdir(parents=True)
    assert shell.run("%track show lr/0.1").result.source.run_names == ["lr/0.1"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("nope.parquet", "there is no nope.parquet to import"),
        ("away/nope", "there is no away/nope to import"),
        ("empty", "empty holds no *.parquet file"),
        ("text.parquet", "cannot read text.parquet as a Parquet table"),
        ("away.parquet third", "away.parquet has no run 'third'; its latest are 'first'"),
    ],
)
def test_show_error_is_one_line(shell: Shell, tmp_path: Path, words: str, why: str) -> None:
    exported(tmp_path, "first")
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.parquet").write_text("text")
    said = shell.said(f"%track show {words}")
    assert said.startswith(f"UsageError: %track: {why}")
    assert said.count("\n") == 1


def test_a_run_is_named_tagged_and_noted(shell: Shell) -> None:
    first, last = a_run("first"), a_run("last")
    shell.run("%track rename 'the last'")
    shell.run("%track tag a 'b c'")
    assert shell.said("%track tag d") == "the last: a, b c, d\n"
    shell.run("%track note it was the best --run first")
    assert (last.name, last.tags) == ("the last", ("a", "b c", "d"))
    assert tb.get_run(first.id).notes == "it was the best"


def test_a_run_is_deleted(shell: Shell) -> None:
    a_run("first")
    assert "Nobody can answer here" in shell.said("%track delete first")
    shell.run("%track delete first --force")
    assert not tb.runs("digits").height


@pytest.mark.parametrize(
    ("line", "name", "read"),
    [
        ("%track export", "digits.parquet", pl.read_parquet),
        ("%track export out", "out", lambda path: pl.read_parquet(path / "**/*.parquet")),
        ("%track export points.csv", "points.csv", pl.read_csv),
        ("%track export points.jsonl first", "points.jsonl", pl.read_ndjson),
    ],
)
def test_a_project_is_exported_by_suffix(shell: Shell, tmp_path: Path, line: str, name: str, read: object) -> None:
    a_run("first")
    assert shell.said(line) == f"{tmp_path / name}\n"
    assert read(tmp_path / name)["value"].to_list() == [0.5]  # type: ignore[operator]


def test_export_is_imported(shell: Shell) -> None:
    a_run("first")
    shell.run("%track export")
    assert shell.said("%track import digits.parquet --project other") == "other: first\n"
    assert "no-such-file" in shell.said("%track import no-such-file.parquet")


def test_status_is_printed(shell: Shell, store_dir: Path) -> None:
    assert shell.said("%track status").startswith("no run yet")
    a_run("first")
    assert shell.said("%track status") == (
        f"run first of digits: finished\nmetrics: loss 0.5\nfile: {store_dir / 'digits.trackbook.db'}\n"
    )


# --- watching ---------------------------------------------------------------------------------------------------------


def test_watched_variables_are_logged_after_each_cell(shell: Shell) -> None:
    shell.run("%track init --project digits")
    assert shell.said("%track watch loss lr") == "watching loss, lr\n"
    shell.run("loss = 0.5")
    shell.run("loss, lr = 0.25, 0.1")
    shell.run("%track unwatch lr")
    shell.run("lr = 7")
    assert shell.points() == {"loss": [0.5, 0.25, 0.25, 0.25], "lr": [0.1]}


def test_watching_waits_for_a_run(shell: Shell) -> None:
    assert shell.said("%track watch loss") == "watching loss; logged once a run is open\n"
    shell.run("loss = 1")
    shell.run("%track init")
    assert shell.points() == {"loss": [1]}


def test_watched_variables_belong_to_a_tracked_cells_run_too(shell: Shell) -> None:
    shell.run("%track watch other")
    shell.run("%%track loss", "loss, other = 1, 2")
    assert shell.points() == {"loss": [1], "other": [2]}


def test_watched_non_number_is_reported_once(shell: Shell) -> None:
    shell.run("%track init")
    shell.run("%track watch text")
    assert "%track watch: 'text' is of type list" in shell.said("text = [1]")
    assert shell.said("text = [2]") == ""


def test_unwatching_all(shell: Shell) -> None:
    shell.run("%track watch a b")
    shell.run("%track unwatch")
    assert shell.said("%track watch") == "watching nothing\n"


# --- bad input --------------------------------------------------------------------------------------------------------


def test_two_runs_are_compared_as_text_in_a_terminal(shell: Shell) -> None:
    a_run("first")
    a_run("second one")
    said = shell.said("%track diff first 'second one'")
    assert said == f"Out[1]: \n{tb.diff('first', 'second one')}\n"
    assert shell.run("%track compare 'second one' first").result["name"].to_list() == ["second one", "first"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("shwo", "%track: there is no command 'shwo'; did you mean 'show'?"),
        ("zzzzzz", "%track: there is no command 'zzzzzz'; see %track --help"),
        ("show --projct p", "%track show: there is no option --projct; did you mean '--project'?"),
        ("finish", "%track: no run is open"),
        ("finish done", "%track finish: argument STATE: invalid choice: 'done'"),
        ("rename", "%track rename: the following arguments are required: NAME"),
        ("rename x", "%track: project 'default' has no runs yet"),
        ("ls --project nope", "%track: there is no project 'nope'"),
        ("export --project nope", "%track: there is no project 'nope'"),
        ("export points.txt --project digits", "%track: points.txt ends in .txt"),
        (
            "export first out --project digits",
            "%track: 'first' is a run; the path comes first: %track export PATH first",
        ),
        ("unwatch x", "%track: 'x' is not watched; nothing is"),
        ("watch x.y", "%track: 'x.y' is not a variable; assign it to one and watch that"),
        ("compare first --project digits", "%track: give the run to compare 'first' with"),
        ("diff first first --project digits", "%track: run 'first' is given twice"),
        ("diff first fist --project digits", "%track: project 'digits' has no run 'fist'; did you mean 'first'?"),
        ("diff first", "%track diff: the following arguments are required: RUN"),
        ("init --stop kill", "%track init: argument --stop: invalid choice: 'kill'"),
        ("note 'open", "%track: \"note 'open\" lacks a closing '"),
        ("init --config lr", "%track: --config lr is not a setting"),
    ],
)
def test_a_bad_line_is_one_line(shell: Shell, line: str, message: str) -> None:
    if "digits" in line:
        a_run("first")
    said = shell.said(f"%track {line}")
    assert said.startswith(f"UsageError: {message}")
    assert said.count("\n") == 1


def test_help_lists_the_commands_and_explains_each(shell: Shell) -> None:
    said = shell.said("%track --help")
    assert said.strip() == overview().strip()
    for name in COMMANDS:
        assert f"%track {name} " in said
        assert f"usage: %track {name}" in shell.said(f"%track {name} --help")


# --- completion -------------------------------------------------------------------------------------------------------


def completions(line: str, symbol: str | None = None) -> list[str]:
    last = line.rsplit(" ", 1)[-1] if symbol is None else symbol
    return complete(None, SimpleNamespace(text_until_cursor=line, line=line, symbol=last))


def test_words_are_completed(shell: Shell) -> None:
    a_run("lr=0.1")
    two_words = a_run("two words")
    a_run("other", "digits2")
    assert completions("%track s") == ["show", "status"]
    assert set(completions("%track ")) == {*COMMANDS, "--help"}
    assert completions("%track export --pr") == ["--project"]
    assert completions("%track ls --project dig") == ["digits", "digits2"]
    assert completions("%track show --project digits ") == [two_words.id, "lr=0.1"]
    assert completions("%track show --project digits lr=0", "0") == ["0.1"]
    assert completions("%track tag best --run o") == ["other"]
    assert completions("%track diff --project digits lr=0.1 ") == [two_words.id, "lr=0.1"]
    assert completions("%track compare o") == ["other"]
    assert completions("%%track loss --stop ") == ["flag", "raise"]
    assert completions("%track finish f") == ["finished", "failed"]
    assert completions("%%track loss --min") == ["--min-interval"]
    assert completions("%%track --project ") == ["digits", "digits2"]
    assert completions("%%track acc -> l") == ["loss"]
    assert completions("%%track los") == []
    assert completions("%track nope x") == []
    assert completions("%track show --project nope ") == []


def test_export_path_is_completed_with_the_suffix_of_each_format(shell: Shell) -> None:
    suffixes = [suffix for known in FORMATS.values() for suffix in known.suffixes]
    assert completions("%track export a.b.") == [f"a.b{suffix}" for suffix in suffixes]
    assert completions("%track export points.c") == ["points.csv"]


@pytest.mark.parametrize(
    ("line", "expected"), [("%track sh", "show"), ("%%track loss --ev", "--every"), ("track sh", "show")]
)
def test_ipython_calls_the_completer(shell: Shell, line: str, expected: str) -> None:
    with provisionalcompleter():
        found = [completion.text for completion in shell.ip.Completer.completions(line, len(line))]
    assert expected in found
