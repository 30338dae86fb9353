"""Runs in child processes: forked, spawned, of pools, of a forkserver, and runs that are copied or pickled."""

from __future__ import annotations

import copy
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import trackbook as tb
from kernels import client_of
from processes import own_process
from trackbook.tracking.run import writer_of

fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
METHODS = ["fork", "forkserver", "spawn"] if hasattr(os, "fork") else ["spawn"]
TIMEOUT = 110

pytestmark = pytest.mark.slow

# of multiprocessing's children, which import it under another name
WORK = """
import faulthandler, multiprocessing as mp, os, sys, threading, time
import trackbook as tb
faulthandler.dump_traceback_later(100, exit=True)
def train(name):
    tb.init("p", str(name), capture=False)
    for step in range(5):
        tb.log({"loss": step})
def train_well(name):
    with tb.init("p", str(name), capture=False) as run:
        run.log({"loss": 1.0})
    return name
def fail(name):
    train(name)
    raise ValueError("no")
def leave(name):
    train(name)
    sys.exit(3)
def log_to_parents(value):
    tb.log({"of child": value})
def log_to(run, value):
    run.log({"of child": value})
def rank(number):
    os.environ["RANK"] = str(number)
    for step in range(3):
        tb.log({"loss": 10 * number + step})
if __name__ == "__main__":
"""


