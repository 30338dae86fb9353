"""Recorded runs as `wandb.Api`, `trackio.Api` and `swanlab.Api` give them."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..api.artifacts import get_artifact
from ..api.projects import existing, get_run
from ..settings import data_dir
from ..store.project_list import ProjectList
from ..tracking.other_trackers import say_ignored
from ..tracking.run import Run
from ..tracking.unsupported import CALLS, FEATURES

if TYPE_CHECKING:
    import polars as pl

    from ..artifacts.artifact import Artifact


class ReadRun:
    """A run that is only read: the attributes of a `trackbook.Run`, with wandb's `history`."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._run, name)

    def history(
        self, samples: int | None = None, keys: Sequence[str] | None = None, x_axis: str = "_step", **other: Any
    ) -> Any:
        """Return one row for each step, with its number (`x_axis`) and a column for each of the metrics `keys`.

        A pandas frame where pandas is installed and ``pandas=False`` is not given, else a Polars frame. All rows, whatever `samples`.
        """
        as_pandas = other.pop("pandas", True) and importlib.util.find_spec("pandas") is not None
        say_ignored("history", other)
        wide = self._wide(keys).rename({"step": x_axis})
        if not as_pandas:
            return wide
        import pandas as pd  # type: ignore[import-untyped, unused-ignore]

        return pd.DataFrame(wide.to_dict(as_series=False))

    def scan_history(self, keys: Sequence[str] | None = None, **_: Any) -> Iterator[dict[str, Any]]:
        """Yield the rows of `history` as dicts."""
        yield from self._wide(keys).rename({"step": "_step"}).iter_rows(named=True)

    def _wide(self, keys: Sequence[str] | None) -> pl.DataFrame:
        names = None if keys is None else [key for key in keys if not key.startswith("_")]
        return self._run.history(names or None, wide=True)

    def __repr__(self) -> str:
        return repr(self._run)


class Api:
    """Projects and runs on this machine. An entity or workspace before a project's name is passed over."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def projects(self, *_: Any, **__: Any) -> list[str]:
        """Return the names of the projects."""
        return [entry.name for entry in ProjectList(data_dir()).entries()]

    def runs(self, path: str | None = None, **other: Any) -> list[ReadRun]:
        """Return the runs of a project, newest first. Filters are ignored, with one warning."""
        say_ignored("Api.runs", {name: value for name, value in other.items() if value is not None})
        source = existing(_project(path))
        source.refresh()
        return [ReadRun(source.get(record.id)) for record in reversed(source.runs())]

    def run(self, path: str) -> ReadRun:
        """Return the run of a path such as ``"project/run"``. Raises ``ValueError`` when there is none."""
        above, _, run = path.strip("/").rpartition("/")
        return ReadRun(get_run(run, _project(above.removesuffix("/runs")) if above else None))

    def artifact(self, name: str, type: str | None = None) -> Artifact:
        """Return the artifact of a path such as ``"entity/project/name:alias"``. Raises ``ValueError`` for another type than `type`."""
        found = get_artifact("/".join(name.strip("/").split("/")[-2:]))
        if type is not None and found.type != type:
            raise ValueError(f"artifact {name!r} has the type {found.type!r}, not {type!r}")
        return found

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        needed = CALLS.get(name, "registries" if "artifact" in name else "")
        what = FEATURES.get(needed, "it reads projects and runs on this machine")
        raise NotImplementedError(f"Api().{name} is not supported yet: {what}")


def _project(path: str | None) -> str | None:
    return None if path is None else path.strip("/").rpartition("/")[2]
