from __future__ import annotations

import re
import warnings
from typing import Any

import pytest

import trackbook as tb
from journals import new_writer
from trackbook.capture.base import Captures, LazyCapture
from trackbook.tracking.run_options import CAPTURES, choose
from trackbook.tracking.run_writer import RunWriter


class Noting:
    """A capture that notes its calls, and may fail in one of them."""

    def __init__(self, fails_at: str = "") -> None:
        self.told: list[str] = []
        self._fails_at = fails_at

    def _note(self, what: str) -> None:
        self.told.append(what)
        if what == self._fails_at:
            raise OSError("no such device")

    def begin(self, run: RunWriter) -> None:
        self._note(f"begin {run.name}")

    def end(self, run: RunWriter) -> None:
        assert not run.ended
        self._note(f"end {run.name}")

    def forget_in_child(self) -> None:
        self._note("forget")


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (True, CAPTURES),
        (False, ()),
        ("all", CAPTURES),
        ("none", ()),
        ("console, system", ("console", "system")),
        (["cells"], ("cells",)),
    ],
)
def test_captures_are_chosen_by_name(given: Any, meant: tuple[str, ...]) -> None:
    assert choose(given) == meant


@pytest.mark.parametrize(("given", "error"), [("consle", ValueError), (["cells", 3], ValueError), (7, TypeError)])
def test_unknown_capture_is_refused(given: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="cells, console, environment, system"):
        tb.init("p", capture=given)
    assert tb.run is None


def test_capture_ends_before_its_run() -> None:
    captures, console, system = Captures(), Noting(), Noting()
    captures.add("console", console)
    captures.add("system", system)
    run = new_writer("a")
    captures.begin(run, ["console"])
    run.end("finished")
    run.end("finished")
    assert (console.told, system.told) == (["begin a", "end a"], [])


def test_lazy_capture_is_made_for_the_first_run_that_wants_it() -> None:
    made: list[Noting] = []
    late = LazyCapture(lambda: made.append(Noting()) or made[0])  # type: ignore[func-returns-value]
    late.end(new_writer("a"))
    late.forget_in_child()
    assert made == []
    for _ in range(2):
        late.begin(new_writer("a"))
    late.end(new_writer("a"))
    late.forget_in_child()
    assert [each.told for each in made] == [["begin a", "begin a", "end a", "forget"]]


def test_capture_that_is_off_still_ends_its_runs() -> None:
    captures, failing = Captures(), Noting("begin r2")
    captures.add("system", failing)
    first = new_writer()
    captures.begin(first, CAPTURES)
    second = new_writer("r2")
    with pytest.warns(tb.TrackbookWarning, match="no longer records system"):
        captures.begin(second, CAPTURES)
    second.end("finished")
    first.end("finished")
    assert failing.told == ["begin r1", "begin r2", "end r1"]


def test_interrupted_end_is_repeated() -> None:
    class Interrupted(Noting):
        def end(self, run: RunWriter) -> None:
            super().end(run)
            if len(self.told) == 2:
                raise KeyboardInterrupt

    captures, capture = Captures(), Interrupted()
    captures.add("console", capture)
    run = new_writer()
    captures.begin(run, CAPTURES)
    with pytest.raises(KeyboardInterrupt):
        run.end("finished")
    run.end("finished")
    assert capture.told == ["begin r1", "end r1", "end r1"]


@pytest.mark.parametrize("moment", ["begin a", "end a"])
def test_failing_capture_is_switched_off_with_one_warning(moment: str) -> None:
    captures, failing, other = Captures(), Noting(moment), Noting()
    captures.add("console", failing)
    captures.add("system", other)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for _ in range(2):
            run = new_writer("a")
            captures.begin(run, CAPTURES)
            run.end("finished")
    assert [re.search("no longer records console.*no such device", str(one.message)) for one in said] != [None]
    assert len(said) == 1
    assert failing.told == ["begin a", "end a"][: 1 if moment == "begin a" else 2]
    assert other.told == ["begin a", "end a"] * 2
