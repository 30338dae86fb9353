"""Fuzzing of bytes and JSON from files: every reader validates them, names the problem, and changes nothing.

Some seconds here; ``make fuzz`` goes on for ten minutes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import tempfile
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from journals import a_run, abandoned
from stores import filled, one_run, stand
from trackbook.boards.frame_source import FrameSource
from trackbook.boards.publisher import Publisher
from trackbook.boards.run_details import newest_alerts
from trackbook.data.alert_table import alert_table
from trackbook.data.export import export
from trackbook.data.importing import import_parquet
from trackbook.journal.journal import CALLS, HEAD, FileJournal
from trackbook.media import index
from trackbook.media.values import Encoded
from trackbook.metrics import glob_matches
from trackbook.store import check_stored, chunk_codec, sqlite_file, sqlite_queries
from trackbook.store.chunk_codec import Columns
from trackbook.store.memory import MemoryStore
from trackbook.store.sqlite import SqliteStore
from trackbook.tracking import noted_alerts
from trackbook.tracking.alert_rows import Raised
from trackbook.tracking.live_points import LivePoints
from trackbook.tracking.logged_media import rows_of
from trackbook.tracking.noted_alerts import Noted
from trackbook.tracking.recovery import recover
from trackbook.tracking.run import writer_of
from trackbook.types import CAPTURED, RunRecord

_SOME = min(settings().max_examples, 40) if settings().max_examples <= 100 else settings().max_examples
fuzz = settings(max_examples=_SOME, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
fuzz_files = settings(fuzz, max_examples=max(10, _SOME // 20))  # each is tried in a process of its own
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(3600)]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def damage(draw: st.DrawFn, whole: bytes) -> bytes:
    """Draw damage to a valid file: changed bytes, a cut end, or inserted bytes."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        match draw(st.sampled_from(["bit", "bytes", "cut", "more"])):
            case "bit":
                data[at : at + 1] = bytes(byte ^ (1 << draw(st.integers(0, 7))) for byte in data[at : at + 1])
            case "bytes":
                new = draw(st.binary(min_size=1, max_size=40))
                data[at : at + len(new)] = new
            case "cut":
                del data[at:]
            case _:
                data[at:at] = draw(st.binary(min_size=1, max_size=40))
    return bytes(data)


# --- files of runs ----------------------------------------------------------------------------------------------------


@cache
def exported() -> bytes:
    store = filled(one_run(config={"lr": 0.1}, defined={"*": "epoch"}))
    store.put_captured("r1", "console", [(0, "stdout", "hello", 1.0, None)])
    store.put_captured("r1", "facts", [("environment", '{"os": "Linux"}')])
    with tempfile.TemporaryDirectory() as folder:
        return export(Path(folder) / "run.parquet", "digits", store.runs(), store).read_bytes()


def import_into(data: bytes) -> None:
    """Import completely, or not at all with a ``ValueError`` that says why."""
    store = filled(one_run(id="mine"))
    before = stand(store, "mine")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.parquet"
        path.write_bytes(data)
        try:
            import_parquet(path, lambda _: store)
        except ValueError:
            assert [run.id for run in store.runs()] == ["mine"]
    assert stand(store, "mine") == before
    for run in store.runs():
        assert check_stored.record(dataclasses.asdict(run)) == run or run.config
        check_stored.points(store.read(run.id), "the store")


@fuzz_files
@given(st.data())
def test_damaged_export_is_refused_or_imported_completely(data: st.DataObject) -> None:
    import_into(data.draw(damage(exported())))


@fuzz_files
@given(st.binary(max_size=300))
def test_any_bytes_are_refused_as_parquet(data: bytes) -> None:
    import_into(data)


fields = dict.fromkeys(("state", "tags", "config", "ended", "done", "defined", "goals", "error"), json_values)


