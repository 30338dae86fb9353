"""Programs that end badly on failing machines: no returned call of `log` is lost, and training continues."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from journals import points as rows_of
from killing import trial
from trackbook.tracking.project import Project
from trackbook.types import RunRecord

pytestmark = pytest.mark.slow

ALARM = 60  # seconds after which a program dies with its traceback, so that it neither hangs nor stays
TIMEOUT = ALARM + 30
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither such signals nor fork")
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc or tmpfs")


def program(text: str, *arguments: object, **options: object) -> subprocess.Popen[str]:
    """Start a program. In it, `folder` is the folder of its project, and `say` and `listen` talk with the test."""
    head = f"""
import faulthandler, os, signal, sys, time
if hasattr(signal, "alarm"):
    faulthandler.register(signal.SIGALRM, chain=True)
    signal.alarm({ALARM})
from pathlib import Path
import trackbook as tb
from trackbook.tracking.run import writer_of
folder = Path(sys.argv[1])
def say(word): os.write(1, str(word).encode() + b"\\n")  # a print may be interrupted by a signal handler that says something
def listen(): return sys.stdin.readline().strip()
"""
    return subprocess.Popen(
        [sys.executable, "-W", "always", "-c", head + textwrap.dedent(text), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def heard(running: subprocess.Popen[str]) -> str:
    assert running.stdout is not None
    return running.stdout.readline().strip()


def tell(running: subprocess.Popen[str], word: str = "go") -> None:
    assert running.stdin is not None
    running.stdin.write(word + "\n")
    running.stdin.flush()


class Found:
    """The data that the next opener finds."""

    def __init__(self, folder: Path, project: str = "p") -> None:
        home = Project(project, folder)
        home.recover()
        self.runs: list[RunRecord] = home.store.runs()
        self.points = {run.id: rows_of(home.store.read(run.id)) for run in self.runs}
        self.notices = home.store.notices
        self.journals = sorted(home.journals.glob("*/*"))
        home.store.close()

    @property
    def state(self) -> str:
        (run,) = self.runs
        return run.state

    def steps(self, metric: str = "a") -> list[int]:
        (points,) = self.points.values()
        return sorted(step for name, step, _ in points if name == metric)

    def values(self, metric: str = "a") -> list[float]:
        (points,) = self.points.values()
        return sorted(value for name, _, value in points if name == metric)


def done(running: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for the end; return exit code and stderr."""
    _, errors = running.communicate(timeout=TIMEOUT)
    return running.returncode, errors


# --- SIGKILL ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_a_program_that_is_killed_loses_no_call_that_returned(tmp_path: Path, seed: int) -> None:
    outcome = trial(tmp_path, seed)
    assert outcome.returned > 0
    assert (outcome.lost, outcome.duplicates, outcome.state) == (0, 0, "lost")


def test_kill_on_a_network_file_system_loses_nothing(tmp_path: Path) -> None:
    running = program(
        """
        from trackbook import filesystem
        filesystem.is_network = lambda _: True
        run = tb.init("p", dir=folder)
        for step in range(20_000):
            tb.log({"a": step})
        assert "mmap.mmap" not in repr(run._recorder.journal._segment.buffer)
        os.kill(os.getpid(), 9)
        """,
        tmp_path,
    )
    done(running)
    found = Found(tmp_path)
    assert found.steps() == list(range(20_000))
    assert found.state == "lost"


# --- other ends -------------------------------------------------------------------------------------------------------

ENDS = {
    "returns": ("pass", 0, "finished"),
    "exits": ("sys.exit(0)", 0, "finished"),
    "raises": ("raise ValueError('bad batch')", 1, "failed"),
    "is interrupted": ("os.kill(os.getpid(), signal.SIGINT); time.sleep(60)", None, "interrupted"),
    "is terminated": ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)", -15, "lost"),
    "leaves at once": ("os._exit(3)", 3, "lost"),
}


