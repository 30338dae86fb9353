from __future__ import annotations

import io
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import hypothesis
import polars as pl
import pytest
from hypothesis import strategies as st

import trackbook as tb
from kernels import client_of, environment_of
from screens import expected
from test_interrupts import Interruption
from trackbook.capture.console import line_buffer as lines_module
from trackbook.capture.console import recorder
from trackbook.capture.console.recorder import ConsoleCapture, WriteBatch
from trackbook.capture.console.terminal import HEIGHT, Terminal
from trackbook.journal.null_journal import NullJournal
from trackbook.pump import Pump
from trackbook.store.memory import MemoryStore
from trackbook.tracking.run_writer import RunWriter
from trackbook.types import RunRecord

if TYPE_CHECKING:
    from nbclient import NotebookClient

TerminalRow = tuple[Any, ...]


class Stream(io.TextIOBase):
    """A stream as of a notebook's host: of its own type, without a file."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def write(self, text: str) -> int:
        self.shown.append(text)
        return len(text)


class Bench:
    """A console capture with its own streams, and runs that only the test serves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch
        self.cells: dict[str, int | None] = {}
        self.out, self.err = Stream(), Stream()
        self.is_used = False
        self.console = ConsoleCapture(Pump(), lambda run: self.cells.get(run.id))
        self.store = MemoryStore()
        self.open: list[RunWriter] = []
        self.monkeypatch.setattr(self.console._pump, "add", lambda _: None)

    def use(self, out: Any, err: Any) -> None:
        self.is_used = True
        self.monkeypatch.setattr(sys, "stdout", out)
        self.monkeypatch.setattr(sys, "stderr", err)

    def begin(self, name: str = "r") -> RunWriter:
        if not self.is_used:  # not before: pytest has streams of its own for each phase of a test
            self.use(self.out, self.err)
        run = RunWriter("p", RunRecord(name, name, 1.0), self.store, NullJournal())
        self.console.begin(run)
        self.open.append(run)
        return run

    def end(self, run: RunWriter) -> None:
        self.open.remove(run)
        self.console.end(run)

    def rows(self, run: RunWriter) -> list[TerminalRow]:
        self.console.store()
        return self.store.captured(run.id, "console")

    def texts(self, run: RunWriter) -> list[str]:
        return [row[2] for row in self.rows(run)]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    bench = Bench(monkeypatch)
    yield bench
    for run in bench.open:
        bench.console.end(run)


# --- what is recorded -------------------------------------------------------------------------------------------------


def test_lines_have_stream_time_and_cell(bench: Bench) -> None:
    run = bench.begin()
    bench.cells["r"] = 3
    before = time.time()
    print("hello", "world")
    print("trouble", file=sys.stderr)
    bench.cells["r"] = None
    bench.console.cell_began()
    print("between")
    rows = bench.rows(run)
    assert [(line, stream, text, cell) for line, stream, text, _, cell in rows] == [
        (0, "stdout", "hello world", 3),
        (1, "stderr", "trouble", 3),
        (2, "stdout", "between", None),
    ]
    assert all(before <= row[3] <= time.time() for row in rows)
    assert (bench.out.shown, bench.err.shown) == (
        ["hello", " ", "world", "\n", "between", "\n"],
        ["trouble", "\n"],
    )


def test_logging_is_recorded_once_as_its_handler_shows_it(bench: Bench) -> None:
    run = bench.begin()
    logger, handler = logging.getLogger("a logger of test_console"), logging.StreamHandler()
    logger.addHandler(handler)
    logger.warning("careful")
    logger.removeHandler(handler)
    assert [row[1:3] for row in bench.rows(run)] == [("stderr", "careful")]


def test_progress_bar_is_one_line_that_changes(bench: Bench) -> None:
    run = bench.begin()
    for i in range(5):
        sys.stderr.write(f"\r{i * 25:3}%|{'#' * i:4}|")
        assert bench.texts(run) == [f"{i * 25:3}%|{'#' * i:4}|"]
    sys.stderr.write("\r" + " " * 20 + "\r")
    assert bench.texts(run) == []
    print("done")
    assert bench.texts(run) == ["done"]


