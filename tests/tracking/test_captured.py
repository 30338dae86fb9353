from __future__ import annotations

import os
import threading

import polars as pl
import pytest

from journals import new_run
from trackbook.store.base import POINTS
from trackbook.store.documents import put_document
from trackbook.tracking.run import Run, writer_of


@pytest.fixture
def run() -> Run:
    return new_run()


def test_environment_is_the_captured_document(run: Run) -> None:
    assert run.environment == {}
    put_document(writer_of(run).store, run.id, "environment", {"os": {"name": "Ω"}})
    assert run.environment == {"os": {"name": "Ω"}}


def test_environment_waits_until_it_is_collected(run: Run) -> None:
    writer_of(run).gathered = threading.Event()

    def gather() -> None:
        put_document(writer_of(run).store, run.id, "environment", {"late": True})
        writer_of(run).gathered.set()  # type: ignore[union-attr]

    threading.Timer(0.05, gather).start()
    assert run.environment == {"late": True}


def test_system_metrics_come_by_metric_and_time_without_their_prefix(run: Run) -> None:
    assert run.system().schema == pl.Schema({"metric": pl.String, "value": pl.Float64, "time": pl.Float64})
    rows = [
        ("@system/b", 0, 1.0, 10.0),
        ("loss", 0, 9.0, 10.5),
        ("@system/a", 0, 2.0, 10.0),
        ("@system/b", 1, 3.0, 20.0),
    ]
    writer_of(run).store.append(run.id, pl.DataFrame(rows, schema=POINTS, orient="row"))
    assert run.system().rows() == [("b", 1.0, 10.0), ("b", 3.0, 20.0), ("a", 2.0, 10.0)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_is_refused_and_polars_left_alone(run: Run) -> None:
    writer_of(run).go_on_in_child()
    for read in (lambda: run.environment, run.system):
        with pytest.raises(RuntimeError, match="this process can only log"):
            read()
