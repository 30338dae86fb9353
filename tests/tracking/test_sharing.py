"""`Run.share` and `trackbook.attach`: processes that are no children log to a run."""

from __future__ import annotations

import base64
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import trackbook as tb

LOG = "import sys, trackbook as tb\nrun = tb.attach(sys.argv[1])\nfor value in range(int(sys.argv[2])):\n    tb.log({'other': value})\n"
UNPICKLE = "import base64, pickle, sys\nrun = pickle.loads(base64.b64decode(sys.argv[1]))\nfor value in range(3):\n    run.log({'pickled': value})\n"
DIE = "import os, signal\nos.kill(os.getpid(), getattr(signal, 'SIGKILL', signal.SIGTERM))"


def other_process(text: str, count: int, *, code: str = LOG) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, text, str(count)], capture_output=True, text=True, check=False, timeout=60
    )


def test_another_process_logs_to_the_shared_run() -> None:
    with tb.init(project="p", name="shared", config={"lr": 0.1}) as run:
        run.log({"own": 1})
        done = [other_process(run.share(), count) for count in (3, 4)]
        assert [(one.returncode, one.stderr) for one in done] == [(0, "")] * 2
    found = tb.get_run("shared", "p")
    assert sorted(found.history("other")["value"].to_list()) == [0, 0, 1, 1, 2, 2, 3]
    assert found.history("other")["step"].to_list() == list(range(7))
    assert (found.state, found.config, tb.runs("p").height) == ("finished", {"lr": 0.1}, 1)


@pytest.mark.slow
def test_a_process_that_is_killed_leaves_its_points_and_the_run() -> None:
    with tb.init(project="p", name="shared") as run:
        assert other_process(run.share(), 5, code=LOG + DIE).returncode != 0
        assert run.state == "running"
    assert tb.get_run("shared", "p").history("other")["value"].to_list() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(("all_ranks", "count"), [(False, 0), (True, 3)])
def test_another_rank_logs_to_the_shared_run_if_all_ranks_do(
    monkeypatch: pytest.MonkeyPatch, all_ranks: bool, count: int
) -> None:
    with tb.init(project="p", name="shared", all_ranks=all_ranks) as run:
        monkeypatch.setenv("RANK", "1")
        pickled = base64.b64encode(pickle.dumps(run)).decode()
        for code, text in ((LOG, run.share()), (UNPICKLE, pickled)):
            done = other_process(text, 3, code=code)
            assert (done.returncode, done.stderr) == (0, "")
    assert sorted(tb.get_run("shared", "p").history()["metric"]) == ["other"] * count + ["pickled"] * count


def test_the_process_that_shares_gets_its_own_run() -> None:
    with tb.init(project="p") as run:
        assert tb.attach(run.share()) is run


def test_attaching_to_a_run_that_ended_says_how_to_go_on() -> None:
    with tb.init(project="p", id="r1") as run:
        text = run.share()
    with pytest.raises(ValueError, match=r"has finished.*init\('p', id='r1', resume='allow'\)"):
        tb.attach(text)


def test_attaching_to_a_run_that_is_nowhere_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with tb.init(project="p", name="gone") as run:
        text = run.share()
    tb.delete_run(run.id, "p", force=True)
    with pytest.raises(ValueError, match="run 'gone' of project 'p' is not in"):
        tb.attach(text)


@pytest.mark.parametrize(
    "text", ["", "r1", "{}", "[1]", "null", '{"project": 1, "folder": "", "id": "", "name": "", "started": 1}']
)
def test_a_text_of_something_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"takes what run.share\(\) returned"):
        tb.attach(text)


def test_a_run_that_ended_or_is_not_recorded_cannot_be_shared() -> None:
    with tb.init(project="p", mode="disabled") as run, pytest.raises(RuntimeError, match="is not recorded"):
        run.share()
    run = tb.init(project="p")
    run.finish()
    with pytest.raises(RuntimeError, match="share it while it is open"):
        run.share()
