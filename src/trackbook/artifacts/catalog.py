"""The artifacts of a project: versions, aliases, which runs made and used them, and their removal."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from .. import filesystem
from ..store import media_files
from ..store.content_files import ContentFiles
from ..store.documents import PROJECT, document, put_document
from ..text import did_you_mean, listed
from . import manifest
from .manifest import Entry
from .names import LATEST, Wanted, check_aliases

if TYPE_CHECKING:
    from ..store.base import Store

Role = Literal["made", "used"]

_PATIENCE: Final = 30.0  # seconds to wait for another process that adds a version
_LONGEST_METADATA: Final = 20_000  # characters of one text
_LOCK: Final = ".versions"


class Version(NamedTuple):
    """A version of an artifact, with the columns of the table ``artifacts``."""

    artifact: str  # "model:v3"
    name: str
    version: int
    type: str
    digest: str
    size: int  # bytes of its files
    files: int  # their number, with references
    created: float
    run: str | None  # the id of the run that made it
    aliases: str  # JSON
    metadata: str  # JSON
    description: str | None
    manifest: str  # the kept file that lists the files

    @property
    def alias_list(self) -> list[str]:
        """The aliases, without ``latest``."""
        found = _parsed(self.aliases)
        return [alias for alias in found if isinstance(alias, str)] if isinstance(found, list) else []


class Link(NamedTuple):
    """That a run made or used a version, with the columns of the table ``artifact_links``."""

    link: str
    role: str
    artifact: str
    digest: str
    time: float


def catalog_of(store: Store, project: str) -> Catalog:
    """Return the artifacts of a project. Raises ``ValueError`` for one whose files are not on this machine, as in a lake."""
    if store.files_folder is None:
        raise ValueError(f"the files of project {project!r} are not on this machine, and with them its artifacts")
    return Catalog(store, ContentFiles(store.files_folder), project)


class Catalog:
    """The artifacts of one project. Several processes may change them at once."""

    def __init__(self, store: Store, files: ContentFiles, project: str) -> None:
        self.store = store
        self.files = files
        self.project = project

    def versions(self, name: str | None = None) -> list[Version]:
        """Return the versions of an artifact, or of all, by name and oldest first."""
        rows = [Version(*row) for row in self.store.captured(PROJECT, "artifacts")]
        return sorted((row for row in rows if name in (None, row.name)), key=lambda row: (row.name, row.version))

    def find(self, wanted: Wanted) -> Version:
        """Return a version. Raises ``ValueError`` when there is none."""
        everything = self.versions()
        found = [version for version in everything if version.name == wanted.name]
        if not found:
            names = sorted({version.name for version in everything})
            others = did_you_mean(wanted.name, names, f"there are {listed(names)}" if names else "there is none at all")
            raise ValueError(f"project {self.project!r} has no artifact {wanted.name!r}; {others}")
        if wanted.version == LATEST:
            return found[-1]
        for version in found:
            if f"v{version.version}" == wanted.version or wanted.version in version.alias_list:
                return version
        known = [f"v{version.version}" for version in found] + [alias for one in found for alias in one.alias_list]
        raise ValueError(f"artifact {wanted.name!r} has no version {wanted.version!r}; there are {listed(known)}")

    def add(
        self,
        name: str,
        kind: str,
        entries: Sequence[Entry],
        *,
        run: str | None,
        aliases: Iterable[str] = (),
        metadata: Mapping[str, Any] | None = None,
        description: str | None = None,
        created: float | None = None,
    ) -> Version:
        """Add a version, whose files are kept already, durably. The content of the newest version is that version again.

        `created` is when it was made, by default now.

        Raises ``ValueError`` for another type than that of earlier versions, ``OSError`` when it cannot be written.
        """
        data = manifest.to_json(entries)
        kept = self.files.put(data, durable=True)
        with self._changing():
            earlier = self.versions(name)
            if earlier and earlier[-1].type != kind:
                raise ValueError(
                    f"artifact {name!r} has the type {earlier[-1].type!r}, not {kind!r}; give the new one another name"
                )
            newest = earlier[-1] if earlier and earlier[-1].digest == kept.name else None
            number = self._next(name, earlier)
            version = newest or Version(
                f"{name}:v{number}",
                name,
                number,
                kind,
                kept.name,
                sum(entry.size or 0 for entry in entries),
                len(entries),
                time.time() if created is None else created,
                run,
                "[]",
                "{}",
                None,
                kept.name,
            )
            version = _described(version, metadata, description)
            version = version._replace(aliases=_aliases([*version.alias_list, *check_aliases(aliases)]))
            self._put([version, *self._without(version, earlier)])
        return version

    def change(
        self,
        artifact: str,
        *,
        aliases: Iterable[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        description: str | None = None,
    ) -> Version:
        """Change what describes a version, durably. An alias that another version had moves to this one."""
        with self._changing():
            version = self._of(artifact)
            version = _described(version, metadata, description)
            if aliases is not None:
                version = version._replace(aliases=_aliases(check_aliases(aliases)))
            self._put([version, *self._without(version, self.versions(version.name))])
        return version

    def entries(self, version: Version) -> dict[str, Entry]:
        """Return the files of a version by path. Raises ``OSError`` when its manifest is lost or damaged."""
        if not self.files.is_whole(version.manifest):
            raise OSError(
                f"the list of files of {version.artifact} is lost or damaged: {self.files.path(version.manifest)}"
            )
        try:
            return manifest.from_json(self.files.read(version.manifest))
        except ValueError as error:
            raise OSError(f"{version.artifact}: {error}") from None

    def link(self, run: str, role: Role, version: Version, at: float | None = None) -> None:
        """Note that a run made or used a version, by default now."""
        when = time.time() if at is None else at
        row = Link(f"{role} {version.artifact} {version.digest}", role, version.artifact, version.digest, when)
        self.store.put_captured(run, "artifact_links", [row])
        self.store.flush()

    def links(self, role: Role) -> dict[tuple[str, str], list[str]]:
        """Return the ids of the runs that made or used versions, oldest run first, by name and digest of a version.

        The digest tells a version from one of another project, which may have its name.
        """
        found: dict[tuple[str, str], dict[str, None]] = {}
        for run in self.store.runs():
            for row in map(Link._make, self.store.captured(run.id, "artifact_links")):
                if row.role == role:
                    found.setdefault((row.artifact, row.digest), {})[run.id] = None
        return {key: [*runs] for key, runs in found.items()}

    def linked(self, version: Version, role: Role) -> list[str]:
        """Return the ids of the runs that made or used a version, oldest run first."""
        return self.links(role).get((version.artifact, version.digest), [])

    def take(self, versions: Iterable[Version], folder: Path) -> list[str]:
        """Add versions of another project whose kept files are in `folder`. Return a sentence for each that is left out."""
        left_out, source = [], Catalog(self.store, ContentFiles(folder), self.project)
        with self._changing():
            known = {version.artifact: version for version in self.versions()}
            for version in versions:
                here = known.get(version.artifact)
                if here is not None and here.digest != version.digest:
                    left_out.append(f"{version.artifact} has other content here, and is left out")
                elif here is None:
                    media_files.copy(source.names_of(version), folder, self.files.folder)
                    taken = version._replace(aliases=_aliases(check_aliases(version.alias_list)))
                    changed = [taken, *self._without(taken, known.values())]
                    self._put(changed)
                    known.update({each.artifact: each for each in changed})
        return left_out

    def collect(self, names: Iterable[str]) -> None:
        """Remove those of these kept files that neither a version nor a saved file needs any more.

        Meanwhile no process keeps files. Where they cannot be locked, nothing is removed.
        """
        names = set(names)
        if names:
            with self.files.sweeping() as alone:
                if alone:
                    self.files.remove_unused(names, self.used_names(), spare=0.0)

    def delete(self, artifact: str, *, force: bool = False) -> None:
        """Delete a version, and those of its files that nothing else needs.

        Raises ``ValueError`` for one that has aliases or was used by a run, unless it is forced.
        """
        with self._changing():
            version = self._of(artifact)
            users = self.linked(version, "used")
            if not force and (version.alias_list or users):
                why = [f"has the aliases {listed(version.alias_list)}"] if version.alias_list else []
                why += [f"was used by {len(users)} run{'s' * (len(users) > 1)}"] if users else []
                raise ValueError(f"{artifact} {' and '.join(why)}; force=True deletes it anyway")
            names = self.names_of(version)
            put_document(self.store, PROJECT, _counter(version.name), {"next": self._next(version.name, [version])})
            self.store.drop_captured(PROJECT, "artifacts", artifact, artifact + "\0")
            self._flush(f"delete {artifact}")
        self.collect(names)

    def used_names(self) -> set[str]:
        """Return the names of all kept files that a version, or a file that a run saved, needs."""
        saved = {row[1] for run in self.store.runs() for row in self.store.captured(run.id, "files")}
        return saved.union(*map(self.names_of, self.versions()))

    def names_of(self, version: Version) -> set[str]:
        """Return the names of the kept files of a version: its own, and the list of them."""
        with contextlib.suppress(OSError):  # what a damaged manifest lists is not known, and stays
            return {version.manifest, *(entry.digest for entry in self.entries(version).values() if entry.ref is None)}
        return {version.manifest}

    def _of(self, artifact: str) -> Version:
        found = next((version for version in self.versions() if version.artifact == artifact), None)
        if found is None:
            raise ValueError(f"project {self.project!r} has no artifact {artifact!r} any more")
        return found

    def _next(self, name: str, earlier: Sequence[Version]) -> int:
        """Return the number of the next version: that of a deleted one does not come again."""
        kept = (document(self.store, PROJECT, _counter(name)) or {}).get("next", 0)
        return max([kept if isinstance(kept, int) else 0, *(version.version + 1 for version in earlier)])

    def _without(self, version: Version, others: Iterable[Version]) -> list[Version]:
        """Return those of the others that lose an alias to a version, without it."""
        taken = set(version.alias_list)
        return [
            other._replace(aliases=_aliases([alias for alias in other.alias_list if alias not in taken]))
            for other in others
            if other.artifact != version.artifact and taken.intersection(other.alias_list)
        ]

    def _put(self, versions: Sequence[Version]) -> None:
        self.store.put_captured(PROJECT, "artifacts", versions)
        self._flush(f"keep {versions[0].artifact}")

    def _flush(self, what: str) -> None:
        if not self.store.flush():
            raise OSError(f"Cannot {what} now: {' '.join(self.store.notices) or 'the project file is busy'}")

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """Keep other processes from numbering versions meanwhile, where files can be locked."""
        self.files.folder.mkdir(parents=True, exist_ok=True)
        descriptor, held = None, True
        try:
            with contextlib.suppress(OSError):  # a file system without locks
                descriptor = filesystem.open_to_hold(self.files.folder / _LOCK)
                held = filesystem.lock(descriptor, patience=_PATIENCE)
            if not held:
                raise TimeoutError(
                    f"another process has been changing the artifacts of {self.project!r} for {_PATIENCE:.0f} s"
                )
            yield
        finally:
            if descriptor is not None:
                os.close(descriptor)


def _described(version: Version, metadata: Mapping[str, Any] | None, description: str | None) -> Version:
    from ..store.text_gate import LONGEST_NOTES, Masking, recorded_text

    if metadata is not None:
        masked = Masking(_LONGEST_METADATA)(dict(metadata))
        version = version._replace(metadata=json.dumps(masked, default=str))
    if description is not None:
        version = version._replace(description=recorded_text(description, LONGEST_NOTES))
    return version


def metadata_of(version: Version) -> dict[str, Any]:
    """Return the metadata of a version, empty when they are damaged."""
    found = _parsed(version.metadata)
    return found if isinstance(found, dict) else {}


def _aliases(aliases: Iterable[str]) -> str:
    return json.dumps(list(dict.fromkeys(aliases)))


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _counter(name: str) -> str:
    return f"artifact {name}"