@fuzz_files
@given(
    json_values
    | st.fixed_dictionaries({"id": st.text(max_size=3), "name": json_values, "started": json_values}, optional=fields),
    json_values | st.dictionaries(st.text(max_size=4), json_values, max_size=2),
    json_values | st.just(2),
    json_values | st.fixed_dictionaries(dict.fromkeys(CAPTURED, json_values)),
    st.lists(st.tuples(st.none() | st.text(max_size=2), st.none() | st.integers(-2, 2**63 - 1)), max_size=3),
)
def test_metadata_of_an_export_are_validated(
    record: Any, metrics: Any, version: Any, captured: Any, points: list[tuple[Any, Any]]
) -> None:
    about = {"version": version, "project": "p", "runs": [{"record": record, "metrics": metrics}]}
    run_id = record.get("id") if isinstance(record, dict) else "x"
    rows = [(run_id if isinstance(run_id, str) else "x", metric, step, 0.5, 1.0) for metric, step in points]
    schema = {"run_id": pl.String, "metric": pl.String, "step": pl.Int64, "value": pl.Float64, "time": pl.Float64}
    try:
        table = pl.DataFrame(rows, schema, orient="row")
        known = {"trackbook": json.dumps(about), "trackbook.captured": pack({run_id: captured})}
        with tempfile.TemporaryDirectory() as folder:
            table.write_parquet(Path(folder) / "x.parquet", metadata=known)
            data = (Path(folder) / "x.parquet").read_bytes()
    except (UnicodeEncodeError, TypeError):
        return  # half a surrogate pair cannot be written in the first place
    import_into(data)


def pack(tables: Any) -> str:
    import base64

    return base64.b64encode(check_stored.compress(json.dumps(tables).encode())).decode()


@fuzz
@given(
    json_values
    | st.fixed_dictionaries({"id": json_values, "name": json_values, "started": json_values}, optional=fields)
)
def test_stored_record_is_valid_or_a_value_error(fields: Any) -> None:
    with contextlib.suppress(ValueError):
        record = check_stored.record(fields)
        assert isinstance(record, RunRecord)
        assert all(map(check_stored.is_text, record.tags))
        assert math.isfinite(record.started)


# --- project files ----------------------------------------------------------------------------------------------------


@cache
def project_file() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "p.db", "p")
        for run in ("r1", "r2"):
            store.put_run(RunRecord(run, run, 1.0, state="finished", config={"lr": 0.1}))
            rows = [("loss", step, step / 3, 1.0) for step in range(50)]
            store.append(
                run,
                pl.DataFrame(
                    rows,
                    {"metric": pl.Categorical, "step": pl.Int64, "value": pl.Float64, "time": pl.Float64},
                    orient="row",
                ),
            )
            store.put_captured(run, "console", [(0, "stdout", "hello", 1.0, None)])
            assert store.flush()
        store.close()
        return (Path(folder) / "p.db").read_bytes()


@contextlib.contextmanager
def opened(data: bytes) -> Iterator[SqliteStore]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "p.db").write_bytes(data)
        store = SqliteStore(Path(folder) / "p.db", "p")
        yield store
        store.close()


@fuzz
@given(st.data())
def test_damaged_project_file_never_stops_a_new_run(data: st.DataObject) -> None:
    new = filled(one_run(id="new")).read("new")
    with opened(data.draw(damage(project_file()))) as store:
        for read in (
            store.runs,
            lambda: store.read("r1"),
            lambda: store.captured("r1", "console"),
            lambda: store.summary("r2"),
        ):
            with contextlib.suppress(OSError):
                read()
        sqlite_file.project_name(store.path)
        store.put_run(one_run(id="new"))
        store.append("new", new)
        written = store.flush() or store.flush()
        if any("written by Trackbook" in notice for notice in store.notices):
            return  # a version of the future: the file is left as it is
        assert written, store.notices
        again = SqliteStore(store.path, "p")
        assert "new" in [run.id for run in again.runs()]
        assert len(again.read("new")) == len(new)
        again.close()


# --- chunks and journals ----------------------------------------------------------------------------------------------


@cache
def chunk() -> bytes:
    steps = np.arange(40)
    return chunk_codec.encode(Columns((steps % 3).astype(np.int32), steps, steps / 7, steps + 1.7e9))


@fuzz
@given(st.data())
def test_damaged_chunk_is_detected_before_decoding(data: st.DataObject) -> None:
    """Polars aborts the process for some damaged bytes, which it takes for a length."""
    whole = chunk()
    damaged = data.draw(damage(whole))
    found = sqlite_queries.unpack(sqlite_queries.Chunk(0, 40, zlib.crc32(whole), damaged), 0, 40)
    assert (found is None) == (damaged != whole)


CALLS_OF_A_CHILD = [
    index.line(index.rows_from(1, "img", index.WITH_POINTS, 0.0, [Encoded("image", None, caption="a")])),
    noted_alerts.line(Noted("high", Raised("high", 1.7e9, "error", "12.5", 60.0), "run")),
    noted_alerts.line(Noted("high")),
]


