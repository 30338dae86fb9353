"""Stand-ins for what other trackers record and Trackbook does not: some media, artifacts and settings. None keeps what it is given."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import IO, Any, Final, Self

from ..tracking.unsupported import FEATURES, FILES, MEDIA, StandIn


class Media(StandIn):
    """Something to look at or listen to, of which nothing is kept."""

    def __init__(self, *_: Any, **__: Any) -> None: ...


class Artifact(StandIn):
    """A version of files, of which nothing is kept."""

    def __init__(self, name: str = "", type: str = "", description: Any = None, metadata: Any = None, **_: Any) -> None:
        self.name = name
        self.type = type
        self.description = description
        self.metadata = dict(metadata or {})
        self.aliases: list[str] = []

    def add_file(self, *_: Any, **__: Any) -> None:
        """Keep nothing: `log_artifact` says so."""

    add_dir = add_reference = add = remove = add_file

    @contextlib.contextmanager
    def new_file(self, name: str, mode: str = "x", encoding: str | None = None) -> Iterator[IO[Any]]:
        """Give a file that is forgotten."""
        yield io.BytesIO() if "b" in mode else io.StringIO()

    def wait(self, *_: Any, **__: Any) -> Self:
        """Return at once."""
        return self

    def download(self, *_: Any, **__: Any) -> str:
        """Raise ``NotImplementedError``: there are no files."""
        raise NotImplementedError(f"artifact {self.name!r} has no files: {FEATURES['files']}")

    get_path = get_entry = get = file = verify = checkout = download


class Settings(SimpleNamespace):
    """Settings of wandb and SwanLab, which are kept as they are and have no effect."""


class Callback:
    """SwanLab's callback, to derive from. Nothing calls it: see `register_callbacks`."""

    name = ""


class Error(Exception):
    """The base of wandb's errors, none of which is raised here."""


class CommError(Error): ...


class UsageError(Error): ...


class ConfigError(Error): ...


def _types(names: Iterable[str], base: type) -> dict[str, Any]:
    return {name: type(name, (base,), {"__module__": __name__}) for name in names}


_OWN: Final = {"Artifact": Artifact}
TYPES: Final = {**_types(MEDIA, Media), **_types(FILES, StandIn), **_OWN}
globals().update(TYPES)  # so that they are found when they are pickled


@contextlib.contextmanager
def telemetry(*_: Any, **__: Any) -> Iterator[Any]:
    """Give an object that takes attributes: what integrations tell wandb of their use."""
    yield SimpleNamespace(feature=SimpleNamespace(), imports=SimpleNamespace(), env=SimpleNamespace())
