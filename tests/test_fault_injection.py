"""The whole life of a run, with a failure of each call to the file system or to SQLite in turn.

Each time the act that meets the fault either succeeds or says what failed, training goes on, and every acknowledged point is in
a store, in a journal or in the export that it came from, and so is every image. ``make test-faults`` does all of it; the tests here take
samples.
"""

from __future__ import annotations

import math
import os
import shutil
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import trackbook as tb
from faulty import KINDS, Fault, FaultyFiles, FaultyStore
from trackbook.data import importing
from trackbook.data.export import export
from trackbook.data.importing import import_parquet
from trackbook.media.files import MediaFiles
from trackbook.store import sqlite_file
from trackbook.store.paths import files_folder
from trackbook.tracking import liveness
from trackbook.tracking.logged_media import rows_of
from trackbook.tracking.pending_media import PendingMedia
from trackbook.tracking.project import Project
from trackbook.tracking.read_media import LoggedMedia
from trackbook.tracking.run import Run, writer_of
from trackbook.tracking.run_options import RunOptions
from trackbook.types import RunRecord

Points = dict[tuple[str, int], float]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]
SAID = (OSError, MemoryError, ValueError)  # what an act may raise: never an error of SQLite, nor one of ours


@dataclass
class Life:
    """The actions of a run's life, with acknowledged points and messages."""

    root: Path
    fault: Fault
    expected: dict[str, Points] = field(default_factory=dict)  # by run
    images: dict[str, set[int]] = field(default_factory=dict)  # steps by run
    may_lack: set[str] = field(default_factory=set)  # runs that an act may have removed although it says that it failed
    said: list[str] = field(default_factory=list)
    exports: dict[Path, Points] = field(default_factory=dict)
    projects: dict[str, Project] = field(default_factory=dict)

    def project(self, name: str) -> Project:
        if name not in self.projects:
            self.projects[name] = Project(name, self.root)
        return self.projects[name]

    def act(self, name: str, deed: Callable[[], Any]) -> Any:
        """Do something that may meet the fault; return None if it reported the failure."""
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                done = deed()
        except SAID as error:
            self.said.append(f"{name}: {type(error).__name__}: {error}")
            return None
        self.said += [f"{name}: {warning.message}" for warning in caught]
        return True if done is None else done

    def log(self, run: Run, steps: range) -> None:
        for step in steps:
            values = {"loss": step * 0.37, "val/acc": float(step)}
            with warnings.catch_warnings(record=True):
                warnings.simplefilter("always")
                run.log(values, step=step)  # never raises: training goes on
            self.expected[run.id].update({(name, step): value for name, value in values.items()})

    def log_images(self, run: Run, steps: range) -> None:
        for step in steps:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                run.log({"image": tb.Image(pixels(step))}, step=step)
            if not caught and not writer_of(run).recorder.journal.notices:  # else it was said that it is not safe
                self.images.setdefault(run.id, set()).add(step)

    def tick(self, run: Run) -> None:
        """Do the pump's work of each second."""
        self.act("hand over", writer_of(run).hand_over)
        self.act("flush", lambda: self.project("p").flush([writer_of(run)]))

    def begin(self, project: str, run_id: str, **options: Any) -> Run | None:
        record = RunRecord(run_id, f"run {run_id}", 1.0)
        chosen = RunOptions(record, by_id=options.pop("by_id", False), **options)
        run = self.act(f"init {run_id}", lambda: self.project(project).open_run(chosen))
        if run is not None:
            self.expected.setdefault(run_id, {})
        return run

    def end_process(self) -> None:
        """End as a killed process does: locks are released, files stay."""
        for project in self.projects.values():
            for writer in project.open_runs:
                writer.recorder.journal.leave()
            project.store._file.close()
        self.projects.clear()


def live(life: Life) -> None:
    """Init, log, flush, finish, resume, rewind, rename, export, move, import, delete, and a crash to recover from."""
    write_and_resume(life)
    rewind(life)
    manage(life)
    lost = life.begin("p", "r3")
    if lost is not None:
        life.log(lost, range(8))
        life.tick(lost)
        life.log(lost, range(8, 12))
    life.end_process()
    life.act("recover", lambda: life.project("p").recover())