def test_a_redirected_stream_is_not_recorded(bench: Bench, tmp_path: Path) -> None:
    run = bench.begin()
    with redirect_stdout(io.StringIO()):
        bench.console.look()
        print("hidden")
    with (tmp_path / "log.txt").open("w") as file, redirect_stdout(file):
        bench.console.look()
        print("in a file")
    print("shown")
    assert bench.texts(run) == ["shown"]


def test_forwarding_stream_is_recorded_once(bench: Bench) -> None:
    class Tee(Stream):
        def write(self, text: str) -> int:
            return bench.out.write(text)

    run = bench.begin()
    bench.use(Tee(), bench.err)
    bench.console.look()
    print("to both")
    two = bench.begin("two")
    bench.use(bench.out, bench.err)
    print("to one")
    assert (bench.texts(run), bench.texts(two)) == (["to both", "to one"], ["to one"])


def test_run_opened_under_a_user_stream_is_recorded(bench: Bench) -> None:
    class Tee(Stream):
        def write(self, text: str) -> int:
            return bench.out.write(text)

    bench.use(Tee(), Tee())
    run = bench.begin()
    print("hello")
    assert bench.texts(run) == ["hello"]


def test_replacement_stream_of_the_same_type_is_recorded(bench: Bench) -> None:
    run = bench.begin()
    print("first")
    bench.use(Stream(), bench.err)
    bench.console.cell_began()
    print("second")
    bench.use(bench.out, bench.err)
    print("third")
    assert bench.texts(run) == ["first", "second", "third"]


def test_each_of_two_runs_has_its_own_output(bench: Bench) -> None:
    one = bench.begin("one")
    print("a")
    two = bench.begin("two")
    print("b")
    bench.end(one)
    print("c")
    bench.end(two)
    print("d")
    assert (bench.texts(one), bench.texts(two)) == (["a", "b"], ["b", "c"])


def test_resumed_run_continues_after_its_lines(bench: Bench) -> None:
    run = bench.begin()
    print("a")
    bench.end(run)
    run = bench.begin()
    print("b")
    assert [row[:3] for row in bench.rows(run)] == [(0, "stdout", "a"), (1, "stdout", "b")]


def test_secrets_are_redacted_even_over_several_lines(bench: Bench) -> None:
    run = bench.begin()
    print("before\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nafter")
    assert bench.texts(run) == ["before", "[redacted]", "[redacted]", "[redacted]", "after"]
    print("password=12345")
    assert bench.texts(run)[5:] == ["password=[redacted]"]


class Slotted:
    """A stream without `__dict__`, as in some hosts and tests."""

    __slots__ = ("shown",)

    def __init__(self) -> None:
        self.shown: list[str] = []

    def write(self, text: str) -> int:
        self.shown.append(text)
        return len(text)

    def flush(self) -> None: ...


def test_stream_with_slots_works_and_the_other_is_recorded(bench: Bench) -> None:
    out = Slotted()
    bench.use(out, bench.err)
    run = bench.begin()
    print("out")
    print("err", file=sys.stderr)
    assert out.shown == ["out", "\n"]
    assert bench.texts(run) == ["err"]


def test_later_stream_with_slots_breaks_nothing(bench: Bench) -> None:
    run = bench.begin()
    print("before")
    out = Slotted()
    bench.use(out, bench.err)
    bench.console.tick(time.monotonic() + 10)
    print("after")
    assert out.shown == ["after", "\n"]
    assert bench.texts(run) == ["before"]


def test_lone_surrogates_are_escaped(bench: Bench) -> None:
    run = bench.begin()
    print("a\udc80b")
    assert bench.texts(run) == ["a\\udc80b"]


# --- bounds -----------------------------------------------------------------------------------------------------------


