from __future__ import annotations

import asyncio
import builtins
import itertools
import re
import subprocess
import sys
import textwrap
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import trackbook as tb
from interrupts import interrupted_at
from shells import Shell
from trackbook import TrackbookWarning, user_warnings
from trackbook.integrations.adapters import adapters
from trackbook.magics import extension, functions, tracked_run, tracker

LOOP = "for i in range(3):\n    loss = i / 2\n    acc = i\n"


# --- a cell becomes a run ---------------------------------------------------------------------------------------------


def test_a_cell_becomes_a_run_that_ends_with_it(shell: Shell) -> None:
    assert shell.run("%%track loss acc -> val/acc double=loss*2", LOOP).success
    assert shell.points() == {"loss": [0, 0.5, 1], "double": [0, 1, 2], "val/acc": [0, 1, 2]}
    assert shell.states() == ["finished"]
    assert tb.run is None


def test_the_options_describe_the_run(shell: Shell) -> None:
    shell.ip.user_ns["size"] = 64
    head = "%%track --project digits --name 'a b' loss --group g --config lr=0.1 --config opt=adam --config n=$size"
    shell.run(head, LOOP)
    run = tb.get_run("a b", "digits")
    assert (run.group, dict(run.config)) == ("g", {"lr": 0.1, "opt": "adam", "n": 64})


def test_variables_are_expanded_only_in_run_descriptions(shell: Shell) -> None:
    shell.ip.user_ns.update(loss=9, line="mine")
    shell.run("%%track --name 'run {loss} of {line}' m=float(f'{loss}')  # a comment", LOOP)
    assert tb.get_run().name == "run 9 of mine"
    assert shell.points() == {"m": [0, 0.5, 1]}


@pytest.mark.parametrize("header", ["--name lr-{rate}", "--config rate={rate}", "--group '{ rate:.2f}'"])
def test_text_that_is_filled_in_too_early_is_said(shell: Shell, header: str) -> None:
    for _ in range(2):  # the second time with the value of the first
        said = shell.said(f"%%track loss {header}", "rate = 0.1\n" + LOOP)
        assert "filled in before the cell runs; set rate in an earlier cell" in said
    assert shell.said("%%track loss --name lr-{rate}", LOOP) == ""


def test_cell_whose_print_spreads_values_runs(shell: Shell) -> None:
    body = "losses = []\nfor i in range(3):\n    loss = i / 2\n    losses.append(loss)\n    print('losses:', *losses)"
    assert "losses: 0.0 0.5 1.0\n" in shell.said("%%track", body)
    assert shell.states() == ["finished"]
    assert [0, 0.5, 1] in shell.points().values()


def test_steps_are_an_expression(shell: Shell) -> None:
    shell.run("%%track --step epoch*10 loss", "for epoch in range(3):\n    loss = 1.5")
    assert tb.get_run().history()["step"].to_list() == [0, 10, 20]


def test_every_nth_value_is_logged(shell: Shell) -> None:
    shell.run("%%track --every 3 x y", "for i in range(7):\n    x = i\n    if i % 2: y = i")
    assert shell.points() == {"x": [0, 3, 6], "y": [1]}


def test_values_are_logged_once_in_an_interval(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 4.0, 10.0, 19.0, 20.0])
    monkeypatch.setattr(tracker, "time", SimpleNamespace(monotonic=lambda: next(now)))
    shell.run("%%track --min-interval 10 x", "for i in range(5):\n    x = i")
    assert shell.points() == {"x": [0, 2, 4]}


def test_without_names_metrics_are_charted_and_the_rest_is_listed_once(shell: Shell) -> None:
    body = "before = 1\nfor i in range(2):\n    loss = i / 2\n    text = 'x'\n    items = [1]\n    n = i"
    said = shell.said("%%track", body)
    assert shell.points() == {"loss": [0, 0.5]}
    assert "reads as a metric: loss. Not charted: i, n. To choose, name them: %%track loss i" in said
    assert shell.said("%%track", body) == ""


def test_no_names_and_no_loops_give_a_note(shell: Shell) -> None:
    assert "%%track: no loop of the cell assigned a number" in shell.said("%%track", "x = 1")
    shell.run("def once(x):\n    loss = x\n    print('loss', loss)")
    assert "%%track: no loop of the cell or of once reported or assigned a number" in shell.said("%%track", "once(1)")


def test_a_loop_with_log_goes_to_the_cells_run_too(shell: Shell) -> None:
    shell.run("%%track loss", "import trackbook as tb\nfor i in range(2):\n    loss = i\n    tb.log({'other': 5})")
    assert shell.points() == {"loss": [0, 1], "other": [5, 5]}