def live_with_images(life: Life) -> None:
    """Init, log, flush, finish, resume, delete a run with an image of another, and a crash to recover from."""
    run = life.begin("p", "r1")
    if run is not None:
        life.log_images(run, range(2))
        life.tick(run)
        life.log_images(run, range(2, 4))
        life.act("finish", run.finish) or life.act("finish again", run.finish)
    other = life.begin("p", "r2")
    if other is not None:
        life.log_images(other, range(2))
        life.act("finish", other.finish) or life.act("finish again", other.finish)
        life.images.pop("r2", None)
    life.act("delete", lambda: life.project("p").delete(life.project("p").get("r2")))
    resumed = life.begin("p", "r1", by_id=True, resume="allow")
    if resumed is not None:
        life.log_images(resumed, range(4, 6))
        life.act("finish", resumed.finish) or life.act("finish again", resumed.finish)
    lost = life.begin("p", "r3")
    if lost is not None:
        life.log_images(lost, range(6, 8))
        life.tick(lost)
        life.log_images(lost, range(8, 10))
    life.end_process()
    life.act("recover", lambda: life.project("p").recover())


def pixels(step: int) -> Any:
    """Return an image that is large enough to be compressed later."""
    return np.full((64, 64), step, np.uint8)


def write_and_resume(life: Life) -> None:
    run = life.begin("p", "r1")
    if run is not None:
        life.log(run, range(20))
        life.tick(run)
        life.log(run, range(20, 30))
        life.tick(run)
        life.act("read", run.history)
        life.log(run, range(30, 35))
        if life.act("finish", run.finish) is None:
            life.act("finish again", run.finish)
    resumed = life.begin("p", "r1", by_id=True, resume="allow")
    if resumed is not None:
        life.log(resumed, range(35, 40))
        life.act("finish", resumed.finish) or life.act("finish again", resumed.finish)


def rewind(life: Life) -> None:
    before = dict(life.expected.get("r1", {}))
    back = life.begin("p", "r1", by_id=True, resume="must", resume_from=24)
    if back is not None:
        life.expected["r1"] = {point: value for point, value in before.items() if point[1] <= 24}
        life.log(back, range(100, 105))
        life.act("finish", back.finish) or life.act("finish again", back.finish)
    elif life.fault.where:  # a rewind that says that it failed may have been done: a commit whose answer was lost
        life.expected["r1"] = {point: value for point, value in before.items() if point[1] <= 24}


def manage(life: Life) -> None:
    keep = life.begin("p", "r2")
    if keep is not None:
        life.log(keep, range(5))
        life.act("finish", keep.finish) or life.act("finish again", keep.finish)
    life.act("rename", lambda: setattr(life.project("p").get("r1"), "name", "renamed"))
    out = life.root / "out.parquet"
    for _ in range(2):  # the second replaces the first
        if life.act("export", lambda: export(out, "p", life.project("p").runs(), life.project("p").store)):
            life.exports[out] = {point: value for points in life.expected.values() for point, value in points.items()}
    life.act("move", lambda: life.project("p").move(life.project("p").get("r2"), life.project("q")))
    life.act("import", lambda: import_parquet(out, lambda _: life.project("z").store))
    if life.act("delete", lambda: life.project("z").delete(life.project("z").get("r2"))) is None:
        life.may_lack.add("r2")