def test_100_000_lines_equal_a_terminal_except_a_marked_cut(bench: Bench) -> None:
    run = bench.begin()
    for i in range(100_000):
        print("line", i)
        if i % 30_000 == 0:
            bench.console.store()
    rows = bench.rows(run)
    numbers = [row[0] for row in rows]
    (cut,) = [row for row in rows if row[1] == "cut"]
    first, last = rows[: rows.index(cut)], rows[rows.index(cut) + 1 :]
    assert len(first) == lines_module.FIRST
    assert lines_module.LAST <= len(last) <= lines_module.LAST + HEIGHT
    assert [row[2] for row in first + last] == [f"line {row[0]}" for row in first + last]
    assert (numbers[0], numbers[-1], numbers) == (0, 99_999, sorted(numbers))
    assert cut[2] == f"{100_000 - len(first) - len(last):,} lines left out"


@pytest.mark.parametrize("often", [True, False])
def test_long_lines_count_by_their_characters(bench: Bench, often: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "FIRST_CHARACTERS", 3_000)
    monkeypatch.setattr(lines_module, "LAST_CHARACTERS", 5_000)
    run = bench.begin()
    for i in range(HEIGHT + 20):
        print(f"{i:1000}")
        if often:
            bench.console.store()
    numbers = [row[0] for row in bench.rows(run)]
    assert numbers == [0, 1, 2, 3, *range(16, HEIGHT + 20)]
    assert bench.texts(run)[3] == "13 lines left out"


TEXTS = st.text(st.sampled_from("ab\n\n\n\t"), max_size=12) | st.sampled_from(
    ["\x1b[2A", "\rx", "\x1b", "a\n\vb\n", "\b\b", "\x85"]
)
PARTS = st.lists(st.tuples(st.sampled_from(["stdout", "stderr"]), TEXTS, st.booleans(), st.integers(0, 9)), max_size=60)


@hypothesis.given(parts=PARTS)
def test_dropped_lines_are_not_parsed(parts: list[tuple[str, str, bool, int]]) -> None:
    """The stored lines are those that the terminal would have produced."""

    def stored(plain: Callable[[Terminal, str], bool], times: int) -> list[TerminalRow]:
        store = MemoryStore()
        run = RunWriter("p", RunRecord("r", "r", 1.0), store, NullJournal())
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {"FIRST": 3, "LAST": 5, "_MARGIN": HEIGHT}.items():
                patch.setattr(lines_module, name, value)
            patch.setattr(Terminal, "is_plain", plain)
            record = lines_module.ConsoleLines(run, 0)
            for at, (stream, text, apart, chance) in enumerate(parts):
                record.feed(stream, float(at), None, text * times, apart=apart and not chance)
                if not chance:
                    record.store()
            record.store()
        # the time of a cut is when it was made; an empty line below the cursor may be made anew
        rows = store.captured("r", "console")
        return [(row[0], row[2]) if row[1] == "cut" or not row[2] else row for row in rows]

    assert stored(Terminal.is_plain, 60) == stored(lambda *_: False, 60)


