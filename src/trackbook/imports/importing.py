"""Import of the runs of a source into stores: each streamed, whole in the end, and the same whether once or often.

A run is `interrupted` in the store until it is read to its end, so an import that stops leaves no run that looks whole. The document
"imported" of a run says what it came from. A run that is whole, and whose source has not changed, is skipped; any other one is read from the
beginning, and the store discards the points that it has.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..artifacts.artifact import Artifact, keep
from ..artifacts.catalog import catalog_of, metadata_of
from ..artifacts.manifest import to_json
from ..media.values import File
from ..store.base import Store
from ..store.content_files import ContentFiles, StoredFile
from ..store.documents import document, put_document
from ..store.media_files import TABLE, drop_after
from ..text import listed
from ..tracking.config_values import Converter
from ..types import RunRecord
from ..user_warnings import warn
from .intake import Intake
from .kinds import kind_of
from .source import Damaged, Kind, SourceRun, joined

if TYPE_CHECKING:
    import polars as pl

DOCUMENT: Final = "imported"
_UNFINISHED: Final = "the import was interrupted; import again, and it goes on"
_MOST_LOSSES: Final = 10  # sentences
_KEPT: Final = ("name", "group", "tags", "notes")  # of a run that is there already: they may have been changed since


@dataclass(frozen=True)
class ImportProgress:
    """How far an import is."""

    run: str  # the id of the run that is being read
    number: int  # its number, from 1
    runs: int  # of the source
    points: int  # read so far, of all runs
    fraction: float  # of the source, from 0 to 1
    media: int = 0  # media and other files that were taken in so far, of all runs


@dataclass
class _Said:
    """What is to be said at the end of an import."""

    left_out: dict[str, Counter[str]] = field(default_factory=dict)
    twice: Counter[str] = field(default_factory=Counter)
    parts: Counter[str] = field(default_factory=Counter)  # sources by the id of a run that has several
    lost: list[str] = field(default_factory=list)

    def sentences(self) -> list[str]:
        found = [
            f"{sum(metrics.values()):,} {why} are left out: {listed(metrics, 5)}"
            for why, metrics in self.left_out.items()
        ]
        if self.twice:
            found.append(
                f"{self.twice.total():,} points are left out, at steps where their metric had one already: {listed(self.twice, 5)}"
            )
        if self.parts:
            found.append(
                f"{self.parts.total():,} of its runs share ids, and those with one id are imported as one run: {listed(self.parts, 5)}"
            )
        more = len(self.lost) - _MOST_LOSSES
        return found + self.lost[:_MOST_LOSSES] + ([f"{more:,} more losses of its runs"] if more > 0 else [])


def import_source(
    path: Path,
    kind: str | None,
    store_of: Callable[[str | None], Store],
    progress: Callable[[ImportProgress], None] | None = None,
) -> list[tuple[str | None, RunRecord]]:
    """Import the runs of a source into stores; return project and record of each.

    `store_of` returns the store of a project by name; the name is None when the source names none.

    Raises ``FileNotFoundError``, ``ValueError`` for a source that cannot be read, and for a run that the store has from elsewhere, and
    ``OSError`` when the store cannot write; the runs before it are imported then.
    """
    chosen = kind_of(path, kind)
    by_id: dict[tuple[str | None, str], list[SourceRun]] = {}
    for one in chosen.runs(path):
        by_id.setdefault((one.project, one.id), []).append(one)
    if not by_id:
        raise ValueError(f"{path} holds no {chosen.what}")
    found = [parts[0] if len(parts) == 1 else joined(parts) for parts in by_id.values()]
    whole = sum(one.size for one in found) or 1
    said, done, points, media = _Said(), 0, 0, 0
    for parts in by_id.values():
        if len(parts) > 1:
            said.parts[parts[0].id] += len(parts)
    results = []
    for number, one in enumerate(found, 1):

        def report(at: int, count: int, items: int, one: SourceRun = one, number: int = number) -> None:
            if progress is not None:
                share = min(1.0, (done + min(at, one.size)) / whole)  # noqa: B023  # it is called within this turn
                progress(ImportProgress(one.id, number, len(found), points + count, share, media + items))  # noqa: B023

        record, count, items = _Transfer(store_of(one.project), chosen, one, report, said).run()
        done, points, media = done + one.size, points + count, media + items
        report(0, 0, 0)
        results.append((one.project, record))
    for sentence in said.sentences():
        warn(f"import of {path}: {sentence}")
    return results


class _Transfer:
    """Brings one run into a store."""

    def __init__(
        self, store: Store, kind: Kind, source: SourceRun, report: Callable[[int, int, int], None], said: _Said
    ) -> None:
        self._store, self._kind, self._source, self._said = store, kind, source, said
        self._intake = Intake(
            self._append,
            self._put_rows,
            self._put_files,
            report,
            self._cut_back,
            keep_file=self._keep_file,
            keep_artifact=self._keep_artifact,
            numbers_zeros=kind.numbers_zeros,
        )

    def run(self) -> tuple[RunRecord, int, int]:
        """Return the record of the run, and the numbers of its points and of its media that were read."""
        store, source = self._store, self._source
        known, about = store.run(source.id), document(store, source.id, DOCUMENT)
        if known is not None and (about is None or about.get("kind") != self._kind.name):
            raise ValueError(
                f"there is a run {known.id!r} ({known.name!r}) already, which was not imported from {self._kind.name}: delete it, or "
                "import into another project by project=..."
            )
        if known is not None and about is not None and about.get("stamp") == source.stamp:
            return known, 0, 0
        was_whole = about is not None and about.get("was_whole", False)
        begun = known or RunRecord(source.id, source.id, started=source.origin.stat().st_mtime)
        store.put_run(dataclasses.replace(begun, state="interrupted", error=_UNFINISHED))
        self._note(stamp=None, was_whole=was_whole)
        self._flush()
        try:
            source.tell(self._intake)
        except Damaged as error:
            self._intake.lose(str(error))
        self._intake.end()
        self._flush()
        if known is not None:
            self._drop_doubles()
        record = self._record(known if was_whole else None)
        self._count_discarded()
        store.put_run(record)
        self._note(stamp=source.stamp, was_whole=True)
        self._flush()
        return record, self._intake.points, self._intake.media_items

    def _record(self, known: RunRecord | None) -> RunRecord:
        intake, source = self._intake, self._source
        fields = dict(intake.fields)
        for name in ("config", "summary"):
            fields[name] = Converter().plain(fields.get(name, {}))
        for name in fields.keys() & {"name", "group", "notes", "error"}:
            fields[name] = str(fields[name])  # YAML has a number where a name is one
        if known is not None:
            fields |= {name: getattr(known, name) for name in _KEPT}
        times = intake.first_time, intake.last_time
        first, last = times if math.isfinite(times[0]) else (None, None)  # a run may have files alone
        started = fields.pop("started", None)
        if started is None:
            started = first if first is not None else source.origin.stat().st_mtime
        ended = fields.pop("ended", None)
        if ended is None:
            ended = last if last is not None else started
        fields = {"name": source.id, "state": "finished"} | {n: v for n, v in fields.items() if v not in (None, "")}
        return RunRecord(id=source.id, started=started, ended=max(ended, started), **fields)

    def _note(self, *, stamp: str | None, was_whole: bool) -> None:
        about: dict[str, Any] = {
            "kind": self._kind.name,
            "source": str(self._source.origin.absolute()),
            "stamp": stamp,
            "was_whole": was_whole,
        }
        about |= self._intake.more | ({"lost": self._intake.lost} if self._intake.lost else {})
        put_document(self._store, self._source.id, DOCUMENT, about)

    def _count_discarded(self) -> None:
        intake, name = self._intake, self._intake.fields.get("name") or self._source.id
        for why, metrics in intake.left_out.items():
            self._said.left_out.setdefault(why, Counter()).update(metrics)
        for metric, figures in self._store.summary(self._source.id).items():
            if (more := intake.seen[metric] - figures.count) > 0:
                self._said.twice[metric] += more
        self._said.lost += [f"run {name!r} is not whole: {sentence}" for sentence in intake.lost]
        if (more := intake.losses - len(intake.lost)) > 0:
            self._said.lost.append(f"run {name!r} has {more:,} more such places")

    def _append(self, points: pl.DataFrame) -> None:
        self._store.append(self._source.id, points)
        self._flush()

    def _put_rows(self, table: str, rows: list[tuple[Any, ...]]) -> None:
        self._store.put_captured(self._source.id, table, rows)

    def _put_files(self, files: list[File]) -> bool:
        """Add files of media, and return whether there is a place for them."""
        if self._store.files_folder is None:
            return not files
        for file in files:
            if isinstance(file.content, bytes):
                ContentFiles(self._store.files_folder).put(file.content, file.suffix)
            else:
                ContentFiles(self._store.files_folder).add(file.content, file.suffix)
        return True

    def _keep_file(self, path: Path) -> StoredFile | None:
        """Add a file, unless there is no place for it."""
        folder = self._store.files_folder
        return None if folder is None else ContentFiles(folder).add(path)

    def _keep_artifact(self, artifact: Artifact, created: float, is_made: bool) -> str | None:
        """Keep a version of an artifact, unless an earlier import did; return why it cannot be, or None."""
        if self._store.files_folder is None:
            return "artifacts"
        catalog = catalog_of(self._store, "")
        with catalog.files.in_use():
            entries = keep(artifact, catalog.files)
            known = catalog.versions(artifact.name)
            if known and known[-1].type != artifact.type:
                return f"artifacts whose names those of type {known[-1].type!r} have"
            content = catalog.files.put(to_json(entries), durable=True).name
            same = next((version for version in known if version.digest == content), None)
            if same is not None:
                version = catalog.change(same.artifact, metadata=metadata_of(same) | artifact.metadata)
            else:
                run = self._source.id if is_made else None
                version = catalog.add(
                    artifact.name, artifact.type, entries, run=run, metadata=artifact.metadata, created=created
                )
        if is_made:
            catalog.link(self._source.id, "made", version, created)
        return None

    def _drop_doubles(self) -> None:
        """Drop media of an earlier import that have other numbers now, as after those of another file that has grown."""
        rows, told = self._store.captured(self._source.id, TABLE), set(self._intake.numbers)
        again = {row[1:] for row in rows if row[0] in told}
        for row in rows:
            if row[0] not in told and row[1:] in again:
                self._store.drop_captured(self._source.id, TABLE, row[0], row[0] + 1)

    def _cut_back(self, step: int) -> dict[str, int]:
        self._flush()
        self._store.cut(self._source.id, step - 1)
        drop_after(self._store, self._source.id, step - 1)
        return {metric: figures.count for metric, figures in self._store.summary(self._source.id).items()}

    def _flush(self) -> None:
        if not self._store.flush():
            raise OSError(" ".join(self._store.notices) or "the store is busy")