def program(code: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """Run a script from a file, which a spawned child imports again."""
    path = tmp_path / "train.py"
    path.write_text(WORK + "".join(f"    {line}\n" for line in code.strip().splitlines()))
    return subprocess.run(
        [sys.executable, str(path)], capture_output=True, text=True, check=False, timeout=TIMEOUT, cwd=tmp_path
    )


def states(project: str = "p") -> dict[str, str]:
    return dict(tb.runs(project).select("name", "state").iter_rows())


@pytest.mark.parametrize("method", METHODS)
def test_run_left_open_by_a_child_gets_the_childs_state(method: str, tmp_path: Path) -> None:
    done = program(
        f"""
for work in (train, fail, leave):
    child = mp.get_context({method!r}).Process(target=work, args=(work.__name__,))
    child.start()
    child.join()
""",
        tmp_path,
    )
    assert done.returncode == 0
    assert states() == {"train": "finished", "fail": "failed", "leave": "failed"}
    # from Python 3.13 on, the exception of a child is gone when its exit functions run
    failure = "ValueError: no" if sys.version_info < (3, 13) else "SystemExit: 1"
    assert [tb.get_run(name, "p").record.error for name in ("fail", "leave")] == [failure, "SystemExit: 3"]
    assert tb.runs("p")["points"].to_list() == [5, 5, 5]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("begin", ["", "tb.init('p', 'parent', capture=False)"])
def test_pools_whose_workers_record_runs_end(method: str, begin: str, tmp_path: Path) -> None:
    """Even when forked from a process that uses Polars, which hangs in the workers. `make pools` makes many more."""
    pools = 5 if method == "fork" else 2  # others begin anew, each worker with its imports
    done = program(
        f"""
{begin or "pass"}
for number in range({pools}):
    with mp.get_context({method!r}).Pool(2) as pool:
        assert pool.map(train_well, [f"{{number}}-{{one}}" for one in range(4)], chunksize=1)
""",
        tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")
    found = states()
    assert set(found.values()) == {"finished"}
    assert len(found) == 4 * pools + bool(begin)
    assert tb.sql("select count(*) as n from points where metric = 'loss'", "p")["n"].to_list() == [4 * pools]


@pytest.mark.parametrize("method", METHODS)
def test_executor_whose_workers_leave_runs_open_ends(method: str, tmp_path: Path) -> None:
    done = program(
        f"""
from concurrent.futures import ProcessPoolExecutor
with ProcessPoolExecutor(2, mp_context=mp.get_context({method!r})) as pool:
    list(pool.map(train, range(2)))
""",
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert set(states().values()) == {"finished"}


@fork
def test_workers_of_a_pool_die_of_sigterm(tmp_path: Path) -> None:
    """Leaving a pool terminates its workers. A handler of ours would keep some of them, and so the pool, alive."""
    done = program(
        """
tb.init("p", "parent", capture=False)
for _ in range(20):
    with mp.get_context("fork").Pool(8) as pool:
        pool.map(abs, [1, 2])
workers = [mp.get_context("fork").Process(target=time.sleep, args=(60,)) for _ in range(20)]
[worker.start() for worker in workers]
[worker.terminate() for worker in workers]
[worker.join() for worker in workers]
print([worker.exitcode for worker in workers] == [-15] * 20)
""",
        tmp_path,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


@fork
@pytest.mark.parametrize("how", ["id='r'", "name='parent', resume='allow'", "name='parent', resume_from=3"])
def test_forked_child_that_needs_to_read_is_refused_at_once(how: str, tmp_path: Path) -> None:
    done = program(
        f"""
tb.init("p", "parent", capture=False)
if os.fork() == 0:
    try:
        tb.init("p", {how})
    except RuntimeError as error:
        print("get_context('spawn')" in str(error), flush=True)
    os._exit(0)
os.wait()
""",
        tmp_path,
    )
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr


@fork
def test_child_that_is_forked_before_the_first_run_leaves_polars_alone(tmp_path: Path) -> None:
    done = program(
        """
import polars
if os.fork() == 0:
    tb.init("p", "child", capture=False)
    tb.log({"loss": 1.0})
    try:
        tb.runs("p")
    except RuntimeError as error:
        print("get_context('spawn')" in str(error), flush=True)
    tb.finish()
    os._exit(0)
os.wait()
""",
        tmp_path,
    )
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr
    assert states() == {"child": "finished"}


@fork
def test_forked_childs_own_run_keeps_its_options(tmp_path: Path) -> None:
    done = program(
        """
tb.init("p", "parent", capture=False)
if os.fork() == 0:
    run = tb.init("p", group="workers", tags="a", config={"lr": 0.1}, capture=False)
    run.config["late"] = True
    run.name = "child"
    for step in tb.track(range(4)):
        tb.log({"loss": step})
    try:
        run.history()
    except RuntimeError as error:
        print("only be logged to here" in str(error), flush=True)
    tb.finish("interrupted")
    try:
        tb.log({"late": 1})  # the parent's
    finally:
        os._exit(0)
os.wait()
tb.log({"loss": 1.0})
""",
        tmp_path,
    )
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr
    run = tb.get_run("child", "p")
    assert (run.state, run.group, run.tags) == ("interrupted", "workers", ("a",))
    assert (dict(run.config), run.done, run.total) == ({"lr": 0.1, "late": True}, 4, 4)
    assert run.history()["value"].to_list() == [0, 1, 2, 3]
    assert tb.get_run("parent", "p").summary["late"] == 1


@fork
def test_forked_child_that_is_killed_leaves_a_lost_run(tmp_path: Path) -> None:
    done = program(
        """
tb.init("p", "parent", capture=False)
if os.fork() == 0:
    tb.init("p", "child", capture=False)
    tb.log({"loss": 1.0})
    os.kill(os.getpid(), 9)
os.wait()
""",
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert states() == {"parent": "finished", "child": "lost"}
    assert tb.get_run("child", "p").summary["loss"] == 1.0


@fork
@pytest.mark.parametrize(("all_ranks", "steps"), [(False, [0, 1, 2]), (True, [0, 1, 2, 10, 11, 12])])
def test_forked_ranks_log_as_all_ranks_says(all_ranks: bool, steps: list[float], tmp_path: Path) -> None:
    done = program(
        f"""
tb.init("p", "ddp", capture=False, all_ranks={all_ranks})
ranks = [mp.get_context("fork").Process(target=rank, args=(number,)) for number in range(2)]
[one.start() for one in ranks]
[one.join() for one in ranks]
""",
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert sorted(tb.get_run("ddp", "p").history("loss")["value"].to_list()) == steps


@fork
@pytest.mark.parametrize("variable", ["SLURM_PROCID", "LOCAL_RANK"])
def test_forked_child_of_another_rank_begins_no_run_of_its_own(variable: str, tmp_path: Path) -> None:
    done = program(
        f"""
tb.init("p", "parent", capture=False)
if os.fork() == 0:
    os.environ[{variable!r}] = "1"
    tb.log({{"a": 1}})
    with tb.init("p", "child", capture=False) as run:
        run.log({{"a": 1}})
    os._exit(0)
os.wait()
""",
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert states() == {"parent": "finished"}
    assert tb.runs("p")["points"].to_list() == [0]


@pytest.mark.notebook
def test_forked_workers_of_a_notebook_show_no_board(tmp_path: Path) -> None:
    cell = """
import multiprocessing as mp, trackbook as tb
def train(lr):
    with tb.init("p", f"lr={lr}", capture=False) as run:
        run.log({"loss": lr})
workers = [mp.get_context("fork").Process(target=train, args=(lr,)) for lr in (0.1, 0.2)]
[worker.start() for worker in workers]
[worker.join() for worker in workers]
"""
    client = client_of({"first": cell, "second": "tb.init('p', 'parent', capture=False)", "third": cell}, tmp_path)
    notebook = client.execute(env=dict(os.environ), stderr=subprocess.PIPE)
    for place in (0, 2):
        assert [output for output in notebook.cells[place].outputs if output.output_type != "execute_result"] == []
    found = states()
    assert [found["lr=0.1"], found["lr=0.2"]] == ["finished", "finished"]
    assert len(tb.runs("p")) == 5


# --- copies and references --------------------------------------------------------------------------------------------


class Model:
    """An object with a run, as models and trainers are."""

    def __init__(self, run: tb.Run) -> None:
        self.run, self.weights = run, [1.0]


@pytest.mark.parametrize("copied", [copy.deepcopy, copy.copy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copy_of_an_object_refers_to_the_same_run(copied: Any) -> None:
    run = tb.init("p", capture=False)
    assert copied(Model(run)).run is run
    run.finish()


@pytest.mark.parametrize("mode", ["local", "disabled"])
def test_run_that_has_ended_can_be_copied_and_read(mode: str) -> None:
    with tb.init("p", capture=False, mode=mode) as run:
        run.log({"a": 1.0})
    found = pickle.loads(pickle.dumps(run))
    assert (found.id, found.name, found.state) == (run.id, run.name, "finished")
    with pytest.raises(RuntimeError, match="takes no more points"):
        found.log({"a": 2.0})
    if mode == "local":
        assert found.history()["value"].to_list() == [1.0]


def test_run_of_a_deleted_project_warns_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tb.init("p", "old", capture=False, dir=tmp_path / "x") as run:
        run.log({"a": 1.0})
    data = pickle.dumps(run)
    shutil.rmtree(tmp_path / "x")
    with (
        own_process(monkeypatch),
        pytest.warns(tb.TrackbookWarning, match="run 'old' of project 'p' is not open") as said,
    ):
        found = pickle.loads(data)
    assert len(said) == 1
    assert found.name == "old"


@pytest.mark.parametrize("method", METHODS)
def test_run_given_to_a_child_logs_to_the_parents_run(method: str, tmp_path: Path) -> None:
    done = program(
        f"""
run = tb.init("p", "parent", capture=False)
children = [mp.get_context({method!r}).Process(target=log_to, args=(run, value)) for value in range(3)]
[child.start() for child in children]
[child.join() for child in children]
tb.log({{"loss": 1.0}})
assert run.history("of child").height == 3, run.history()
""",
        tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")
    run = tb.get_run("parent", "p")
    assert sorted(run.history("of child")["value"].to_list()) == [0, 1, 2]
    assert run.history("of child")["step"].to_list() == [0, 1, 2]
    assert states() == {"parent": "finished"}


@pytest.mark.parametrize("method", ["forkserver", "spawn"] if hasattr(os, "fork") else ["spawn"])
def test_pool_logs_to_a_given_run_by_function_and_method(method: str, tmp_path: Path) -> None:
    done = program(
        f"""
run = tb.init("p", "parent", capture=False)
with mp.get_context({method!r}).Pool(2) as pool:
    pool.starmap(log_to, [(run, value) for value in range(4)], chunksize=1)
    pool.map(log_to_parents, range(4, 6), chunksize=2)
""",
        tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(tb.get_run("parent", "p").history("of child")["value"].to_list()) == list(range(6))


def test_joblib_carries_a_run_to_its_workers(tmp_path: Path) -> None:
    pytest.importorskip("joblib")
    done = program(
        """
import joblib
run = tb.init("p", "parent", capture=False)
joblib.Parallel(2)(joblib.delayed(log_to)(run, value) for value in range(4))
""",
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert sorted(tb.get_run("parent", "p").history("of child")["value"].to_list()) == [0, 1, 2, 3]


def test_run_unpickled_elsewhere_can_only_be_logged_to(tmp_path: Path) -> None:
    run = tb.init("p", "parent", capture=False)
    (tmp_path / "run").write_bytes(pickle.dumps(run))
    code = f"""
import pickle
run = pickle.load(open({str(tmp_path / "run")!r}, "rb"))
run.log({{"a": 1.0}})
try:
    run.name = "other"
except RuntimeError as error:
    print(error)
run.finish()
print(run.state)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "this process can only log to run 'parent'; read and change the run in its parent\nrunning\n"
    assert run.state == "running"
    assert run.history()["value"].to_list() == [1.0]
    assert writer_of(run).name == "parent"
    run.finish()
