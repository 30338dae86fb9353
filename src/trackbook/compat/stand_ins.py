"""Stand-ins for what other trackers record and Trackbook does not: media, artifacts and settings. None keeps what it is given."""

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


class Table(Media):
    """Rows and columns, which a script may fill and read. `log` leaves them out."""

    def __init__(self, columns: Any = None, data: Any = None, dataframe: Any = None, **_: Any) -> None:
        if dataframe is None and hasattr(columns, "columns"):
            columns, dataframe = None, columns  # Trackio's first parameter
        if dataframe is not None:
            columns = list(dataframe.columns)
        self.columns = list(columns or [])
        self.data = [list(row) for row in (data if data is not None else ())]

    def add_data(self, *row: Any) -> None:
        """Add a row."""
        self.data.append(list(row))

    def add_row(self, *row: Any) -> None:
        """Add a row."""
        self.data.append(list(row))

    def add_column(self, name: str, data: Any, **_: Any) -> None:
        """Add a column."""
        self.columns.append(name)
        cells = list(data)
        self.data = [[*row, cell] for row, cell in zip(self.data or [[] for _ in cells], cells, strict=True)]

    def get_column(self, name: str, **_: Any) -> list[Any]:
        """Return the cells of a column."""
        return [row[self.columns.index(name)] for row in self.data]


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


class Error(Exception):
    """The base of wandb's errors, none of which is raised here."""


class CommError(Error): ...


class UsageError(Error): ...


class ConfigError(Error): ...


class Charts:
    """A collection of charts, such as ``wandb.plot``: each call makes a chart that is not recorded."""

    def __getattr__(self, name: str) -> type[Media]:
        if name.startswith("_"):
            raise AttributeError(name)
        return type(name, (Media,), {})


def _types(names: Iterable[str], base: type) -> dict[str, Any]:
    return {name: type(name, (base,), {"__module__": __name__}) for name in names}


_OWN: Final = {"Table": Table, "Artifact": Artifact, "plot": Charts(), "echarts": Charts()}
TYPES: Final = {**_types(MEDIA, Media), **_types(FILES, StandIn), **_OWN}
globals().update(TYPES)  # so that they are found when they are pickled


@contextlib.contextmanager
def telemetry(*_: Any, **__: Any) -> Iterator[Any]:
    """Give an object that takes attributes: what integrations tell wandb of their use."""
    yield SimpleNamespace(feature=SimpleNamespace(), imports=SimpleNamespace(), env=SimpleNamespace())