def check(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    """Check that another process finds everything once the fault is gone."""
    life.end_process()
    assert all(len(said.partition(": ")[2]) > 15 for said in life.said), life.said
    found: dict[str, Points] = {}
    for name in ("p", "q"):
        project = life.project(name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            project.recover()
        for record in project.runs():
            points = project.store.read(record.id, None, True)
            rows = points.select(pl.col("metric").cast(pl.String), "step", "value").rows()
            assert len({row[:2] for row in rows}) == len(rows), f"{record.id} has points twice in {name}"
            counts = project.store.summary(record.id)
            assert sum(figures.count for figures in counts.values()) == len(rows)
            found.setdefault(record.id, {}).update({row[:2]: row[2] for row in rows})
            check_images(life, project, record.id)
    for run_id, points in life.expected.items():
        lacks = {point: value for point, value in points.items() if found.get(run_id, {}).get(point) != value}
        assert not lacks, f"{len(lacks)} of {len(points)} points of {run_id} are lost, such as {next(iter(lacks))}"
    for path, points in life.exports.items():
        rows = pl.read_parquet(path).select("metric", "step", "value").rows()
        assert len(rows) >= len(points), f"{path.name} has {len(rows)} of {len(points)} points"
    life.end_process()


def check_images(life: Life, project: Project, run: str) -> None:
    files = MediaFiles(life.root / files_folder(project.name))
    steps = set()
    for row in rows_of(project.store, run):
        assert row.file is not None
        assert files.is_whole(row.file), f"the image of step {row.step} of {run} is damaged or gone"
        picture = LoggedMedia(row, files).read()
        assert np.array_equal(np.asarray(picture), pixels(row.step))
        steps.add(row.step)
    assert not (lacks := life.images.get(run, set()) - steps), f"images of {run} are lost: {lacks}"


def run_life(root: Path, fault: Fault, double: str, live: Callable[[Life], None] = live) -> Life:
    root.mkdir(parents=True)
    life = Life(root, fault)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite_file, "BUSY_SECONDS", 0.01)
        patch.setattr(importing, "_try_in_another_process", lambda _: None)  # which meets no fault, and takes long
        patch.setattr(PendingMedia, "tick", lambda *_: math.inf)  # a thread would survive the death of its process here
        patch.setattr(
            liveness, "runs_here", lambda _: False
        )  # the processes of the past are dead, though they are this one
        if double == "files":
            FaultyFiles(root, fault, patch)
        else:
            FaultyStore(fault, patch)
        with fault.on():
            live(life)
        check(life, patch)
    return life


def place(tmp_path: Path) -> Path:
    """Return a folder in memory if possible, since the disk is not tested."""
    memory = Path("/dev/shm")
    return memory / f"trackbook-{os.getpid()}" / tmp_path.name if memory.is_dir() else tmp_path / "life"


@pytest.fixture
def root(tmp_path: Path) -> Any:
    made = place(tmp_path)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def count_calls(root: Path, double: str) -> int:
    fault = Fault()
    life = run_life(root / "count", fault, double)
    assert life.said == []
    assert sum(map(len, life.expected.values())) == 2 * (25 + 5 + 5 + 12)
    return fault.calls


def count_calls_of_images(root: Path, double: str) -> int:
    fault = Fault()
    life = run_life(root / "count", fault, double, live_with_images)
    assert life.said == []
    assert life.images == {"r1": {*range(6)}, "r3": {*range(6, 10)}}
    return fault.calls


COUNTS = {live: count_calls, live_with_images: count_calls_of_images}


@pytest.mark.parametrize("live", COUNTS)
@pytest.mark.parametrize("double", ["files", "store"])
def test_life_without_a_fault_keeps_everything(root: Path, double: str, live: Callable[[Life], None]) -> None:
    assert COUNTS[live](root, double) > 100


SAMPLE = int(os.environ.get("TRACKBOOK_FAULTS_EVERY", "83"))  # `make test-faults` sets 1


@pytest.mark.parametrize("live", COUNTS)
@pytest.mark.parametrize("double", ["files", "store"])
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_lost_whichever_call_fails(root: Path, double: str, kind: str, live: Callable[[Life], None]) -> None:
    calls = COUNTS[live](root, double)
    lost = []
    first = 1 + KINDS.index(kind) * SAMPLE // len(KINDS)  # so that samples of all kinds together leave few calls out
    for at in range(first, calls + 1, SAMPLE):
        fault = Fault(at, kind)
        try:
            run_life(root / str(at), fault, double, live)
        except BaseException as error:  # noqa: BLE001  all of them are listed
            lost.append(f"call {at} of {calls}, {fault.where}: {type(error).__name__}: {error}")
        shutil.rmtree(root / str(at), ignore_errors=True)
    assert not lost, f"{len(lost)} faults of kind {kind}:\n" + "\n".join(lost[:20])