def test_a_run_that_was_open_stays_open(shell: Shell) -> None:
    run = tb.init(name="mine")
    shell.run("%%track loss", LOOP)
    assert tb.run is run
    assert shell.states() == ["running", "finished"]


def test_function_called_after_its_cell_is_untracked(shell: Shell) -> None:
    shell.run("%%track loss", "def f(x):\n    loss = x\n    return loss\ny = f(1)")
    result = shell.run("f(2)")
    assert (result.result, shell.points()) == (2, {"loss": [1]})


def test_cell_that_removes_all_variables_keeps_running(shell: Shell) -> None:
    assert shell.run("%%track x", "x = 1\n%reset -f\nx = 2").success
    assert shell.points() == {"x": [1, 2]}


def test_values_after_an_early_finish_give_a_note(shell: Shell) -> None:
    said = shell.said("%%track x", "import trackbook as tb\nx = 1\ntb.finish()\nx = 2")
    assert "finished before the cell ended" in said
    assert shell.points() == {"x": [1]}


def test_ranks_that_do_not_record_run_their_cell(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    assert shell.run("%%track loss", LOOP).success
    assert not tb.runs().height


# --- and is otherwise what it was -------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["all", "last", "last_expr", "last_expr_or_assign", "none"])
@pytest.mark.parametrize(
    "body",
    [
        "x = 1\nx",
        "x = 1",
        "x += 1",
        "x: int = 3",
        "(x := 4)",
        "x, y = 1, 2",
        "1\nx = 2\n3",
        "x = 1;",
        "if x: x\n[x for x in (1, 2)]",
    ],
)
def test_displays_of_a_cell_are_unchanged(shell: Shell, mode: str, body: str) -> None:
    shell.ip.ast_node_interactivity = mode
    shell.ip.user_ns["x"] = 5
    plain = shell.said(body)
    shell.ip.user_ns["x"] = 5
    assert re.sub(r"Out\[\d+\]", "Out", shell.said("%%track x", body)) == re.sub(r"Out\[\d+\]", "Out", plain)


def test_line_numbers_are_unchanged(shell: Shell) -> None:
    result = shell.run("%%track x", "x = 1", "x = 1 / 0")
    trace = result.error_in_exec.__traceback__
    while trace.tb_next:
        trace = trace.tb_next
    assert trace.tb_lineno == 3


def test_traceback_shows_only_the_users_lines(shell: Shell) -> None:
    said = shell.said("%%track x", "def f():\n    x = 1\n    return x / 0\nf()")
    assert "trackbook" not in said
    assert re.search(r"-+> 4 +return x / 0", said)


def test_a_syntax_error_is_ipythons_own(shell: Shell) -> None:
    plain = shell.said("x", "if:")
    ours = shell.said("%%track x", "if:")
    assert re.sub(r"Cell In ?\[?\d*\]?", "", ours) == re.sub(r"Cell In ?\[?\d*\]?", "", plain)
    assert "SyntaxError" in ours
    assert not tb.runs().height


def test_a_syntax_error_leaves_nothing_to_the_next_cell(shell: Shell) -> None:
    shell.run("%%track x", "if:")
    shell.run("x = 1")
    assert not tb.runs().height
    assert shell.ip.ast_transformers == []


def test_time_may_stand_above_or_below(shell: Shell) -> None:
    for heads in ("%%time\n%%track loss", "%%track loss\n%%time"):
        assert "Wall time" in shell.said(heads, LOOP)
        assert shell.points() == {"loss": [0, 0.5, 1]}
    assert shell.states() == ["finished"] * 2


def test_capture_may_stand_above_or_below(shell: Shell) -> None:
    for heads in ("%%capture out\n%%track loss", "%%track loss\n%%capture out"):
        assert shell.said(heads, LOOP, "print('hello')") == ""
        assert shell.ip.user_ns["out"].stdout == "hello\n"
        assert shell.points() == {"loss": [0, 0.5, 1]}


def test_a_timed_cell_that_raises_ends_its_run_failed(shell: Shell) -> None:
    shell.run("%%time\n%%track loss", LOOP, "1 / 0")
    shell.run("%%track loss\n%%capture", LOOP, "1 / 0")
    assert shell.states() == ["failed", "failed"]


def test_timeit_above_tracks_what_it_times(shell: Shell) -> None:
    assert "per loop" in shell.said("%%timeit -n1 -r1\n%%track loss", LOOP)
    assert shell.points() == {"loss": [0, 0.5, 1]}


@pytest.mark.parametrize("magic", ["prun -q", "compiles", "calls"])
def test_magic_that_compiles_the_cell_gives_a_note(shell: Shell, magic: str) -> None:
    def compiles(_: str, cell: str) -> None:
        exec(shell.ip.transform_cell(cell), shell.ip.user_ns)

    def calls(_: str, cell: str) -> None:
        exec(compile(shell.ip.transform_cell(cell), "calls", "exec"), {})

    shell.ip.register_magic_function(compiles, "cell")
    shell.ip.register_magic_function(calls, "cell")
    said = shell.said(f"%%{magic}\n%%track loss", LOOP)
    assert (
        f"nothing is tracked: %%{magic.split(maxsplit=1)[0]} compiles the code by itself; run the cell without it"
        in said
    )
    assert shell.said("x = 1") == ""
    assert shell.said("%%track loss", LOOP) == ""


def test_cell_of_comments_gives_a_note(shell: Shell) -> None:
    assert "the cell holds no code" in shell.said("%%track loss", "# later")


def test_other_cell_magics_are_refused(shell: Shell) -> None:
    assert "UsageError: %%track does not know what %%bash runs" in shell.said("%%track x", "%%bash", "x=1")


def test_timing_inside_a_tracked_cell_is_not_tracked(shell: Shell) -> None:
    shell.run("%%track x", "x = 1\n%timeit -n1 -r1 x = 2")
    assert shell.points() == {"x": [1]}


def test_top_level_await_works(shell: Shell) -> None:
    async def cell() -> Any:
        source = "%%track x\nimport asyncio\nfor i in range(2):\n    x = await asyncio.sleep(0, i)\nx"
        transformed = shell.ip.transform_cell(source)
        result = await shell.ip.run_cell_async(source, transformed_cell=transformed)
        shell.ip.events.trigger("post_run_cell", result)
        return result

    assert asyncio.run(cell()).result == 1
    assert shell.points() == {"x": [0, 1]}


def test_completeness_check_has_no_effect(shell: Shell) -> None:
    assert shell.ip.check_complete("%%track x\nx = 1")[0] == "incomplete"
    shell.run("x = 1")
    assert not tb.runs().height


def test_tracker_is_a_hidden_variable(shell: Shell) -> None:
    shell.run("%%track x", "x = 1")
    assert "trackbook" not in shell.said("%who")


# --- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("%%track --evry 3 x", "there is no option --evry; did you mean '--every'?"),
        ("%%track --every 0 x", "argument --every: 0 is not a whole number from 1"),
        ("%%track --min-interval=-1 x", "argument --min-interval: -1 is not a number of seconds"),
        ("%%track --project", "argument --project: expected one argument"),
        ("%%track --config lr x", "--config lr is not a setting; write it as: --config lr=0.1"),
        ("%%track a+", "'a+' is not a Python expression"),
        ("%%track f(x", "'f(x' lacks a closing )"),
        ("%%track --step 1+ x", "'1+' is not a Python expression"),
        ("%%track x y->x", "two targets have the metric 'x'"),
    ],
)
def test_a_bad_header_is_one_line_and_the_cell_does_not_run(shell: Shell, head: str, message: str) -> None:
    said = shell.said(head, "ran = True")
    assert said.startswith("UsageError: %%track")
    assert message in said
    assert said.count("\n") == 1
    assert "ran" not in shell.ip.user_ns


