"""The files of a run: what it saves, and the artifacts that it makes and uses."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .. import settings
from ..artifacts.artifact import Artifact, keep, kept_artifact, settle
from ..artifacts.downloads import write_out
from ..artifacts.names import check_aliases, check_path, parse, plain_name
from ..artifacts.saved import Saving, matches, saved_files
from ..store.paths import ProjectPaths
from ..text import did_you_mean, listed
from ..user_warnings import warn
from .endings import in_words
from .other_trackers import say_ignored

if TYPE_CHECKING:
    import polars as pl

    from ..artifacts.catalog import Catalog
    from .run_writer import RunWriter

POLICIES: Final = ("live", "now", "end")


class RunFiles:
    """What runs do with files. The methods of `trackbook.Run` that keep files or bring them back."""

    _writer: RunWriter
    _saving: Saving | None = None

    def save(
        self,
        glob: str | os.PathLike[str] | None = None,
        base_path: str | os.PathLike[str] | None = None,
        policy: str = "live",
        **other: Any,
    ) -> list[str]:
        """Keep the files that a glob matches in the project, and return the paths under which they are kept.

        Parameters
        ----------
        glob
            A path or a pattern: ``"*.py"``, ``"checkpoints/**/*.pt"``.
        base_path
            The folder below which paths are kept, by default the current one; for what is not below it, the folder before the first
            wildcard.
        policy
            ``"now"``; ``"end"``: when the run ends; ``"live"``: both. A later content replaces the earlier one.
        other
            Keywords of other trackers, which are ignored with one warning.

        Raises
        ------
        ValueError
            For another policy, and for files that are not below `base_path`.
        OSError
            When a file cannot be read or kept.
        RuntimeError
            When the run has ended, or another process writes it.
        """
        glob = _given("save", glob, other, "glob_str")
        say_ignored("save", other)
        if policy not in POLICIES:
            raise ValueError(f"save(policy={policy!r}): policy is one of {', '.join(map(repr, POLICIES))}")
        pattern, base = os.fspath(glob), None if base_path is None else Path(base_path)
        home = self._to_write("save()")
        if home is None:
            return []
        if self._saving is None:
            self._saving = Saving(home.store, home.files, self._writer.id)
            self._writer.before_end.append(self._save_at_end)
        absolute = str(Path(pattern).absolute())
        if base is None and not Path(pattern).is_absolute() and ".." not in Path(pattern).parts:
            base = Path.cwd()
        if policy == "end":
            names = [name for _, name in matches(absolute, base)]
        else:
            with home.files.in_use():
                names = [row.path for row in self._saving.save(absolute, base)]
                home.store.flush()
        if policy != "now":
            self._saving.at_end.append((absolute, None if base is None else base.absolute()))
        elif not names:
            warn(f"save({pattern!r}) found no file in {Path.cwd()}")
        return names

    def _save_at_end(self, writer: RunWriter) -> None:
        assert self._saving is not None
        with _home(writer).files.in_use():
            for pattern, base in self._saving.at_end:
                try:
                    self._saving.save(pattern, base)
                except (OSError, ValueError) as error:  # the run ends, whatever became of its files
                    writer.findings.note([f"save({pattern!r}) failed when run {writer.name!r} ended: {error}"])
            writer.store.flush()

    def files(self) -> pl.DataFrame:
        """Return the files that the run saved: ``path`` (str), ``digest`` (str, SHA-256), ``size`` (int64, bytes), ``time`` (UTC)."""
        import polars as pl

        from ..data.dataframes import as_time

        self._writer.refuse_in_child()
        schema = {"path": pl.String, "digest": pl.String, "size": pl.Int64, "time": pl.Float64}
        rows = saved_files(self._writer.store, self._writer.id)
        return pl.DataFrame(rows, schema, orient="row").with_columns(as_time(pl.col("time")))

    def restore(self, name: str, root: str | os.PathLike[str] = ".", replace: bool = False) -> Path:
        """Write the file `name` that the run saved below the folder `root`, and return where. One that is there stays, without `replace`.

        Raises ``ValueError`` when the run saved no such file, or a link leads out of `root`, and ``OSError`` when it is lost or damaged.
        """
        self._writer.refuse_in_child()
        name = check_path(name)
        saved = {row.path: row for row in saved_files(self._writer.store, self._writer.id)}
        if name not in saved:
            others = did_you_mean(name, list(saved), f"it saved {listed(sorted(saved))}" if saved else "it saved none")
            raise ValueError(f"run {self._writer.name!r} saved no file {name!r}; {others}")
        return write_out(_home(self._writer).files, saved[name].digest, Path(root), name, replace=replace)

    def log_artifact(
        self,
        path_or_artifact: Artifact | str | os.PathLike[str] | None = None,
        name: str | None = None,
        type: str | None = None,
        aliases: Iterable[str] | str | None = None,
        **other: Any,
    ) -> Artifact:
        """Keep files as a version of an artifact, and return it. It is kept when this returns.

        The versions of an artifact are ``v0``, ``v1`` and so on. Content that its newest version has makes no new one. Each file is kept
        once in a project, whichever versions have it. An artifact that was logged before is logged again with the content of its version.

        Parameters
        ----------
        path_or_artifact
            An `Artifact`, a file, a folder, or an address such as ``s3://...``, which is noted and not read.
        name, type
            Of the artifact that is made of a path: by default the name of the file or folder, and ``"files"``.
        aliases
            Names of this version, beside ``latest``; other versions lose them.
        other
            Keywords of other trackers, which are ignored with one warning.

        Raises
        ------
        FileNotFoundError
            When there is nothing at the path.
        TypeError, ValueError
            For names that are not allowed, and another type than that of earlier versions.
        OSError
            When a file cannot be read or kept; nothing is kept then.
        RuntimeError
            When the run has ended, or another process writes it.
        """
        path_or_artifact = _given("log_artifact", path_or_artifact, other, "artifact_or_path")
        say_ignored("log_artifact", other)
        artifact = _as_artifact(path_or_artifact, name, type)
        catalog = self._to_write("log_artifact()")
        if catalog is None:
            return artifact
        own = artifact.aliases if artifact.version is None else []  # those of a version may be another's by now
        every = [*own, *([aliases] if isinstance(aliases, str) else aliases or ())]
        with catalog.files.in_use():
            version = catalog.add(
                artifact.name,
                artifact.type,
                keep(artifact, catalog.files),
                run=self._writer.id,
                aliases=check_aliases(every),
                metadata=artifact.metadata or None,
                description=artifact.description,
            )
        catalog.link(self._writer.id, "made", version)
        settle(artifact, catalog, version)
        return artifact

    def use_artifact(self, name: Artifact | str | None = None, type: str | None = None, **other: Any) -> Artifact:
        """Return a version of an artifact, and note that the run used it.

        Parameters
        ----------
        name
            ``"model:v3"``, ``"model:best"``, or ``"model"`` for the latest one; of another project of this folder ``"project/model:v3"``.
        type
            Its type, which is checked.
        other
            Keywords of other trackers, which are ignored with one warning.

        Raises
        ------
        ValueError
            When there is no such version, or it has another type.
        RuntimeError
            In a process that can only log to the run.
        """
        name = _given("use_artifact", name, other, "artifact_or_name")
        say_ignored("use_artifact", other)
        self._writer.refuse_in_child()
        if isinstance(name, Artifact):
            name = name.qualified_name
        wanted = parse(name)
        is_here = wanted.project in (None, self._writer.project)
        catalog = _home(self._writer) if is_here else _elsewhere(self._writer, str(wanted.project))
        version = catalog.find(wanted)
        if type is not None and type != version.type:
            raise ValueError(f"{version.artifact} has the type {version.type!r}, not {type!r}")
        if not (self._writer.ended or self._writer.journals is None):
            _home(self._writer).link(self._writer.id, "used", version)
        return kept_artifact(catalog, version)

    def artifacts(self) -> pl.DataFrame:
        """Return what the run made and used: ``role`` (``made`` or ``used``), ``artifact``, ``digest`` (str) and ``time`` (UTC)."""
        import polars as pl

        from ..artifacts.catalog import Link
        from ..data.dataframes import as_time

        self._writer.refuse_in_child()
        schema = {name: pl.Float64 if name == "time" else pl.String for name in Link._fields}
        rows = self._writer.store.captured(self._writer.id, "artifact_links")
        return pl.DataFrame(rows, schema, orient="row").drop("link").with_columns(as_time(pl.col("time"))).sort("time")

    def _to_write(self, what: str) -> Catalog | None:
        """Return the artifacts of the project, None where nothing is kept. Raises ``RuntimeError`` where the run takes no files."""
        writer = self._writer
        writer.refuse_in_child()
        if writer.ended:
            raise RuntimeError(
                f"run {writer.name!r} {in_words(writer.state)} and takes no more files by {what}; call trackbook.init(...) first"
            )
        return None if writer.journals is None else _home(writer)


def _given(function: str, value: Any, other: dict[str, Any], name: str) -> Any:
    """Return an argument, which other trackers call `name`."""
    value = other.pop(name, None) if value is None else value
    if value is None:
        raise TypeError(f"{function}() needs to know what: give a path, or its name")
    return value


def _home(writer: RunWriter) -> Catalog:
    """Return the artifacts of a run's project; of a run that is not recorded, those that are in the file."""
    from ..artifacts.catalog import catalog_of

    if writer.store.files_folder is None:
        return _elsewhere(writer, writer.project)
    return catalog_of(writer.store, writer.project)


def _elsewhere(writer: RunWriter, project: str) -> Catalog:
    """Return the artifacts of a project of the same folder. Raises ``ValueError`` when there is none."""
    from ..artifacts.catalog import catalog_of
    from ..store.sqlite import SqliteStore

    path = ProjectPaths(writer.folder or settings.data_dir(), project).file
    if not path.exists():
        raise ValueError(f"there is no project {project!r} in {path.parent}")
    store = SqliteStore(path, project)
    catalog = catalog_of(store, project)
    weakref.finalize(catalog, store.close)  # what is found there holds the catalog
    return catalog


def _as_artifact(given: Any, name: str | None, kind: str | None) -> Artifact:
    if isinstance(given, Artifact):
        return given
    if not isinstance(given, str | os.PathLike):
        raise TypeError(f"log_artifact() takes an Artifact or a path, not {type(given).__name__}")
    text = os.fspath(given)
    path = Path(text)
    made = Artifact(plain_name(path.name or "files") if name is None else name, kind or "files")
    if "://" in text:
        made.add_reference(text)
    elif path.is_dir():
        made.add_dir(path)
    else:
        made.add_file(path)
    return made