def test_a_flood_is_stored_less_often(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    run = bench.begin()
    store = lines_module.ConsoleLines.store
    monkeypatch.setattr(lines_module.ConsoleLines, "store", lambda record: (time.sleep(0.05), store(record)))

    def stored_at(now: float) -> list[str]:
        print(now)
        bench.console.tick(now)
        return [row[2] for row in bench.store.captured(run.id, "console")]

    assert stored_at(1.0) == ["1.0"]
    assert stored_at(1.0 + recorder.SLOWEST_SECONDS - 0.1) == ["1.0"]
    assert stored_at(1.0 + recorder.SLOWEST_SECONDS + 0.1) == ["1.0", "2.9", "3.1"]


def test_a_quiet_console_is_read_once_a_second(bench: Bench) -> None:
    run = bench.begin()
    print("text")
    assert [bench.console.tick(now) for now in (100.0, 104.9)] == pytest.approx([recorder.SECONDS] * 2)
    assert bench.console.tick(106.0) == recorder.QUIET_SECONDS
    print("more")
    assert bench.console.tick(107.0) == pytest.approx(recorder.SECONDS)
    assert bench.texts(run) == ["text", "more"]


def test_many_writes_do_not_wait_for_the_pump(bench: Bench) -> None:
    run = bench.begin()
    most = 0
    for i in range(3 * recorder._BACKLOG):
        sys.stdout.write(f"{i}\n")
        most = max(most, sum(len(batch.texts) for batch in bench.console._batches))
    assert most < 1.5 * recorder._BACKLOG
    assert bench.texts(run)[-1] == str(3 * recorder._BACKLOG - 1)


# --- what the user sees -----------------------------------------------------------------------------------------------


def test_streams_are_as_before_when_no_run_is_open(bench: Bench) -> None:
    one, two = bench.begin("one"), bench.begin("two")
    bench.end(one)
    assert "write" in vars(bench.out)
    bench.end(two)
    assert ("write" in vars(bench.out), "write" in vars(bench.err)) == (False, False)


def test_other_wrappers_stay_in_place(bench: Bench) -> None:
    wrapped: list[str] = []
    theirs: Callable[[str], int] = lambda text: wrapped.append(text) or len(text)  # noqa: E731
    bench.out.write = theirs  # type: ignore[method-assign]
    run = bench.begin()
    print("a")
    ours = bench.err.write
    bench.err.write = outer = lambda text: 0 + ours(text)  # type: ignore[method-assign]
    print("b", file=sys.stderr)
    assert bench.texts(run) == ["a", "b"]
    bench.end(run)
    assert (bench.out.write, bench.err.write) == (theirs, outer)
    print("c", file=sys.stderr)
    assert bench.err.shown == ["b", "\n", "c", "\n"]
    run = bench.begin("two")
    print("d", file=sys.stderr)
    assert (bench.texts(run), bench.err.write) == (["d"], outer)


def test_stream_with_restored_write_is_tapped_again(bench: Bench) -> None:
    """As with IPython 9, which wraps `write` during each cell."""
    bench.use(bench.out, bench.err)
    before = bench.out.write
    bench.out.write = lambda text: 0 + before(text)  # type: ignore[method-assign]
    run = bench.begin()
    print("a")
    bench.out.write = before  # type: ignore[method-assign]
    bench.console.cell_began()
    print("b")
    ours = bench.out.write
    bench.out.write = wrapped = lambda text: 0 + ours(text)  # type: ignore[method-assign]
    bench.console.cell_began()
    print("c")
    assert bench.out.write is wrapped
    assert bench.texts(run) == ["a", "b", "c"]


def test_stream_on_a_file_is_observed_at_its_buffer(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "is_shown", lambda *_: True)
    with tempfile.TemporaryFile() as file, io.TextIOWrapper(file, "utf-16-le", write_through=False) as stream:
        bench.use(stream, bench.err)
        print("before")
        run = bench.begin()
        print("grün", flush=True)
        stream.buffer.write(b"a")
        stream.buffer.write(b"\0\n\0")
        assert bench.texts(run) == ["grün", "a"]
        bench.end(run)
        assert ("write" in vars(stream), "write" in vars(stream.buffer)) == (False, False)
        file.seek(0)
        assert file.read().decode("utf-16-le") == "before\ngrün\na\n"


def test_write_returns_and_raises_as_before(bench: Bench) -> None:
    run = bench.begin()
    assert sys.stdout.write("four") == 4
    bench.out.shown = None  # type: ignore[assignment]
    with pytest.raises(AttributeError):
        print("not shown")
    with pytest.raises(TypeError):
        sys.stdout.write()  # type: ignore[call-arg]
    assert bench.texts(run) == ["four"]


def test_concurrent_looks_tap_a_stream_once(bench: Bench) -> None:
    """As when `init` and the pump look at the same time."""
    entered, go, hooks = threading.Semaphore(0), threading.Event(), list[object]()

    class Kernels(Stream):
        """A stream that calls hooks in the sending thread, as ipykernel's streams do."""

        pub_thread = SimpleNamespace(schedule=lambda work: work())
        register_hook, unregister_hook = staticmethod(hooks.append), staticmethod(hooks.remove)

        def flush(self) -> None:
            entered.release()
            go.wait(10)

    bench.use(Kernels(), bench.err)
    both = [threading.Thread(target=bench.console.look) for _ in range(2)]
    for thread in both:
        thread.start()
    assert entered.acquire(timeout=10)
    entered.acquire(timeout=0.2)  # which the second thread must not come to
    go.set()
    for thread in both:
        thread.join()
    assert len(hooks) == 1


def test_internal_failure_never_reaches_print(bench: Bench) -> None:
    run = bench.begin()
    bench.console._cell_of = lambda _: 1 // 0
    print("shown")
    assert bench.out.shown == ["shown", "\n"]
    with pytest.raises(ZeroDivisionError):
        bench.console.tick(1e9)
    assert bench.texts(run) == ["shown"]


def test_print_inside_a_print_is_recorded(bench: Bench) -> None:
    """As in a signal handler that interrupts a write."""
    run = bench.begin()

    class Talks:
        def __str__(self) -> str:
            print("inner")
            return "outer"

    print(Talks())
    handler = signal.signal(signal.SIGUSR1, lambda *_: print("signal"))
    try:
        for _ in range(100):
            os.kill(os.getpid(), signal.SIGUSR1)
            print("x" * 1000)
    finally:
        signal.signal(signal.SIGUSR1, handler)
    assert "".join(bench.out.shown).split("\n")[:-1] == bench.texts(run)


@pytest.mark.parametrize("fails", [False, True])
def test_write_through_nested_streams_is_recorded_once(bench: Bench, fails: bool) -> None:
    class PassesOn:
        def append(self, text: str) -> None:
            bench.out.write(f"{text} ")
            bench.out.write("passed on\n")
            if fails:
                raise OSError("full")

    run = bench.begin()
    tee = Stream()
    tee.shown = PassesOn()  # type: ignore[assignment]
    bench.use(tee, bench.err)
    bench.console.look()
    assert "write" in vars(tee)
    with pytest.raises(OSError, match="full") if fails else nullcontext():
        sys.stdout.write("text")
    print("next", file=sys.stderr)
    assert bench.texts(run) == ["text passed on", "next"]


def test_no_line_is_lost_or_doubled_with_many_threads(bench: Bench) -> None:
    run = bench.begin()
    count = 1_500

    def work(name: str, stream: Any) -> None:
        for i in range(count):
            stream.write(f"{name} {i}\n")

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work, args=(str(i), (sys.stdout, sys.stderr)[i % 2])) for i in range(4)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            bench.console.read()
    finally:
        sys.setswitchinterval(interval)
    assert sorted(bench.texts(run)) == sorted(f"{name} {i}" for name in range(4) for i in range(count))