@posix
@pytest.mark.parametrize("end", ENDS)
def test_program_that_ends_in_any_way_loses_nothing(tmp_path: Path, end: str) -> None:
    act, code, state = ENDS[end]
    running = program(
        f"""
        tb.init("p", dir=folder)
        for step in range(1000):
            tb.log({{"a": step, "b": step}})
        {act}
        """,
        tmp_path,
    )
    assert code in (None, done(running)[0])
    running.wait(TIMEOUT)
    found = Found(tmp_path)
    assert found.state == state
    assert found.steps("a") == found.steps("b") == list(range(1000))
    assert found.journals == []
    running.communicate()


@posix
def test_a_program_with_a_handler_of_its_own_for_sigterm_keeps_it(tmp_path: Path) -> None:
    running = program(
        """
        def handle(*_):
            tb.log({"a": 7.0})
            tb.finish()
            say("mine")
            sys.exit(5)
        signal.signal(signal.SIGTERM, handle)
        tb.init("p", dir=folder)
        say("ready")
        while True:
            tb.log({"b": 0.5})
        """,
        tmp_path,
    )
    assert heard(running) == "ready"
    running.send_signal(signal.SIGTERM)
    assert heard(running) == "mine"
    assert done(running)[0] == 5
    found = Found(tmp_path)
    assert (found.state, found.values("a")) == ("finished", [7.0])


def test_a_program_that_ends_with_a_million_points_to_write_loses_none(tmp_path: Path) -> None:
    running = program(
        """
        tb.init("p", dir=folder)
        values = {f"m{number}": 0.5 for number in range(1000)}
        tb.log(values)
        for _ in range(999):
            tb.log(values)
        """,
        tmp_path,
    )
    code, errors = done(running)
    assert (code, errors) == (0, "")
    found = Found(tmp_path)
    assert found.state == "finished"
    (points,) = found.points.values()
    assert len(points) == 1_000_000
    assert found.steps("m999") == list(range(1000))


def test_a_file_that_is_locked_at_the_end_costs_neither_points_nor_the_state(tmp_path: Path) -> None:
    running = program(
        """
        import sqlite3
        tb.init("p", dir=folder, config={"lr": 0.1})
        tb.log({"a": 0.5})
        other = sqlite3.connect(folder / "p.trackbook.db", isolation_level=None)
        other.execute("begin exclusive")
        """,
        tmp_path,
    )
    assert done(running)[0] == 0
    found = Found(tmp_path)
    assert (found.state, found.values()) == ("finished", [0.5])
    assert found.runs[0].config == {"lr": 0.1}


# --- forks ------------------------------------------------------------------------------------------------------------

FORKING = """
import multiprocessing, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # of forking while threads run: that is the point
context = multiprocessing.get_context("fork")
def forked(work):
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return child
"""


def forking(text: str, *arguments: object) -> subprocess.Popen[str]:
    return program(FORKING + textwrap.dedent(text), *arguments)


@posix
@pytest.mark.parametrize("by", ["metric", "run"])
def test_children_log_to_the_parents_run_while_the_pump_works(tmp_path: Path, by: str) -> None:
    running = forking(
        f"""
        run = tb.init("p", dir=folder, step_by="{by}")
        def work(child):
            for _ in range(500):
                tb.log({{"a": 1.0, f"own {{child}}": 1.0}})
        for _ in range(1000):
            tb.log({{"a": 0.0}})
        children = [context.Process(target=work, args=(child,)) for child in range(4)]
        for child in children:
            child.start()
            for _ in range(1000):
                tb.log({{"a": 0.0}})
        for child in children:
            child.join()
        print([child.exitcode for child in children])
        tb.finish()
        """,
        tmp_path,
    )
    output, errors = running.communicate(timeout=TIMEOUT)
    assert (output.strip(), errors) == ("[0, 0, 0, 0]", "")
    found = Found(tmp_path)
    values = found.values()
    assert (values.count(0.0), values.count(1.0)) == (5000, 2000)
    assert found.steps() == list(range(7000))
    for child in range(4):
        assert len(found.steps(f"own {child}")) == 500
        if by == "metric":
            assert found.steps(f"own {child}") == list(range(500))
    assert found.state == "finished"
    assert found.journals == []