def test_a_header_without_a_cell_is_one_line(shell: Shell) -> None:
    assert shell.said("%%track loss") == (
        "UsageError: %%track stands above the code that it tracks; for the board alone: %track\n"
    )


def test_a_header_that_is_not_the_first_line_is_one_line(shell: Shell) -> None:
    assert shell.said("x = 1", "%%track x", "x = 2") == "UsageError: %%track belongs in the first line of its cell\n"
    assert "one %%track" in shell.said("%%track x", "%%track y", "y = 2")


def test_unassigned_name_gives_a_note_after_the_cell(shell: Shell) -> None:
    said = shell.said("%%track loss no=nope", LOOP)
    assert said.strip() == "%%track: the cell never assigns 'nope', so nothing is tracked as 'no'"
    assert shell.points() == {"loss": [0, 0.5, 1]}


def test_expression_without_its_names_gives_a_note(shell: Shell) -> None:
    assert "nothing was tracked as 'x+nope': name 'nope' is not defined" in shell.said("%%track x+nope", "x = 1")


def test_unloggable_value_is_noted_once_others_are_logged(shell: Shell) -> None:
    said = shell.said("%%track text loss", "for i in range(3):\n    loss = i\n    text = [i]")
    assert said.strip() == "%%track: 'text' is of type list here, which cannot be tracked (said once)"
    assert shell.points() == {"loss": [0, 1, 2]}


