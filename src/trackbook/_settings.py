"""Where things are kept, and the only reader of the environment."""

from __future__ import annotations

import os
from pathlib import Path


def data_dir(override: str | os.PathLike[str] | None = None) -> Path:
    """The folder of the project files: `override`, else ``TRACKBOOK_DIR``, else the platform's user data folder."""
    chosen = override or os.environ.get("TRACKBOOK_DIR")
    if chosen:
        return Path(chosen).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_data_dir("trackbook", appauthor=False))


def capture() -> str:
    """What is recorded beside what runs log, where `init` does not say: ``TRACKBOOK_CAPTURE``, by default all."""
    return os.environ.get("TRACKBOOK_CAPTURE") or "all"


def notebook_path() -> str | None:
    """The path of the notebook as Jupyter Server tells it to its kernels, None elsewhere."""
    return os.environ.get("JPY_SESSION_NAME") or None


def rank() -> int:
    """The place of this process in a distributed job (torchrun, accelerate, SLURM), 0 outside of one."""
    for name in ("RANK", "SLURM_PROCID", "LOCAL_RANK"):
        value = os.environ.get(name, "")
        if value.isdecimal():
            return int(value)
    return 0