@posix
def test_a_childs_explicit_steps_are_kept_and_the_first_write_wins(tmp_path: Path) -> None:
    running = forking(
        """
        run = tb.init("p", dir=folder)
        tb.log({"a": 0.5}, step=10)
        def work():
            tb.log({"a": 1.5}, step=20)
            tb.log({"a": 2.5}, step=10)
            tb.log({"a": 3.5})
        os.waitpid(forked(work), 0)
        writer_of(run).hand_over()
        tb.log({"a": 4.5})
        """,
        tmp_path,
    )
    _, errors = done(running)
    assert errors.count("was logged twice at one step") == 1
    (points,) = Found(tmp_path).points.values()
    assert points == [("a", 10, 0.5), ("a", 20, 1.5), ("a", 21, 3.5), ("a", 22, 4.5)]


@posix
def test_a_child_that_is_killed_loses_nothing(tmp_path: Path) -> None:
    running = forking(
        """
        tb.init("p", dir=folder)
        tb.log({"a": 0.0})
        def work():
            for _ in range(1000):
                tb.log({"a": 1.0})
            os.kill(os.getpid(), 9)
        os.waitpid(forked(work), 0)
        tb.log({"b": 0.0})
        """,
        tmp_path,
    )
    assert done(running) == (0, "")
    found = Found(tmp_path)
    assert found.values() == [0.0] + [1.0] * 1000
    assert found.steps() == list(range(1001))
    assert found.journals == []


@posix
@pytest.mark.parametrize("end", ["os._exit(0)", "os.kill(os.getpid(), 9)", "sys.exit(0)"])
def test_child_that_outlives_its_parent_keeps_logging(tmp_path: Path, end: str) -> None:
    running = forking(
        f"""
        tb.init("p", dir=folder)
        tb.log({{"a": 0.0}})
        def work():
            tb.log({{"a": 1.0}})
            say(os.getpid())
            listen()
            for _ in range(100):
                tb.log({{"a": 2.0}})
            say("logged")
            listen()
        if not os.environ.get("x"):
            forked(work)
            time.sleep(0.01)
        {end}
        """,
        tmp_path,
    )
    assert heard(running).isdigit()
    running.wait(TIMEOUT)
    state = {"sys.exit(0)": "finished"}.get(end, "running")  # as long as the child lives it is not lost
    found = Found(tmp_path)
    assert (found.state, found.values()[0]) == (state, 0.0)
    tell(running)
    assert heard(running) == "logged"
    tell(running)
    running.communicate(timeout=TIMEOUT)
    found = Found(tmp_path)
    assert found.values() == [0.0, 1.0] + [2.0] * 100
    assert found.steps() == list(range(102))
    assert found.state == {"running": "lost"}.get(state, state)
    assert found.journals == []


@posix
def test_a_child_does_not_keep_its_parents_run_alive(tmp_path: Path) -> None:
    """A child that never logs holds no lock, and leaves no files."""
    running = forking(
        """
        tb.init("p", dir=folder)
        tb.log({"a": 0.0})
        def work():
            say("here")
            listen()
        forked(work)
        os.kill(os.getpid(), 9)
        """,
        tmp_path,
    )
    assert heard(running) == "here"  # a child that has just begun still has its parent's lock
    running.wait(TIMEOUT)
    found = Found(tmp_path)
    assert (found.state, found.values(), found.journals) == ("lost", [0.0], [])
    tell(running)
    running.communicate(timeout=TIMEOUT)
    assert Found(tmp_path).journals == []


@posix
def test_reading_in_a_forked_child_is_an_error_with_the_remedy(tmp_path: Path) -> None:
    running = forking(
        """
        run = tb.init("p", dir=folder)
        tb.log({"a": 0.0})
        def work():
            for act in (lambda: tb.init("p", id="x", dir=folder), lambda: tb.runs(), lambda: tb.runs("p"), run.history,
                        lambda: run.summary["a"], lambda: run.config.update(lr=1), lambda: tb.board("p")):
                try:
                    act()
                except RuntimeError as error:
                    say(error)
                else:
                    say("nothing")
        os.waitpid(forked(work), 0)
        """,
        tmp_path,
    )
    output, errors = running.communicate(timeout=TIMEOUT)
    assert errors == ""
    init, runs, named, history, summary, config, board = output.splitlines()
    for said in (init, runs, named, board):
        assert "get_context('spawn')" in said
    for said in (history, summary, config):
        assert "read and change the run in its parent" in said


