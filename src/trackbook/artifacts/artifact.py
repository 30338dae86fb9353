"""`trackbook.Artifact`: files that belong together, which a run keeps as a version."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from ..ids import new_id
from ..store.content_files import ContentFiles
from ..user_warnings import warn_once
from .downloads import write_out
from .manifest import Entry, reference
from .names import LATEST, check_aliases, check_name, check_path

if TYPE_CHECKING:
    from .catalog import Catalog, Version


class Artifact:
    """Files and references under one name. `Run.log_artifact` keeps them as a version; until then they can be added.

    Parameters
    ----------
    name
        Letters, digits, dots, dashes and underscores.
    type
        What it is, such as ``"model"`` or ``"dataset"``. All versions have one type.
    description
        A text.
    metadata
        A dict of JSON values.
    other
        Keywords of other trackers, which are ignored with one warning.

    Raises
    ------
    TypeError, ValueError
        For a name or type that is not allowed.
    """

    def __init__(
        self,
        name: str,
        type: str = "files",
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        **other: Any,
    ) -> None:
        if other:
            warn_once(f"Artifact() ignores {', '.join(other)}: trackbook has no use for them")
        self.name = check_name(name)
        self.type = _check_type(type)
        self.description = description
        self.metadata: dict[str, Any] = dict(metadata or {})
        self.aliases: list[str] = []
        self._sources: dict[str, Path | Entry] = {}
        self._discard: Callable[[], object] | None = None  # deletes what `new_file` wrote
        self._written = Path()  # where it writes
        self._version: Version | None = None
        self._catalog: Catalog | None = None

    # --- while it is being made

    def add_file(self, local_path: str | os.PathLike[str], name: str | None = None, **other: Any) -> None:
        """Add the file at `local_path`, under `name` or else its own. Its content is that when the artifact is logged.

        Raises ``FileNotFoundError``, ``ValueError`` for a `name` that is no relative path, and ``RuntimeError`` once it is logged.
        `other` are keywords of other trackers.
        """
        self._say_ignored("add_file", other)
        path = Path(local_path)
        if not path.is_file():
            raise FileNotFoundError(f"there is no file {str(path)!r} to add to artifact {self.name!r}")
        self._add(path.name if name is None else name, path)

    def add_dir(self, local_path: str | os.PathLike[str], name: str | None = None, **other: Any) -> None:
        """Add all files of the folder `local_path` and its folders, under the folder `name` or at the top.

        Links to folders are not followed. Raises ``NotADirectoryError``, and as `add_file`. `other` are keywords of other trackers.
        """
        self._say_ignored("add_dir", other)
        root = Path(local_path)
        if not root.is_dir():
            raise NotADirectoryError(f"there is no folder {str(root)!r} to add to artifact {self.name!r}")
        above = "" if name is None else f"{check_path(name.rstrip('/'))}/"
        for folder, _, names in os.walk(root):
            for each in sorted(names):
                path = Path(folder, each)
                if path.is_file():
                    self._add(above + path.relative_to(root).as_posix(), path)

    def add_reference(self, uri: str, name: str | None = None, checksum: str | None = None, **other: Any) -> None:
        """Add a reference to what is elsewhere, under `name` or else the last part of `uri`. It is neither read nor kept.

        `checksum` is a text that changes with the content, such as an ETag: with another one the artifact is another version.
        Raises ``ValueError`` for an empty `uri`, and as `add_file`. `other` are keywords of other trackers.
        """
        self._say_ignored("add_reference", {name: value for name, value in other.items() if name != "max_objects"})
        if not uri:
            raise ValueError(f"add_reference({uri!r}): uri is the text of an address, such as 's3://bucket/data.csv'")
        path = name or uri.rstrip("/").rpartition("/")[2].partition("?")[0] or "reference"
        self._add(path, reference(path, uri, checksum))

    @contextlib.contextmanager
    def new_file(self, name: str, mode: str = "w", encoding: str | None = None) -> Iterator[IO[Any]]:
        """Give an open file to write to, which is then in the artifact under `name`.

        `mode` is ``"w"`` or ``"wb"``, and `encoding` that of a text, by default UTF-8.
        """
        check_path(name)
        self._refuse_logged()
        if self._discard is None:
            self._written = Path(tempfile.mkdtemp(prefix="trackbook-artifact-"))
            self._discard = weakref.finalize(self, shutil.rmtree, self._written, ignore_errors=True)
        path = self._written / new_id()
        with path.open(mode.replace("x", "w"), encoding=None if "b" in mode else encoding or "utf-8") as file:
            yield file
        self._add(name, path)

    def remove(self, name: str) -> None:
        """Remove the file `name` again. Raises ``KeyError`` when there is none."""
        self._refuse_logged()
        del self._sources[name]

    def _settle(self, catalog: Catalog, version: Version) -> None:
        """Be a version from now on."""
        from .catalog import metadata_of

        self._catalog, self._version = catalog, version
        self.aliases = self._with_latest(version)
        self.metadata, self.description = metadata_of(version), version.description
        self._sources.clear()
        if self._discard is not None:
            self._discard()
            self._discard = None

    def _add(self, path: str, source: Path | Entry) -> None:
        self._refuse_logged()
        path = check_path(path)
        if path in self._sources:
            raise ValueError(
                f"artifact {self.name!r} has a file {path!r} already; remove() it first, or give another name"
            )
        self._sources[path] = source

    def _refuse_logged(self) -> None:
        if self._version is not None:
            raise RuntimeError(
                f"{self._version.artifact} is kept and does not change; log a new Artifact({self.name!r}, ...)"
            )

    def _say_ignored(self, function: str, other: Mapping[str, Any]) -> None:
        given = [name for name, value in other.items() if value is not None]
        if given:
            warn_once(f"Artifact.{function}() ignores {', '.join(given)}: trackbook has no use for them")

    # --- once it is kept

    @property
    def version(self) -> str | None:
        """``v0``, ``v1`` and so on; None until it is logged."""
        return None if self._version is None else f"v{self._version.version}"

    @property
    def qualified_name(self) -> str:
        """The name with its version, as `Run.use_artifact` takes it."""
        return self.name if self._version is None else self._version.artifact

    @property
    def digest(self) -> str | None:
        """The SHA-256 of its list of files and their digests; None until it is logged."""
        return None if self._version is None else self._version.digest

    @property
    def size(self) -> int | None:
        """The bytes of its files, without references; None until it is logged."""
        return None if self._version is None else self._version.size

    @property
    def created(self) -> float | None:
        """When it was logged first, in seconds UTC; None until it is logged."""
        return None if self._version is None else self._version.created

    @property
    def made_by(self) -> list[str]:
        """The ids of the runs that logged it."""
        catalog, version = self._kept("made_by")
        return catalog.linked(version, "made")

    @property
    def used_by(self) -> list[str]:
        """The ids of the runs that used it."""
        catalog, version = self._kept("used_by")
        return catalog.linked(version, "used")

    def files(self) -> list[Entry]:
        """Return its files and references: ``path``, ``digest``, ``size`` in bytes, and ``ref``, None for a file.

        Raises ``OSError`` when the list of files is damaged.
        """
        catalog, version = self._kept("files()")
        return list(catalog.entries(version).values())

    def download(self, root: str | os.PathLike[str] | None = None, **other: Any) -> str:
        """Write its files below the folder `root`, by default ``artifacts/NAME-VERSION``, and return that folder.

        Each file is checked; one that is there with this content is left alone. References are left where they are. Nothing outside of
        `root` is written. Raises ``OSError`` for a file that is lost or damaged, and ``ValueError`` where a link leads out of `root`.
        `other` are keywords of other trackers.
        """
        self._say_ignored("download", other)
        catalog, version = self._kept("download()")
        folder = Path("artifacts", f"{check_name(version.name)}-v{version.version:d}") if root is None else Path(root)
        folder.mkdir(parents=True, exist_ok=True)
        for entry in catalog.entries(version).values():
            if not entry.is_reference:
                write_out(catalog.files, entry.digest, folder, entry.path)
        return str(folder)

    def read(self, path: str) -> bytes:
        """Return the content of the file `path`. Raises ``KeyError`` when there is none, ``OSError`` when it is lost or damaged."""
        catalog, version = self._kept("read()")
        entry = catalog.entries(version)[path]
        if entry.ref is not None:
            raise ValueError(f"{path!r} of {version.artifact} is a reference to {entry.ref}, and is not kept here")
        if not catalog.files.is_whole(entry.digest):
            raise OSError(f"{path} of {version.artifact} is lost or damaged: {catalog.files.path(entry.digest)}")
        return catalog.files.read(entry.digest)

    def verify(self) -> None:
        """Check the content of all its files. Raises ``OSError`` that names those that are lost or damaged."""
        catalog, version = self._kept("verify()")
        bad = [
            entry.path
            for entry in catalog.entries(version).values()
            if entry.ref is None and not catalog.files.is_whole(entry.digest)
        ]
        if bad:
            raise OSError(f"files of {version.artifact} are lost or damaged: {', '.join(bad)}")

    def save(self) -> None:
        """Keep changed `aliases`, `metadata` and `description`. An alias that another version had moves to this one."""
        catalog, version = self._kept("save()")
        kept = catalog.change(
            version.artifact, aliases=check_aliases(self.aliases), metadata=self.metadata, description=self.description
        )
        self._settle(catalog, kept)

    def delete(self, force: bool = False, **other: Any) -> None:
        """Delete this version, and the files that nothing else needs, for good.

        Raises ``ValueError`` for one that has aliases of its own or was used by a run, unless `force` is given. `other` are keywords
        of other trackers: wandb's ``delete_aliases=True`` is `force`.
        """
        catalog, version = self._kept("delete()")
        catalog.delete(version.artifact, force=force or bool(other.get("delete_aliases")))

    def wait(self, timeout: float | None = None) -> Self:
        """Return it: what is logged is kept already, whatever the `timeout`. For scripts of wandb."""
        return self

    def _kept(self, what: str) -> tuple[Catalog, Version]:
        if self._catalog is None or self._version is None:
            raise RuntimeError(
                f"artifact {self.name!r} is not logged yet, so it has no {what}; call run.log_artifact(...) first"
            )
        return self._catalog, self._version

    def _with_latest(self, version: Version) -> list[str]:
        assert self._catalog is not None
        newest = self._catalog.versions(version.name)[-1:]
        return [*([LATEST] if newest and newest[0].version == version.version else []), *version.alias_list]

    def __repr__(self) -> str:
        return f"<trackbook artifact {self.qualified_name!r}: {self.type}>"


def keep(artifact: Artifact, files: ContentFiles) -> list[Entry]:
    """Keep the content of the files of an artifact, and return its entries: of one that is kept already, those of its version."""
    if artifact._catalog is not None:  # noqa: SLF001  # hidden from users
        there = artifact._catalog.files  # noqa: SLF001
        entries = artifact.files()
        for entry in entries:
            if entry.is_reference or there.folder == files.folder:
                continue
            content = there.path(entry.digest)
            if files.add(content, durable=True).name != entry.digest:  # of another project
                raise OSError(f"{entry.path} of {artifact.qualified_name} is damaged: {content}")
        return entries
    entries = []
    for path, source in artifact._sources.items():  # noqa: SLF001  # hidden from users
        if isinstance(source, Entry):
            entries.append(source)
        else:
            stored = files.add(source, durable=True)
            entries.append(Entry(path, stored.name, stored.size))
    return entries


def settle(artifact: Artifact, catalog: Catalog, version: Version) -> None:
    """Let an artifact that was being made be a version from now on."""
    artifact._settle(catalog, version)  # noqa: SLF001  # hidden from users


def kept_artifact(catalog: Catalog, version: Version) -> Artifact:
    """Return a version as an artifact."""
    made = Artifact(version.name, version.type)
    settle(made, catalog, version)
    return made


def _check_type(kind: Any) -> str:
    if not isinstance(kind, str) or not kind or len(kind) > 128 or not kind.isprintable():
        raise ValueError(f"the type of an artifact is a short text such as 'model', not {kind!r}")
    return kind