def a_child(home: Path) -> Path:
    """Return the folder of the journal of a dead child that logged points, media and alerts."""
    folder = abandoned(home, [(0, 0, 0.5), (1, 0, 1.5)], [(0, 1, 0.5)], child=True)
    (folder / CALLS).write_bytes(b"\n" + b"\n\n".join(CALLS_OF_A_CHILD) + b"\n")
    return folder


def look_at(store: MemoryStore) -> None:
    """Read what came of a damaged journal, as boards and tables do."""
    for run in store.runs():
        store.read(run.id)
        json.dumps([rows_of(store, run.id), newest_alerts(store, [run.id])], allow_nan=False)
    alert_table(store.runs(), store)


@fuzz
@given(st.data())
def test_damaged_journal_stops_no_recovery(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "p.journals"
        journal = a_child(home)
        target = data.draw(st.sampled_from([journal / HEAD, journal / CALLS, next(journal.glob("*.seg"))]))
        content = target.read_bytes()[:4096]
        target.write_bytes(data.draw(damage(content)))
        store = MemoryStore()
        recover(store, home, ())
        look_at(store)


@fuzz
@given(st.data())
def test_damaged_journal_of_a_child_stops_no_run(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "p.journals"
        store = MemoryStore()
        run = writer_of(a_run("p", RunRecord("r1", "a", 0.0), store, FileJournal(home, {"id": "r1"}), home.parent))
        run.has_children = True
        journal = a_child(home)
        (journal / CALLS).write_bytes(data.draw(damage((journal / CALLS).read_bytes())))
        run.hand_over()
        run.end("finished")
        assert len(store.read("r1")) == 3
        look_at(store)


@fuzz
@given(
    json_values
    | st.fixed_dictionaries(
        {"title": json_values},
        optional=dict.fromkeys(("time", "level", "text", "wait", "webhook"), json_values | st.floats() | st.integers()),
    )
)
def test_any_line_is_an_alert_or_none(value: Any) -> None:
    found = noted_alerts.parsed({"alert": value})
    assert found is None or noted_alerts.parsed(json.loads(noted_alerts.line(found))) == found


@fuzz
@given(st.data())
def test_damaged_journal_of_a_living_process_stops_no_board(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "p.journals"
        journal = abandoned(home, [(0, 0, 0.5), (1, 0, 1.5)], [(0, 1, 0.5)])
        segment = next(journal.glob("*.seg"))
        store = MemoryStore()
        store.put_run(RunRecord("r1", "a", 0.0))
        source = FrameSource("p", store, points=LivePoints(store, home, lambda _: False))
        source.add_run("r1")
        source.pull()
        for target in data.draw(st.lists(st.sampled_from([journal / HEAD, segment]), min_size=1, max_size=3)):
            target.write_bytes(data.draw(damage(target.read_bytes()[:4096])))
            source.pull()
            source.frames()


# --- messages of the front end ----------------------------------------------------------------------------------------

names = st.sampled_from(
    ["detail", "console", "cells", "environment", "keyframe", "rename", "delete", "stop", "tag", "note"]
)
window = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("first", "last", "runs", "metrics", "metric", "axis", "points", "number"), json_values)
)


@fuzz
@given(
    st.fixed_dictionaries(
        {"ask": names | json_values},
        optional=dict.fromkeys(
            (
                "run",
                "before",
                "since",
                "after",
                "search",
                "window",
                "windows",
                "first",
                "last",
                "metrics",
                "id",
                "name",
            ),
            json_values | st.just("r1") | window,
        ),
    )
)
def test_any_question_has_an_answer(question: dict[str, Any]) -> None:
    store = filled(one_run())
    store.put_captured("r1", "console", [(0, "stdout", "hello", 1.0, None)])
    source = FrameSource("p", store)
    source.add_run("r1")
    publisher = Publisher(source, lambda *_: None)
    answer, buffers = publisher.answer(question)
    assert isinstance(answer, dict)
    assert all(isinstance(one, bytes) for one in buffers)


@fuzz
@given(st.text(max_size=30), st.text(max_size=30))
def test_any_glob_has_an_answer(glob: str, name: str) -> None:
    assert glob_matches(glob, name) in (True, False)
    assert glob_matches(name.replace("*", "") + "*", name.replace("*", ""))
