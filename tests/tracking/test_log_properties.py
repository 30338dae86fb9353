"""Random calls compared with a simple model: a call is recorded completely, or not at all."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from journals import a_run, by_metric, in_memory
from journals import points as logged
from trackbook.store.base import POINTS, Store
from trackbook.store.memory import MemoryStore
from trackbook.store.sqlite import SqliteStore
from trackbook.tracking.logged_values import LARGEST_STEP
from trackbook.tracking.run import writer_of
from trackbook.types import Cursor, RunRecord

Key = tuple[str, int]


class Odd:
    """An object that misreports its type."""

    def __init__(self, shape: Any) -> None:
        self.shape = shape

    def item(self) -> Any:
        return self


few_names = st.sampled_from(["a", "b", "a/b", "A", "step", "b/a/b"])
any_names = st.text(st.characters(codec=None, categories=None), max_size=8)
names = few_names | any_names | st.text(st.sampled_from("ab/\0\ud800📉"), max_size=4)
good_values = (
    st.floats()
    | st.integers()
    | st.booleans()
    | st.floats().map(str)
    | st.fractions()
    | st.decimals(allow_nan=False)
    | st.floats(width=32).map(np.float32)
    | st.integers(-(2**63), 2**63 - 1).map(np.int64)
    | st.floats().map(np.array)
    | st.floats().map(lambda value: np.array([[value]]))
)
odd_values = (
    st.none()
    | st.text(max_size=5)
    | st.binary(max_size=3)
    | st.complex_numbers()
    | st.lists(st.floats(), max_size=3)
    | st.lists(st.floats(), max_size=3).map(np.array)
    | st.integers(10**308, 10**312)
    | st.decimals()
    | st.sampled_from(
        [Odd(()), Odd((1,)), Odd("ab"), Odd(None), Odd, np.datetime64(1, "ns"), np.ma.masked, Decimal("sNaN")]
    )
)
values = st.recursive(good_values | odd_values, lambda inner: st.dictionaries(names, inner, max_size=3), max_leaves=6)
good_data = st.dictionaries(few_names, good_values, max_size=4)
any_data = st.dictionaries(names | st.integers() | st.none(), values, max_size=4)
steps = (
    st.none()
    | st.integers(0, 6)
    | st.integers(-2, 2)
    | st.sampled_from([LARGEST_STEP, LARGEST_STEP + 1, np.int64(3), np.uint8(4), 5.0, Fraction(3), True, "3", "x"])
    | st.floats()
    | st.decimals()
)
calls = st.lists(st.tuples(good_data | any_data, steps), max_size=8)


class Model:
    """The expected content of a run: the first value for each metric and step."""

    def __init__(self, by: str) -> None:
        self.by = by
        self.points: dict[Key, float] = {}

    def log(self, taken: Mapping[str, float], step: Any) -> None:
        largest = {name: max(s for n, s in self.points if n == name) for name, _ in self.points}
        whole = max(largest.values(), default=-1)
        for name, value in taken.items():
            count = whole if self.by == "run" else largest.get(name, -1)
            self.points.setdefault((name, count + 1 if step is None else int(step)), value)


def recorded(frame: pl.DataFrame) -> dict[Key, str]:
    rows = logged(frame)
    assert len({row[:2] for row in rows}) == len(rows)
    return {(name, step): repr(value) for name, step, value in rows}


def shown(points: Mapping[Key, float]) -> dict[Key, str]:
    return {key: repr(value) for key, value in points.items()}


@given(calls, st.sampled_from(["metric", "run"]), st.booleans())
def test_call_records_everything_or_nothing(calls: Any, by: Any, hand_over: bool) -> None:
    model = Model(by)
    run = a_run("p", RunRecord("r", "n", 0.0, step_by=by), MemoryStore(), in_memory())
    writer_of(run).say = writer_of(run).findings.to_say.clear  # type: ignore[method-assign]  # warnings have tests of their own
    for data, step in calls:
        try:
            taken = run.log(data, step)
        except (TypeError, ValueError):
            continue
        finally:
            if hand_over:
                writer_of(run).hand_over()
        model.log(taken, step)
    run.finish()
    history = run.history()
    assert recorded(history) == shown(model.points)
    assert history["metric"].unique(maintain_order=True).to_list() == list(run.summary)
    if model.points:
        assert sorted(run.history(wide=True)["step"]) == sorted({step for _, step in model.points})


@given(good_data, st.none() | st.integers(0, LARGEST_STEP))
def test_good_calls_are_never_refused_and_every_value_is_its_float(data: dict[str, Any], step: int | None) -> None:
    run = a_run("p", RunRecord("r", "n", 0.0), MemoryStore(), in_memory())
    expected = {name: float(value.item() if isinstance(value, np.ndarray) else value) for name, value in data.items()}
    assert repr(run.log(data, step)) == repr(expected)
    assert recorded(run.history()) == shown({(name, step or 0): value for name, value in expected.items()})


@given(any_names.filter(bool), st.floats())
def test_name_is_kept_or_refused_as_not_encodable(name: str, value: float) -> None:
    run = a_run("p", RunRecord("r", "n", 0.0), MemoryStore(), in_memory())
    try:
        run.log({name: value})
    except ValueError:
        assert any("\ud800" <= letter <= "\udfff" for letter in name)
    else:
        assert recorded(run.history()) == {(name, 0): repr(value)}
        assert name.encode()


rows = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c\0'\"", "📉"]), st.integers(0, 9) | st.just(LARGEST_STEP), st.floats())
)
batches = st.lists(st.tuples(rows, st.sampled_from(["go on", "flush", "reopen"])), max_size=6)


def figures(store: Store) -> str:
    """Return figures without the sign of zero, which SQLite drops."""
    return re.sub(r"-0\.0\b", "0.0", repr(store.summary("r")))


@settings(max_examples=40)  # each makes a file or more
@given(batches)
def test_a_store_in_memory_and_a_file_that_is_reopened_agree(batches: list[Any]) -> None:
    memory = MemoryStore()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "p.db"
        file = SqliteStore(path, "p")
        cursor, seen = Cursor(), 0
        for batch, then in batches:
            points = pl.DataFrame([(*row, 0.5) for row in batch], schema=POINTS, orient="row")
            assert file.append("r", points) == memory.append("r", points)
            fresh, cursor = file.since("r", cursor)
            seen += len(fresh)
            if then != "go on":
                file.flush()
            if then == "reopen":
                file.close()
                file = SqliteStore(path, "p")
            assert repr(by_metric(file.read("r"))) == repr(by_metric(memory.read("r")))
            assert figures(file) == figures(memory)
            assert seen == len(memory.read("r"))
        file.close()
    assert file.notices == []


texts = st.text(st.characters(codec="utf-8"), max_size=6)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
records = st.builds(
    RunRecord,
    id=texts.filter(bool),
    name=texts.filter(bool),
    started=st.floats(0, 1e10),
    state=st.sampled_from(["running", "finished", "failed", "interrupted", "lost"]),
    group=st.none() | texts,
    tags=st.lists(texts, max_size=3).map(tuple),
    notes=st.none() | texts,
    config=st.dictionaries(texts, json_values, max_size=3),
    summary=st.dictionaries(texts, json_values, max_size=3),
    step_by=st.sampled_from(["metric", "run"]),
    ended=st.none() | st.floats(0, 1e10),
    done=st.none() | st.integers(0, LARGEST_STEP),
    total=st.none() | st.integers(0, LARGEST_STEP),
    error=st.none() | texts,
)


@settings(max_examples=40)
@given(st.lists(records, max_size=5))
def test_runs_come_back_from_the_file_as_they_were_put(runs: list[RunRecord]) -> None:
    memory = MemoryStore()
    with tempfile.TemporaryDirectory() as folder:
        file = SqliteStore(Path(folder) / "p.db", "p")
        for run in runs:
            memory.put_run(run)
            file.put_run(run)
            file.flush()
        file.close()
        assert file.notices == []
        again = SqliteStore(Path(folder) / "p.db", "p")
        assert again.runs() == memory.runs()
        again.close()


any_config = st.dictionaries(
    any_names, st.recursive(odd_values | good_values, lambda inner: st.lists(inner, max_size=3))
)


@settings(max_examples=40)
@given(any_config)
def test_any_config_is_stored_and_the_run_ends(config: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "p.db", "p")
        run = a_run("p", RunRecord("r", "n", 0.0), store, in_memory())
        run.config.update(config)
        run.finish()
        store.close()
        assert store.notices == []
        again = SqliteStore(Path(folder) / "p.db", "p")
        (record,) = again.runs()
        again.close()
    assert record.state == "finished"
    assert len(record.config) == len({name.encode(errors="backslashreplace") for name in config})