@posix
def test_children_of_children_may_log_and_exit(tmp_path: Path) -> None:
    running = forking(
        """
        tb.init("p", dir=folder)
        tb.log({"a": 0.0})
        child = os.fork()
        if child == 0:
            tb.log({"a": 1.0})
            grandchild = os.fork()
            tb.log({"a": 2.0})
            if grandchild:
                os.waitpid(grandchild, 0)
            sys.exit(0)
        os.waitpid(child, 0)
        """,
        tmp_path,
    )
    assert done(running) == (0, "")
    found = Found(tmp_path)
    assert found.values() == [0.0, 1.0, 2.0, 2.0]
    assert found.steps() == [0, 1, 2, 3]
    assert (found.state, found.journals) == ("finished", [])


@posix
def test_terminating_a_child_is_unchanged(tmp_path: Path) -> None:
    running = forking(
        """
        tb.init("p", dir=folder)
        child = context.Process(target=lambda: (tb.log({"a": 1.0}), say("logged"), time.sleep(60)))
        child.start()
        listen()
        child.terminate()
        child.join()
        say(child.exitcode)
        """,
        tmp_path,
    )
    assert heard(running) == "logged"
    tell(running)
    assert heard(running) == str(-signal.SIGTERM)
    assert done(running) == (0, "")
    assert Found(tmp_path).values() == [1.0]


@posix
def test_child_forked_before_init_may_begin_a_run(tmp_path: Path) -> None:
    running = forking(
        """
        assert "polars" not in sys.modules
        child = os.fork()
        if child == 0:
            tb.init("p", dir=folder)
            tb.log({"a": 1.0})
            sys.exit(0)
        os.waitpid(child, 0)
        """,
        tmp_path,
    )
    assert done(running) == (0, "")
    found = Found(tmp_path)
    assert (found.state, found.values()) == ("finished", [1.0])


@posix
def test_child_forked_at_any_moment_can_log(tmp_path: Path) -> None:
    """A thread forks at random moments while the main thread logs and the pump works."""
    running = forking(
        """
        import random, threading
        run = tb.init("p", dir=folder)
        codes = []
        def fork():
            for child in range(20):
                time.sleep(random.random() * 0.02)
                _, status = os.waitpid(forked(lambda: tb.log({"child": child})), 0)
                codes.append(status)
        thread = threading.Thread(target=fork)
        thread.start()
        calls = 0
        while thread.is_alive():
            tb.log({"a": 0.5, "b": 0.5})
            calls += 1
            if calls % 1000 == 0:
                run.history("a")
        say(calls)
        say(codes == [0] * 20)
        """,
        tmp_path,
    )
    output, errors = running.communicate(timeout=TIMEOUT)
    calls, well = output.split()
    assert (well, errors) == ("True", "")
    found = Found(tmp_path)
    assert found.values("child") == list(range(20))
    assert found.steps("a") == found.steps("b") == list(range(int(calls)))


# --- many and much ----------------------------------------------------------------------------------------------------


def test_200_threads_at_once(tmp_path: Path) -> None:
    running = program(
        """
        import threading
        tb.init("p", dir=folder)
        def work(number):
            start.wait()
            for _ in range(50):
                tb.log({"a": float(number), f"own {number}": 0.5})
        start = threading.Event()
        threads = [threading.Thread(target=work, args=(number,)) for number in range(200)]
        for thread in threads:
            thread.start()
        start.set()
        for thread in threads:
            thread.join()
        """,
        tmp_path,
    )
    assert done(running) == (0, "")
    found = Found(tmp_path)
    assert found.steps() == list(range(10_000))
    assert found.values() == sorted(float(number) for number in range(200) for _ in range(50))
    for number in range(0, 200, 20):
        assert found.steps(f"own {number}") == list(range(50))