def test_threads_are_recorded_in_the_order_they_are_shown(bench: Bench) -> None:
    run = bench.begin()

    def work(name: str) -> None:
        for i in range(2_000):
            print(name, i)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=work, args=(name,)) for name in ("one", "two")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert [line.rstrip() for line in "".join(bench.out.shown).split("\n")[:-1]] == bench.texts(run)


def test_text_read_while_another_thread_stores_is_stored(bench: Bench) -> None:
    """A writing thread and the pump read while a user asks for the lines."""
    run = bench.begin()
    failed: list[Exception] = []

    def write() -> None:
        try:
            for i in range(6_000):
                print(i)
                if i % 10 == 0:
                    bench.console.read()
        except Exception as error:  # noqa: BLE001
            failed.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        thread = threading.Thread(target=write)
        thread.start()
        while thread.is_alive():
            bench.console.store()
    finally:
        sys.setswitchinterval(interval)
    assert (failed, bench.texts(run)) == ([], [str(i) for i in range(6_000)])


def test_slow_disk_does_not_block_reading(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    run = bench.begin()
    put = bench.store.put_captured

    def slow(*given: Any) -> None:
        monkeypatch.setattr(bench.store, "put_captured", put)
        print("second")
        thread = threading.Thread(target=bench.console.read)
        thread.start()
        thread.join(10)
        assert not thread.is_alive()
        put(*given)

    monkeypatch.setattr(bench.store, "put_captured", slow)
    print("first")
    assert bench.texts(run) == ["first"]
    assert bench.texts(run) == ["first", "second"]


def test_endless_write_blocks_nobody(bench: Bench) -> None:
    run = bench.begin()
    stuck, free = threading.Event(), threading.Event()

    class Stuck:
        def append(self, text: str) -> None:
            stuck.set()
            free.wait(60)

    bench.err.shown = Stuck()  # type: ignore[assignment]
    thread = threading.Thread(target=sys.stderr.write, args=("late\n",))
    thread.start()
    stuck.wait(60)
    for i in range(3):
        print(i)
    assert bench.texts(run) == ["0", "1", "2"]
    free.set()
    thread.join()
    print("after")
    assert bench.texts(run) == ["0", "1", "2", "late", "after"]


def test_interrupted_write_delays_the_next_only_briefly(bench: Bench) -> None:
    run = bench.begin()
    bench.console._is_writing = True
    print("next")
    begin = time.monotonic()
    for i in range(20):
        print(i)
    assert time.monotonic() - begin < recorder._PATIENCE
    assert bench.texts(run) == ["next", *map(str, range(20))]


def test_user_stream_accepts_any_arguments(bench: Bench) -> None:
    class Lenient(Stream):
        def write(self, *given: Any) -> int:
            return super().write(" ".join(map(str, given)))

    bench.use(Lenient(), bench.err)
    run = bench.begin()
    sys.stdout.write(5)  # type: ignore[call-overload]
    sys.stdout.write(b"six")  # type: ignore[call-overload]
    sys.stdout.write()  # type: ignore[call-arg]
    assert bench.texts(run) == ["5b'six'"]


def test_reused_buffer_is_recorded_as_written(bench: Bench, tmp_path: Path) -> None:
    with (tmp_path / "out").open("w") as file:
        bench.monkeypatch.setattr(recorder, "is_shown", lambda *_: True)
        bench.use(file, bench.err)
        run = bench.begin()
        text = bytearray(b"before\n")
        file.buffer.write(text)
        text[:] = b"behind\n"
        with memoryview(b"let go of\n") as view:
            file.buffer.write(view)
        assert bench.texts(run) == ["before", "let go of"]
        bench.end(run)


def test_large_text_is_processed_in_parts(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "_AT_ONCE", 7)
    run = bench.begin()
    sizes: list[int] = []
    print("first", end="")
    bench.texts(run)
    terminal = bench.console._records["r"]._terminal
    assert terminal is not None
    feed = terminal.feed
    monkeypatch.setattr(terminal, "feed", lambda *given, **how: (sizes.append(len(given[3])), feed(*given, **how)))
    print("\r\x1b[31mred\x1b[0mdish\r\nand more\n" * 3, end="")
    assert bench.texts(run) == ["reddish", "and more"] * 3
    assert max(sizes) == 7


def test_interrupted_end_is_repeated(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    run = bench.begin()
    print("hello")
    with monkeypatch.context() as patch:
        patch.setattr(bench.console, "read", interrupted)
        with pytest.raises(KeyboardInterrupt):
            bench.console.end(run)
    bench.end(run)
    assert bench.store.captured("r", "console")[0][2] == "hello"


def test_lines_of_an_interrupted_store_are_stored_later(bench: Bench) -> None:
    run = bench.begin()
    put = bench.store.put_captured

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    bench.store.put_captured = interrupted  # type: ignore[method-assign]
    print("first")
    with pytest.raises(KeyboardInterrupt):
        bench.console.store()
    bench.store.put_captured = put  # type: ignore[method-assign]
    print("second")
    assert bench.texts(run) == ["first", "second"]


def test_interrupt_while_reading_leaves_no_lock_held(bench: Bench) -> None:
    run, number, happened = bench.begin(), 0, True
    while happened:
        bench.console._batches.append(WriteBatch(1.0, ("stdout", None), {}, [f"{number}\n"]))
        interruption = Interruption(number)
        interruption.during(bench.console.read)
        happened = interruption.happened
        if interruption.is_possible:
            free: list[bool] = []
            thread = threading.Thread(
                target=lambda free=free: free.append(bench.console._reading.acquire(blocking=False))
            )
            thread.start()
            thread.join()
            assert free == [True], interruption.where
            bench.console._reading = threading.RLock()  # a thread that has ended holds it
        elif bench.console._reading._is_owned():  # type: ignore[attr-defined]  # where Python looks for no signals
            bench.console._reading = threading.RLock()
        bench.console._is_reading = False
        number += 1
    assert number > 30
    assert bench.texts(run)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_records_nothing_and_prints(bench: Bench) -> None:
    run = bench.begin()
    read, write = os.pipe()
    bench.console._is_writing = True
    with bench.console._storing:
        child = os.fork()
        if not child:
            bench.console.forget_in_child()
            print("of the child")
            os.write(write, repr((vars(bench.out).get("write"), bench.out.shown)).encode())
            os._exit(0)
    os.waitpid(child, 0)
    bench.console._is_writing = False
    assert os.read(read, 1000) == b"(None, ['of the child', '\\n'])"
    assert bench.texts(run) == []


# --- scripts ----------------------------------------------------------------------------------------------------------

SCRIPT = """
import logging, sys
import trackbook as tb
print("before")
run = tb.init(project="p", capture=["console"])
"""


def execute(folder: Path, program: str) -> tuple[str, str]:
    """Run a script, and return its output with carriage returns."""
    environment = os.environ | {"TRACKBOOK_DIR": str(folder)}
    done = subprocess.run([sys.executable, "-c", SCRIPT + program], check=False, capture_output=True, env=environment)
    return done.stdout.decode(), done.stderr.decode()


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Return the recorded lines of a run of another process."""
    monkeypatch.setenv("TRACKBOOK_DIR", str(tmp_path))
    return lambda *streams: [
        row["text"]
        for row in tb.get_run(project="p").console().iter_rows(named=True)
        if not streams or row["stream"] in streams
    ]


def test_a_script_that_fails_has_its_traceback(tmp_path: Path, recorded: Callable[..., list[str]]) -> None:
    out, err = execute(tmp_path, "print('hello')\nlogging.warning('careful')\n1 / 0")
    assert (out.split(), err.splitlines()[-1]) == (["before", "hello"], "ZeroDivisionError: division by zero")
    assert recorded("stdout") == ["hello"]
    assert recorded("stderr") == err.splitlines()


BARS = """
import time
from rich.console import Console
from rich.progress import Progress
from tqdm import tqdm
for i in tqdm(range(30), desc="epochs", mininterval=0):
    for j in tqdm(range(20), desc="batches", leave=False, mininterval=0):
        pass
    if i % 10 == 0:
        tqdm.write(f"epoch {i} is over", file=sys.stderr)
console = Console(file=sys.stderr, force_terminal=True, width=100)
with Progress(console=console, refresh_per_second=1000) as progress:
    tasks = [progress.add_task(f"task {i}", total=50) for i in range(3)]
    for i in range(50):
        for task in tasks:
            progress.update(task, advance=1)
        progress.refresh()
        if i % 20 == 0:
            progress.console.print(f"[red]step[/red] {i}")
with Progress(console=console, transient=True) as progress:
    for i in progress.track(range(10)):
        progress.refresh()
console.print("[bold]done[/bold]")
"""


def test_bars_of_tqdm_and_rich_equal_a_terminal(tmp_path: Path, recorded: Callable[..., list[str]]) -> None:
    _, err = execute(tmp_path, BARS)
    lines = expected([err])
    assert "\x1b[" in err
    assert recorded() == lines
    assert [line for line in lines if "over" in line or "step" in line] == [
        *(f"epoch {i} is over" for i in (0, 10, 20)),
        *(f"step {i}" for i in (0, 20, 40)),
    ]
    assert len(lines) == 3 + 1 + 3 + 3 + 1  # messages and a bar; steps, three bars, done
    assert [line for line in lines if "batches" in line] == []


def test_printed_lines_survive_a_kill(tmp_path: Path, recorded: Callable[..., list[str]]) -> None:
    program = SCRIPT + "import time\nfor i in range(10**6): print(i, flush=True); time.sleep(0.01)"
    environment = os.environ | {"TRACKBOOK_DIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment) as child:
        assert child.stdout is not None
        while not (tmp_path / "p.trackbook.db").exists() or len(recorded()) < 100:
            child.stdout.readline()
        child.kill()
    lines = recorded()
    assert len(lines) >= 100
    assert lines == [str(i) for i in range(len(lines))]
    assert tb.get_run(project="p").state == "lost"


# --- notebooks --------------------------------------------------------------------------------------------------------

CELLS = {
    "open": "import sys, threading, time, logging\nimport trackbook as tb\nlogging.basicConfig(level=logging.INFO)\n"
    "run = tb.init(project='p', capture=['console', 'cells'])\nprint('in the first cell')\nwas = sys.stdout",
    "again": "print('in the second cell')\nlogging.info('logged')\nprint('trouble', file=sys.stderr)",
    "shell": "!echo of a command\n!printf 'one\\rtwo\\n'",
    "process": "import subprocess\nsubprocess.run(['echo', 'of a process'])\nNone",
    "captured": "%%capture\nprint('hidden')\n!echo hidden, too",
    "bar": "from tqdm import tqdm\nfor i in tqdm(range(200), desc='bar', mininterval=0):\n"
    "    for j in tqdm(range(3), desc='inner', leave=False, mininterval=0): pass",
    "threads": "def work(name):\n    for i in range(500): print(name, i)\n"
    "both = [threading.Thread(target=work, args=(name,)) for name in 'ab']\n"
    "[thread.start() for thread in both]\n[thread.join() for thread in both]\nNone",
    "fails": "print('before it fails')\n1 / 0",
    "many": "for i in range(30_000): print('line', i)",
    "last": "assert was is sys.stdout\nrun.finish()\nprint('after')",
}


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, NotebookClient]:
    folder = tmp_path_factory.mktemp("kernel")
    client = client_of(CELLS, folder)
    client.execute(env=environment_of(folder))
    return folder, client


def shown_in(notebook: tuple[Path, NotebookClient], stream: str, *names: str) -> list[str]:
    """Return the output of some cells to a stream, as a terminal would show it."""
    cells = [cell for cell in notebook[1].nb.cells if cell.id in names]
    return expected(output.text for cell in cells for output in cell.outputs if output.get("name") == stream)


@pytest.fixture
def lines(notebook: tuple[Path, NotebookClient], monkeypatch: pytest.MonkeyPatch) -> pl.DataFrame:
    monkeypatch.setenv("TRACKBOOK_DIR", str(notebook[0]))
    return tb.get_run(project="p").console()


def texts(lines: pl.DataFrame, stream: str) -> list[str]:
    return lines.filter(pl.col("stream") == stream)["text"].to_list()


@pytest.mark.notebook
@pytest.mark.timeout(300)
def test_a_notebooks_cells_are_recorded_as_they_are_shown(
    notebook: tuple[Path, NotebookClient], lines: pl.DataFrame
) -> None:
    names = [name for name in CELLS if name not in ("process", "many", "last")]
    out, err = shown_in(notebook, "stdout", *names), shown_in(notebook, "stderr", *names)
    found = texts(lines, "stdout")
    assert "of a process" in found  # which comes by a pipe, when it comes
    found.remove("of a process")
    assert [output for cell in notebook[1].nb.cells for output in cell.outputs if output.output_type == "error"] != []
    assert len(out) == 2 + 1 + 1 + 1 + 1000
    assert [line for line in found if not line.startswith("line ")] == [
        line for line in out if not line.startswith("line ")
    ]
    assert texts(lines, "stderr") == [line for line in err if line]
    assert [line for line in found if "hidden" in line or line == "after"] == []
    cells = dict(lines.select("text", "cell").iter_rows())
    wanted = ("in the first cell", "logged", "of a command", "a 499", "before it fails", "line 29999")
    assert [cells[next(text for text in cells if text.endswith(each))] for each in wanted] == [0, 1, 2, 6, 7, 8]
    assert {"in the first cell", "in the second cell", "of a command", "two", "before it fails"} <= set(found)


@pytest.mark.notebook
def test_last_lines_of_a_long_output_are_kept_in_a_notebook(lines: pl.DataFrame) -> None:
    found = [line for line in texts(lines, "stdout") if line.startswith("line ")]
    assert found[-lines_module.LAST :] == [f"line {i}" for i in range(30_000 - lines_module.LAST, 30_000)]
    assert texts(lines, "cut") != []