def test_cell_runs_when_its_run_cannot_begin(shell: Shell) -> None:
    assert "this cell is not tracked: project is empty" in shell.said("%%track --project '' loss", LOOP)
    assert shell.ip.user_ns["loss"] == 1


def test_a_disk_that_cannot_be_written_does_not_stop_a_cell(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file where the folder should be")
    assert "Cannot write" in shell.said("%%track loss", LOOP)
    assert shell.points() == {"loss": [0, 0.5, 1]}


def test_cell_that_cannot_be_instrumented_runs(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr(extension, "track_code", fail)
    assert "this cell is not tracked: too deep" in shell.said("%%track loss", LOOP)
    assert not tb.runs().height


def test_functions_are_sent_without_the_tracker(shell: Shell, tmp_path: Path) -> None:
    pytest.importorskip("cloudpickle")  # which joblib uses
    body = """
    import cloudpickle
    def f(n):
        for i in range(n): loss = i
        return loss
    with open("f.pickle", "wb") as file: cloudpickle.dump(f, file)
    """
    shell.run("%%track --every 2 loss lr=f.lr", textwrap.dedent(body))
    program = "import pickle, sys; print(pickle.load(open('f.pickle', 'rb'))(3), 'trackbook' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "2 False\n"


def test_compiled_functions_give_a_note(shell: Shell) -> None:
    body = "def njit(f): return f\n@njit\ndef step(i):\n    loss = i\n    return loss\nfor i in range(2): out = step(i)"
    assert shell.said("%%track loss out", body).splitlines() == [
        "%%track: neither the cell nor njit assigns 'loss' outside of step, so nothing is tracked as 'loss'",
        "%%track: step: left alone, because a compiler takes it; track what it returns",
    ]
    assert shell.points() == {"out": [0, 1]}


def test_header_in_a_script_is_a_syntax_error(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("x = 1\n%%track x\nx = 2\n")
    assert "SyntaxError: invalid syntax" in shell.said("%run script.py")
    (tmp_path / "script.ipy").write_text("x = 1\n%%track x\nx = 2\n")
    assert "UsageError: %%track belongs in the first line of its cell" in shell.said("%run script.ipy")
    assert not tb.runs().height


def test_run_magic_tracks_scripts_and_notebooks(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "script.ipy").write_text(f"%%track loss\n{LOOP}")
    shell.run("%run script.ipy")
    assert shell.points() == {"loss": [0, 0.5, 1]}
    (tmp_path / "script.py").write_text(f"get_ipython().run_cell_magic('track', 'acc', {LOOP!r})")
    shell.run("%run script.py")
    assert shell.points() == {"acc": [0, 1, 2]}
    assert shell.states() == ["finished"] * 2


# --- functions of other cells -----------------------------------------------------------------------------------------

TRAINING = """
def train_epoch(n):
    for i in range(n):
        loss = i
    return loss
def evaluate(n):
    for i in range(n):
        loss = 10 + i
    return loss
def helper(x):
    return x
"""


def test_functions_of_other_cells_are_tracked_for_the_length_of_the_cell(shell: Shell) -> None:
    shell.run(TRAINING)
    code = shell.ip.user_ns["train_epoch"].__code__
    assert shell.run("%%track loss", "train_epoch(3)").result == 2
    assert shell.points() == {"loss": [0, 1, 2]}
    assert shell.ip.user_ns["train_epoch"].__code__ is code
    shell.run("train_epoch(3)")
    assert shell.points() == {"loss": [0, 1, 2]}


def test_functions_with_other_roles_have_metrics_of_their_own(shell: Shell) -> None:
    shell.run(TRAINING)
    said = shell.said("%%track loss", "train_epoch(2); evaluate(2);")
    assert shell.points() == {"train_epoch/loss": [0, 1], "evaluate/loss": [10, 11]}
    assert said.strip() == ""
    shell.run("%%track loss", "for epoch in range(2):\n    loss = train_epoch(2) / 2")
    assert shell.points() == {"train_epoch/loss": [0, 1, 0, 1], "loss": [0.5, 0.5]}


def test_value_that_a_caller_assigns_again_is_one_metric(shell: Shell) -> None:
    shell.run("def step(x):\n    loss = x\n    return loss")
    shell.run("%%track loss", "for i in range(3):\n    loss = step(i)")
    assert shell.points() == {"loss": [0, 1, 2]}


@pytest.mark.parametrize(
    "end", ["1 / 0", "raise KeyboardInterrupt", "import trackbook as tb; tb.run.stop(); train_epoch(3)"]
)
def test_functions_have_their_code_again_after_a_cell_that_fails(shell: Shell, end: str) -> None:
    shell.run(TRAINING)
    code = shell.ip.user_ns["train_epoch"].__code__
    assert not shell.run("%%track loss", "train_epoch(1)", end).success
    assert shell.ip.user_ns["train_epoch"].__code__ is code


@pytest.mark.slow
@pytest.mark.parametrize("where", ["the cell's functions", "our own code"])
def test_interrupt_at_any_point_leaves_functions_and_libraries_as_they_were(shell: Shell, where: str) -> None:
    shell.run("def step(x):\n    loss = x\n    return loss")
    step, count, came = shell.ip.user_ns["step"], 1, True
    code = step.__code__
    files = (
        {code.co_filename}
        if where == "the cell's functions"
        else {extension.__file__, functions.__file__, tracked_run.__file__}
    )
    while came:
        came = interrupted_at(
            count, lambda: shell.run("%%track --no-board loss", "for i in range(2):\n    step(i)"), files
        )
        shell.run("x = 1")  # makes good what was interrupted at its very end
        assert step.__code__ is code, count
        assert adapters.current() is None, count
        with pytest.warns(TrackbookWarning, match="heard"):
            user_warnings.warn("heard")
        count += 1 if where == "the cell's functions" else 9
    assert count > 10
    assert "running" not in shell.states()


def test_end_that_was_interrupted_is_made_good_by_the_next_cell(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.run(TRAINING)
    code = shell.ip.user_ns["train_epoch"].__code__

    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(functions.Replaced, "restore", interrupted)
        shell.run("%%track loss", "train_epoch(1)")
    assert shell.ip.user_ns["train_epoch"].__code__ is not code
    shell.run("x = 1")
    assert shell.ip.user_ns["train_epoch"].__code__ is code


def test_function_of_a_tracked_cell_is_tracked_again_by_others(shell: Shell) -> None:
    shell.run("%%track loss", TRAINING, "train_epoch(1)")
    shell.run("%%track loss", "train_epoch(3)")
    assert shell.points() == {"loss": [0, 1, 2]}


def test_name_that_nothing_assigns_is_said_with_the_nearest(shell: Shell) -> None:
    shell.run(TRAINING)
    assert shell.said("%%track los", "train_epoch(2);").strip() == (
        "%%track: neither the cell nor train_epoch assigns 'los', so nothing is tracked as 'los'; did you mean 'loss'?"
    )


def test_decorated_functions_are_followed_if_they_are_plain(shell: Shell) -> None:
    body = """
    import contextlib, functools
    def noting(function):
        @functools.wraps(function)
        def wrapper(*given):
            return function(*given)
        return wrapper
    @noting
    def noted(x):
        loss = x
        return loss
    @functools.lru_cache
    def cached(x):
        loss = x + 1
        return loss
    class Compiled:
        def __init__(self, function): functools.update_wrapper(self, function)
        def __call__(self, x): return self.__wrapped__(x)
    Compiled.__module__ = "jax.api"
    @Compiled
    def compiled(x):
        loss = x + 2
        return loss
    """
    shell.run(textwrap.dedent(body))
    said = shell.said("%%track loss", "noted(1); cached(2); compiled(3);")
    assert sorted(itertools.chain(*shell.points().values())) == [1, 3]
    assert "compiled: left alone, because a compiler takes it" in said


IMPORTS = {
    "function": "import math\ndef train(n):\n    for i in range(n):\n        loss = math.floor(i)",
    "renamed import": "import os.path as p\ndef train(n):\n    for i in range(n):\n        loss = int(p.basename(str(i)))",
    "import below": "def train(n):\n    for i in range(n):\n        loss = math.floor(i)\nimport math",
    "async function": "import math\nasync def run(n):\n    for i in range(n):\n        loss = math.floor(i)\ndef train(n): list(run(n).__await__())",
    "method": "import math\nclass A:\n    def fit(self, n):\n        for i in range(n):\n            loss = math.floor(i)\ntrain = A().fit",
    "decorator": """
import functools, time
def timed(function):
    @functools.wraps(function)
    def wrapper(*given):
        time.time()
        return function(*given)
    return wrapper
@timed
def train(n):
    for i in range(n):
        loss = i""",
    "future import below": "x = 1\nfrom __future__ import annotations\nimport math\ndef train(n):\n    for i in range(n):\n        loss: int = math.floor(i)",
}


@pytest.mark.parametrize("interactivity", ["last_expr", "all", "last_expr_or_assign"])
@pytest.mark.parametrize("name", IMPORTS)
def test_functions_that_call_what_their_cell_imports_are_followed(shell: Shell, name: str, interactivity: str) -> None:
    shell.ip.ast_node_interactivity = interactivity
    assert shell.run(IMPORTS[name]).success
    said = shell.said("%%track loss", "train(3)")
    assert said.strip() == ""
    assert shell.points() == {"loss": [0, 1, 2]}


@pytest.mark.parametrize("head", ["%%track", "%%track loss"])
def test_function_that_calls_itself_has_a_point_for_each_call(shell: Shell, head: str) -> None:
    shell.run("def go(n):\n    loss = 1 / (n + 1)\n    print('loss', loss)\n    return loss if n == 0 else go(n - 1)")
    assert "%%track:" not in shell.said(head, "go(3)").replace("%%track: charted", "")
    assert shell.points() == {"loss": [1 / 4, 1 / 3, 1 / 2, 1]}


def test_lambda_of_the_cell_reports_in_the_loop_that_calls_it(shell: Shell) -> None:
    said = shell.said(
        "%%track", "show = lambda i, l: print(f'{i}: loss={l:.3f}')", "for i in range(3):\n    show(i, i / 2)"
    )
    assert "0: loss=0.000\n1: loss=0.500\n2: loss=1.000\n" in said
    assert shell.points() == {"loss": [0, 0.5, 1]}


def test_functions_that_call_what_their_module_imports_are_followed(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "trainer_of_mine.py").write_text(IMPORTS["function"])
    monkeypatch.syspath_prepend(tmp_path)
    shell.run("import trainer_of_mine")
    monkeypatch.setitem(sys.modules, "trainer_of_mine", shell.ip.user_ns["trainer_of_mine"])
    assert shell.said("%%track loss --follow trainer_of_mine", "trainer_of_mine.train(3)").strip() == ""
    assert shell.points() == {"loss": [0, 1, 2]}


def test_modules_are_followed_when_they_are_named(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "training_of_mine.py").write_text(TRAINING)
    monkeypatch.syspath_prepend(tmp_path)
    shell.run("import training_of_mine\nfrom training_of_mine import evaluate")
    monkeypatch.setitem(sys.modules, "training_of_mine", shell.ip.user_ns["training_of_mine"])
    code = shell.ip.user_ns["evaluate"].__code__
    said = shell.said("%%track loss", "training_of_mine.train_epoch(2); evaluate(2);")
    assert (
        "functions of training_of_mine are not followed (evaluate, train_epoch); to follow them: --follow training"
        in said
    )
    assert "of training_of_mine" not in shell.said("%%track loss", "evaluate(2);")  # said once
    shell.run("%%track loss --follow training_of_mine", "training_of_mine.train_epoch(2); evaluate(2);")
    assert shell.points() == {"train_epoch/loss": [0, 1], "evaluate/loss": [10, 11]}
    assert shell.ip.user_ns["evaluate"].__code__ is code
    assert "uses nothing of a module with this name" in shell.said("%%track x --follow nope", "x = 1")


def test_functions_that_cannot_be_followed_are_said_once_if_they_matter(shell: Shell) -> None:
    made: dict[str, Any] = {"__name__": "__main__"}
    exec("def step(x):\n    loss = x\n    return loss\ndef other(x):\n    return x", shell.ip.user_ns, made)
    shell.ip.user_ns |= made
    said = shell.said("%%track loss", "loss = step(1) + other(2)")
    assert said.strip() == "%%track: step is not followed: its source cannot be read"
    assert shell.said("%%track loss", "loss = step(1) + other(2)") == ""


def test_attribute_that_changes_in_a_function_is_reported_there_alone(shell: Shell) -> None:
    shell.run("class opt: lr = 8.0\ndef train(opt):\n    for i in range(2):\n        loss = i\n        opt.lr /= 2")
    shell.run("%%track loss lr=opt.lr", "for epoch in range(2):\n    start = opt.lr\n    train(opt)")
    assert shell.points() == {"loss": [0, 1, 0, 1], "lr": [4, 2, 1, 0.5]}


def test_tracked_cells_may_be_nested_by_run(shell: Shell, tmp_path: Path) -> None:
    shell.run(TRAINING)
    code = shell.ip.user_ns["train_epoch"].__code__
    (tmp_path / "inner.ipy").write_text("%%track --name inner loss own\nfor own in range(2):\n    train_epoch(2)\n")
    said = shell.said("%%track --name outer loss", "train_epoch(3)", "%run -i inner.ipy", "train_epoch(4);")
    assert shell.points("outer") == {"loss": [0, 1, 2, 0, 1, 0, 1, 0, 1, 2, 3]}
    assert shell.points("inner") == {"own": [0, 1]}
    assert said.strip() == "%%track: nothing was tracked as 'loss': the cell around this one tracks train_epoch"
    assert shell.ip.user_ns["train_epoch"].__code__ is code


def test_attributes_and_items_count_like_variables(shell: Shell) -> None:
    shell.run(
        "class Trainer:\n    def step(self, x):\n        self.loss = x\ntrainer, history, losses = Trainer(), {}, []"
    )
    body = "for i in range(3):\n    trainer.step(i)\n    history['acc'] = i * 2\n    losses.append(i * 3)"
    said = shell.said(
        "%%track self.loss->loss history['acc']->acc losses[-1]->last m['x']->x", "m = {}", body, "m['y'] = 1"
    )
    assert shell.points() == {"loss": [0, 1, 2], "acc": [0, 2, 4], "last": [0, 3, 6]}
    assert said.strip().splitlines() == ["%%track: nothing was tracked as 'x': KeyError: 'x'"]


def test_sum_is_reported_where_its_end_is_made_of_it(shell: Shell) -> None:
    body = "for epoch in range(2):\n    acc = 0\n    for i in range(4):\n        acc += i + epoch\n    acc /= 4"
    for head in ("%%track acc", "%%track"):
        shell.run(head, body)
        assert shell.points() == {"acc": [1.5, 2.5]}


def test_expression_beside_a_small_loop_has_the_steps_of_the_tracked_loop(shell: Shell) -> None:
    shell.run("class opt: lr = 1.0\ndef decay(): opt.lr /= 2")
    body = "for i in range(3):\n    loss = i\n    for p in range(9):\n        pass\n    decay()"
    shell.run("%%track loss lr=opt.lr+0", body)
    assert shell.points() == {"loss": [0, 1, 2], "lr": [0.5, 0.25, 0.125]}


def test_adapters_of_libraries_are_active_for_the_length_of_the_cell(shell: Shell) -> None:
    shell.ip.user_ns["adapters"] = adapters
    shell.run("%%track loss", "loss = 1\nfollowed = adapters.current().run")
    assert shell.ip.user_ns["followed"].id == tb.get_run().id
    assert adapters.current() is None


def test_metric_that_the_cell_logs_itself_is_not_logged_twice(shell: Shell) -> None:
    body = "run = tb.init(name='mine', reinit='create_new')\nfor i in range(2):\n    loss = i\n    acc = i\n    run.log({'loss': loss})"
    shell.run("import trackbook as tb")
    shell.run("%%track --name ours", body, "run.finish()")
    assert shell.points("ours") == {"acc": [0, 1]}
    assert shell.points("mine") == {"loss": [0, 1]}


def test_metric_that_is_named_and_that_the_cell_logs_itself_is_not_logged_twice(shell: Shell) -> None:
    shell.run("import trackbook as tb")
    body = "for i in range(2):\n    loss = i\n    acc = i\n    tb.log({'loss': loss * 10})"
    said = shell.said("%%track loss acc", body)
    assert shell.points() == {"loss": [0, 10], "acc": [0, 1]}
    assert "the cell logs 'loss' itself" in said
    assert "loss -> tracked/loss" in said
    assert "itself" not in shell.said("%%track acc loss -> tracked/loss", body)
    assert shell.points() == {"acc": [0, 1], "tracked/loss": [0, 1], "loss": [0, 10]}
    shell.run("other = tb.init(name='other', reinit='create_new')")
    shell.run("%%track loss --name ours", body.replace("tb.log", "other.log"), "other.finish()")
    assert shell.points("ours") == {"loss": [0, 1]}
    assert shell.points("other") == {"loss": [0, 10]}


@pytest.mark.parametrize("options", ["--every 2", "--step i*10"])
def test_options_hold_for_what_loops_report(shell: Shell, options: str) -> None:
    shell.run(f"%%track {options}", "losses = []\nfor i in range(4):\n    losses.append(i / 2)")
    steps, values = tb.get_run().history().select("step", "value")
    expected = {"--every 2": ([0, 1], [0, 1]), "--step i*10": ([0, 10, 20, 30], [0, 0.5, 1, 1.5])}
    assert (steps.to_list(), values.to_list()) == expected[options]


# --- loading ----------------------------------------------------------------------------------------------------------


def test_loading_twice_is_loading_once(shell: Shell) -> None:
    tb.load_ipython_extension(shell.ip)
    shell.run("%%track loss", LOOP)
    assert shell.states() == ["finished"]


def test_help_for_a_cell_does_not_run_it(shell: Shell) -> None:
    said = shell.said("%%track --help", "ran = 1")
    assert "usage: %%track [options] [loss] [acc -> val/acc]" in said
    assert "ran" not in shell.ip.user_ns


def test_trackers_have_unique_builtin_names(shell: Shell) -> None:
    before = set(vars(builtins))
    shell.run("%%track x", "x = 1")
    added = set(vars(builtins)) - before
    assert len(added) == 2  # the tracker, and the function that passes values on
    assert all(re.fullmatch(r"__trackbook_\d+__(passing__)?", one) for one in added)


SAID = {
    "a typo": (["%%track los", LOOP], "the cell never assigns 'los'"),
    "nothing to track": (["%%track", "sum(range(3))"], "no loop of the cell assigned a number"),
    "a value": (["%%track loss", "loss = [1]"], "'loss' is of type list here"),
    "a step twice": (["%%track --step 0 loss", LOOP], "was logged twice at one step"),
    "an array": (["%%track loss", "import numpy as np\nloss = np.zeros(3)"], "'loss' is an array of 3 here"),
}


@pytest.mark.parametrize("case", SAID)
def test_warning_filters_do_not_hide_notes(shell: Shell, case: str) -> None:
    lines, said = SAID[case]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert said in shell.said(*lines)


def test_warnings_that_are_errors_do_not_break_a_tracked_cell(shell: Shell) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert shell.run("%%track text loss", LOOP, "text = [1]").success
    assert shell.points() == {"loss": [0, 0.5, 1]}


NEVER = "def f():\n    for i in range(3):\n        loss = i\n"


@pytest.mark.parametrize(
    "body", [NEVER, "if False:\n    loss = 1", "for loss in []:\n    pass", "while False:\n    loss = 1"]
)
def test_code_that_never_ran_gives_a_note(shell: Shell, body: str) -> None:
    assert "nothing was tracked as 'loss': the code that assigns 'loss' never ran" in shell.said("%%track loss", body)


def test_cell_that_fails_early_gives_no_note(shell: Shell) -> None:
    assert "%%track:" not in shell.said("%%track loss", "1 / 0", "loss = 1")


@pytest.mark.parametrize("head", ["%%track loss", "%%track"])
def test_code_in_another_process_gives_a_note(shell: Shell, head: str) -> None:
    cloudpickle = pytest.importorskip("cloudpickle")
    shell.ip.user_ns["send"] = cloudpickle.dumps  # as joblib and loky do
    said = shell.said(head, NEVER + "send(f);")
    assert "the code ran in other processes, which %%track does not follow" in said


# --- stopping ---------------------------------------------------------------------------------------------------------

FOR_EVER = "import trackbook as tb\nfor i in range(1000):\n    loss = i / 2\n    if i == 2:\n        tb.run.stop()\n"


@pytest.mark.parametrize("what", ["loss", "double=loss*2", ""])
def test_stop_request_ends_the_cell(shell: Shell, what: str) -> None:
    done = shell.run(f"%%track {what}", FOR_EVER)
    assert isinstance(done.error_in_exec, tb.Stopped)
    assert {len(values) for values in shell.points().values()} == {4}
    assert shell.states() == ["interrupted"]


def test_stop_flag_leaves_the_end_to_the_cell(shell: Shell) -> None:
    assert shell.run("%%track --stop flag loss", FOR_EVER, "    if tb.run.should_stop: break").success
    assert shell.points() == {"loss": [0, 0.5, 1]}
    assert shell.states() == ["interrupted"]


def test_stop_during_a_watch_raises_nothing(shell: Shell) -> None:
    assert shell.said("%track init --stop raise").strip() == ""
    shell.run("%track watch loss")
    assert "switched off" not in shell.said("loss = 1.0", "import trackbook as tb", "tb.run.stop()")
    shell.run("loss = 2.0")
    assert shell.points() == {"loss": [1, 2]}
    assert tb.run is not None