def test_10_000_names_and_a_call_of_100_000(tmp_path: Path) -> None:
    running = program(
        """
        tb.init("p", dir=folder)
        for number in range(10_000):
            tb.log({f"m{number}": number})
        tb.log({f"m{number}": number for number in range(100_000)})
        os._exit(0)
        """,
        tmp_path,
    )
    assert done(running) == (0, "")
    found = Found(tmp_path)
    (points,) = found.points.values()
    assert len(points) == 110_000
    assert {(f"m{number}", int(number < 10_000), float(number)) for number in range(100_000)} <= set(points)


def test_a_clock_that_goes_backwards(tmp_path: Path) -> None:
    running = program(
        """
        clock = time.time
        run = tb.init("p", dir=folder)
        for step, now in enumerate([5e9, 1e9, 0.0, -1e9, 2e9]):
            time.time = lambda: now
            tb.log({"a": step})
        time.time = clock
        print(run.history()["time"].to_list())
        """,
        tmp_path,
    )
    output, errors = running.communicate(timeout=TIMEOUT)
    assert (output.strip(), errors) == ("[5000000000.0, 1000000000.0, 0.0, -1000000000.0, 2000000000.0]", "")
    assert Found(tmp_path).values() == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_an_array_that_changes_after_the_call(tmp_path: Path) -> None:
    running = program(
        """
        import numpy as np
        tb.init("p", dir=folder)
        loss = np.zeros(())
        for step in range(1000):
            loss[...] = step
            tb.log({"a": loss})
            loss[...] = -1.0
        os._exit(0)
        """,
        tmp_path,
    )
    assert done(running) == (0, "")
    assert Found(tmp_path).values() == list(range(1000))


@linux
def test_backlog_of_a_stuck_pump_is_on_disk(tmp_path: Path) -> None:
    running = program(
        """
        import threading
        def memory():  # of its own; pages of the journal's files are the machine's, which takes them when it needs to
            for line in Path("/proc/self/status").read_text().splitlines():
                if line.startswith("RssAnon:"):
                    return int(line.split()[1]) / 1024
        run = tb.init("p", dir=folder)
        values = {f"m{number}": 0.5 for number in range(10)}
        tb.log(values)
        writer_of(run).hand_over()
        stuck = writer_of(run)._lock
        locked, go_on = threading.Event(), threading.Event()
        def hold():
            with stuck:
                locked.set()
                go_on.wait()
        threading.Thread(target=hold, daemon=True).start()
        locked.wait()
        before = memory()
        for _ in range(200_000):
            tb.log(values)
        say(memory() - before)
        say(sum(path.stat().st_size for path in folder.glob("p.journals/*/*.seg")))
        go_on.set()
        tb.finish()
        """,
        tmp_path,
    )
    grown, on_disk = float(heard(running)), int(heard(running))
    assert done(running) == (0, "")
    assert grown < 16  # MB, for 2 million records of 32 bytes
    assert on_disk >= 64_000_000
    assert Found(tmp_path).steps("m9") == list(range(200_001))


# --- disks ------------------------------------------------------------------------------------------------------------


def mount(*arguments: object) -> None:
    """Mount a file system, or skip the test if that is not allowed."""
    done = subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True, check=False, timeout=TIMEOUT)
    if done.returncode:
        pytest.skip(f"cannot mount a small disk: {done.stderr.strip()}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 2 MB."""
    if shutil.which("mount") is None:
        pytest.skip("there is no mount")
    folder = tmp_path / "disk"
    folder.mkdir()
    mount("-t", "tmpfs", "-o", "size=2m", "tmpfs", folder)
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True, timeout=TIMEOUT)


