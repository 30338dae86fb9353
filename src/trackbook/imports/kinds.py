"""The table of kinds of sources, and which of them a file or folder is."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ..text import either
from . import aim, csv_tables, mlflow, swanlab, tensorboard, trackio, wandb
from .source import Kind, found

_TRACKERS: Final = (wandb.KIND, swanlab.KIND, trackio.KIND, mlflow.KIND, aim.KIND)
_WEAKER: Final = (tensorboard.KIND, csv_tables.KIND)  # what folders of trackers may contain, too
KINDS: Final = {kind.name: kind for kind in (*_TRACKERS, *_WEAKER)}


def kind_of(path: Path, name: str | None) -> Kind:
    """Return the kind of this name, by default the one that `path` is.

    Raises ``FileNotFoundError``, and ``ValueError`` for another name, and when `path` is of no kind or of several.
    """
    if name is not None and name not in KINDS:
        raise ValueError(f"kind is {either([*KINDS, 'parquet'])}, not {name!r}")
    if not path.exists():
        raise FileNotFoundError(f"there is no {path} to import")
    if name is not None:
        return KINDS[name]
    held = [kind for kind in _TRACKERS if kind.holds(path)]
    if len(held) > 1:
        raise ValueError(f"{path} holds {' and '.join(kind.what for kind in held)}: say which by kind={held[0].name!r}")
    held = held or [kind for kind in _WEAKER if kind.holds(path)]
    if not held:
        whats = "; ".join(f"{kind.what} ({kind.name})" for kind in KINDS.values())
        raise ValueError(f"{path} is nothing that can be imported: Parquet files; {whats}")
    return held[0]


def is_parquet(path: Path) -> bool:
    """Whether this is a Parquet file, or a folder of them, such as an export of Trackbook."""
    if path.is_file():
        return path.suffix == ".parquet"
    held = any(kind.holds(path) for kind in _TRACKERS)
    return not held and any(True for _ in found(path, lambda name: name.endswith(".parquet")))
