"""Runs without a project file: not recorded at all, or kept only in a journal that another process moves into the file."""

from __future__ import annotations

import dataclasses
import os

from ..ids import readable_name
from ..journal.journal import FileJournal, Journal, head_of
from ..journal.null_journal import NullJournal
from ..journal.reader import probe
from ..store.memory import MemoryStore
from ..store.paths import ProjectPaths
from ..types import RunRecord
from .run import Run
from .run_options import RunOptions
from .run_writer import RunWriter


def open_disabled(paths: ProjectPaths, options: RunOptions) -> Run:
    """Return a run that works as any other, but is not recorded."""
    record, options = _named(options.record, 1), dataclasses.replace(options, disabled=True)
    return Run(RunWriter(paths.project, record, MemoryStore(), NullJournal(), paths.folder, options=options))


def open_in_fork(paths: ProjectPaths, options: RunOptions) -> Run:
    """Return a run that is kept only in its journal, for the next process that opens the project. Raises ``RuntimeError``."""
    if options.by_id or options.resume != "never":
        raise RuntimeError(
            "init(id=..., resume=...) must read the project's runs, and in a process forked from one that uses Polars nothing can be "
            "read, because Polars hangs there; start the process with multiprocessing.get_context('spawn')"
        )
    record = _named(options.record, os.getpid())
    journal = FileJournal(paths.journals, head_of(record))
    journal.open()
    writer = RunWriter(paths.project, record, MemoryStore(), journal, paths.folder, options=options, journal_only=True)
    return Run(writer)


def join(paths: ProjectPaths, options: RunOptions) -> Run | None:
    """Return a run that logs to a run of another process, by a journal of its own. None when no process writes that run."""
    if probe(paths.journals, options.record.id, children=False) not in ("alive", "unknown"):
        return None
    writer = RunWriter(
        paths.project, options.record, MemoryStore(), NullJournal(), paths.folder, options=options, journal_only=True
    )
    writer.go_on_in_child()
    return Run(writer)


def lost(project: str, record: RunRecord) -> Run:
    """Return a run that is nowhere to be found: what is logged to it goes nowhere."""
    journal: Journal | None = NullJournal() if record.state == "running" else None
    return Run(RunWriter(project, record, MemoryStore(), journal, journal_only=True))


def _named(record: RunRecord, number: int) -> RunRecord:
    return record if record.name else dataclasses.replace(record, name=readable_name(number))