@linux
def test_training_continues_on_a_full_disk_with_one_warning(small_disk: Path) -> None:
    """Both journal and store meet the full disk, and the store can still read."""
    running = program(
        """
        import random
        run = tb.init("p", dir=folder)
        tb.log({"a": 0.0})
        writer_of(run).hand_over()
        assert writer_of(run).store.flush()
        with open(folder / "ballast", "wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(bytes(512))
            except OSError:
                pass
        # More than the journal's first segment takes; and of values that do not shrink more than it leaves when the store has
        # its points, so that the store meets the full disk as well, however often it flushes meanwhile.
        for step in range(10_000):
            tb.log({f"m{number}": random.random() for number in range(10)})
        while not (run._recorder.journal.notices and writer_of(run).store.failures):
            time.sleep(0.01)
        tb.log({"a": 1.0})
        say(run.history("a")["value"].to_list())
        say(len(run.history("m9")))
        say(len(writer_of(run).store.notices))
        (folder / "ballast").unlink()
        """,
        small_disk,
    )
    output, errors = running.communicate(timeout=TIMEOUT)
    assert running.returncode == 0, errors  # no SIGBUS
    assert output.split("\n")[:3] == ["[0.0, 1.0]", "10000", "1"]
    assert errors.count("TrackbookWarning") == 1, errors
    assert str(small_disk) in errors
    found = Found(small_disk)
    assert (found.state, found.values("a")) == ("finished", [0.0, 1.0])
    assert found.steps("m9") == list(range(10_000))


@linux
def test_points_are_written_once_a_full_disk_has_room(small_disk: Path) -> None:
    """The journal fills the disk while nothing drains it."""
    running = program(
        """
        run = tb.init("p", dir=folder)
        with writer_of(run)._lock:
            for step in range(10_000):
                tb.log({f"m{number}": step / 7 + number for number in range(10)})
            assert "No space left" in run._recorder.journal.notices[0]
        say("full")
        listen()
        tb.finish()
        say(writer_of(run).store.notices)
        """,
        small_disk,
    )
    assert heard(running) == "full"
    mount("-o", "remount,size=2g", small_disk)
    tell(running)
    assert heard(running) == "[]"
    code, errors = done(running)
    assert code == 0, errors
    assert errors.count("TrackbookWarning") <= 1, errors
    found = Found(small_disk)
    assert found.state == "finished"
    assert found.steps("m9") == list(range(10_000))


@pytest.mark.parametrize("fails", ["allocating", "naming", "writing through"])
def test_simulated_full_disk_stops_nothing(tmp_path: Path, fails: str) -> None:
    """The same without a real disk, for machines that do not allow mounting."""
    act = {
        "allocating": "filesystem.allocate = full",
        "naming": "filesystem.write_all = full",
        "writing through": "filesystem.is_network = lambda _: True; filesystem.write_at = full",
    }[fails]
    running = program(
        f"""
        from trackbook import filesystem
        def full(*_):
            raise OSError(28, "No space left on device")
        working = vars(filesystem).copy()
        {act}
        run = tb.init("p", dir=folder)
        for step in range(20_000):
            tb.log({{"a": step, f"m{{step % 10}}": 0.5}})
        while not any("Cannot keep a journal" in sentence for sentence in tuple(writer_of(run).findings.noted)):
            time.sleep(0.01)
        tb.log({{"a": 20_000}})
        vars(filesystem).update(working)
        for step in range(20_001, 40_000):
            tb.log({{"a": step}})
        """,
        tmp_path,
    )
    code, errors = done(running)
    assert code == 0, errors
    assert errors.count("Cannot keep a journal") == 1, errors
    found = Found(tmp_path)
    assert found.values() == list(range(40_000))
    assert found.journals == []


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    running = program(
        """
        run = tb.init("p", dir=folder / "file" / "store")
        for step in range(1000):
            tb.log({"a": step})
        print(run.history()["step"].to_list() == list(range(1000)))
        """,
        tmp_path,
    )
    output, errors = running.communicate(timeout=TIMEOUT)
    assert (running.returncode, output.strip()) == (0, "True"), errors
    assert errors.count("TrackbookWarning") == 1, errors


@linux
def test_a_folder_that_is_read_only(small_disk: Path) -> None:
    mount("-o", "remount,ro", small_disk)
    running = program(
        """
        run = tb.init("p", dir=folder)
        for step in range(1000):
            tb.log({"a": step})
        print(run.history()["step"].to_list() == list(range(1000)))
        """,
        small_disk,
    )
    output, errors = running.communicate(timeout=TIMEOUT)
    assert (running.returncode, output.strip()) == (0, "True"), errors
    assert errors.count("TrackbookWarning") == 1, errors
