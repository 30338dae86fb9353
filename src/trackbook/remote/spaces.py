"""Spaces of Trackbook: made when they are missing, completed when that was cut short, never taken from somebody else."""

from __future__ import annotations

import hashlib
import hmac
import importlib.metadata
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ..store.paths import SUFFIX, files_folder, project_file
from ..text import did_you_mean, listed
from .hub import MARK, Hub, Space
from .space_files import DATA, PORT, docker_files, static_files
from .space_storage import SAVED
from .target import TargetBusy, TargetError

_WRITES: Final = "TRACKBOOK_WRITE_"  # how the names of secrets with a write token begin: see `settings.write_tokens`
_PREPARING: Final = frozenset({"BUILDING", "APP_STARTING", "NO_APP_FILE"})
_FAILED: Final = frozenset({"BUILD_ERROR", "RUNTIME_ERROR", "CONFIG_ERROR"})
_POLL_SECONDS: Final = 10.0  # a build takes minutes
_REPAIR_SECONDS: Final = 60.0  # until somebody has restarted a Space


def write_token(hub: Hub, name: str) -> str:
    """Return the token with which the holder of a Hub token writes to a Space: the same on all of their machines."""
    return hmac.new(str(hub.token).encode(), f"trackbook writes to {name}".encode(), hashlib.sha256).hexdigest()


def secret_name(token: str) -> str:
    """Return the name of the secret that holds a write token: another one for each, so that no user replaces another's."""
    return _WRITES + hashlib.sha256(token.encode()).hexdigest()[:12].upper()


def dataset_of(name: str) -> str:
    """Return the name of the dataset with the data of a Space."""
    return f"{name}-data"


def ready_space(hub: Hub, name: str, private: bool | None = None) -> tuple[Space, bool]:
    """Return the Space of a server, created if there is none, and whether it was created.

    Raises `TargetError` for a Space that is not Trackbook's, or that is static.
    """
    space, version = hub.space(name), _own_version()
    if space is not None and not hub.is_ours(space):
        raise refusal(space)
    if space is not None and space.sdk != "docker":
        raise TargetError(
            f"the Space {name} is static, a page to which nothing can be logged; choose another space_id, or write it again by "
            f'trackbook.sync(..., space_id={name!r}, sdk="static")'
        )
    if space is not None and not _is_behind(hub, space, version):
        return space, False
    is_new = space is None
    if is_new:
        hub.create_dataset(dataset_of(name))
        token = write_token(hub, name)
        secrets = {"HF_TOKEN": str(hub.token), secret_name(token): token}
        hub.create_space(name, "docker", private, secrets, {})
    hub.commit("space", name, docker_files(name, version, command(name)), f"Trackbook {version}")
    made = hub.space(name)
    if made is None:
        raise TargetBusy(f"the Space {name} is not there yet", _POLL_SECONDS)
    return made, is_new


def command(name: str) -> list[str]:
    """Return the command that a Space runs."""
    options = ["--host", "0.0.0.0", "--port", str(PORT), "--dir", DATA]  # noqa: S104  # inside of its container
    return ["trackbook", "serve", *options, "--space", dataset_of(name)]


def refusal(space: Space) -> TargetError:
    """Return the error for a Space that somebody made for something else."""
    return TargetError(
        f"the Space {space.name} is not one of Trackbook's, and is left as it is: choose another space_id, or delete it at {space.page}"
    )


def check_runs(space: Space) -> None:
    """Raise `TargetBusy`, which says what to do, while a Space does not answer."""
    stage, page = space.stage, space.page
    if stage in _PREPARING:
        raise TargetBusy(
            f"the Space {space.name} is being built, which takes minutes; runs wait here until it answers",
            _POLL_SECONDS,
            is_expected=True,
        )
    if stage in _FAILED:
        log = "build" if stage == "BUILD_ERROR" else "container"
        raise TargetBusy(
            f"the Space {space.name} has failed ({stage}), and runs wait here: see {page}?logs={log}, and restart it there",
            _REPAIR_SECONDS,
        )
    if stage in ("PAUSED", "STOPPED"):
        raise TargetBusy(
            f"the Space {space.name} is {stage.lower()}, and runs wait here: restart it at {page}", _REPAIR_SECONDS
        )
    if stage == "DELETING":
        raise TargetError(f"the Space {space.name} is being deleted: choose another space_id")


def claim_static(hub: Hub, name: str, project: str, private: bool | None) -> Space:
    """Return the static Space of a project's page, created if there is none.

    Raises `TargetError` for a Space that is not ours, not static, or that has the page of another project.
    """
    space = hub.space(name)
    if space is None:
        hub.create_space(name, "static", private, {}, {})
        space = hub.space(name)
    if space is None:
        raise TargetBusy(f"the Space {name} is not there yet", _POLL_SECONDS)
    if not hub.is_ours(space):
        raise refusal(space)
    if space.sdk != "static":
        raise TargetError(f"the Space {name} runs a server, and is left as it is: choose another space_id for a page")
    if MARK in space.files and (other := _marked(hub, space).get("project")) != project:
        raise TargetError(
            f"the Space {name} is the page of project {other!r}, and is left as it is: choose another space_id"
        )
    return space


def put_static(hub: Hub, space: Space, project: str, written: Mapping[str, Path]) -> None:
    """Write the page and tables of a project into its Space, in place of earlier ones."""
    files = static_files(space.name, _own_version(), project, written)
    earlier = [path for path in space.files if path.startswith("data/") and path not in files]
    hub.commit("space", space.name, files, f"Write {project}"[:200], earlier)


def download_project(hub: Hub, name: str, project: str, folder: Path) -> None:
    """Write the files of a project, as a Space has saved them, to `folder`. Raises ``ValueError`` when it has no such project."""
    dataset = dataset_of(name)
    files = hub.files("dataset", dataset)
    database = f"{SAVED}/{project_file(project)}"
    if database not in files:
        if hub.space(name) is None:
            raise ValueError(f"there is no Space {name}, or none that this token may see")
        known = [Path(path).name.removesuffix(SUFFIX) for path in files if path.endswith(SUFFIX)]
        there = f"it has saved {listed(known)}" if known else "it has saved none yet"
        raise ValueError(f"the Space {name} has no project {project!r}; {did_you_mean(project, known, there)}")
    for path in [database, *(each for each in files if each.startswith(f"{SAVED}/{files_folder(project)}/"))]:
        found = hub.download("dataset", dataset, path, folder / "downloads")
        target = folder / path.removeprefix(f"{SAVED}/")
        target.parent.mkdir(parents=True, exist_ok=True)
        found.replace(target)


def _marked(hub: Hub, space: Space) -> dict[str, Any]:
    """Return what the mark of a Space says of it."""
    with tempfile.TemporaryDirectory() as folder:
        text = hub.download("space", space.name, MARK, Path(folder)).read_text()
    try:
        said = json.loads(text)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _is_behind(hub: Hub, space: Space, version: str) -> bool:
    """Whether a Space of ours lacks its files, or has those of an earlier version of Trackbook."""
    if MARK not in space.files:
        return True
    return _ordered(str(_marked(hub, space).get("trackbook"))) < _ordered(version)


def _ordered(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())


def _own_version() -> str:
    try:
        return importlib.metadata.version("trackbook")
    except importlib.metadata.PackageNotFoundError:
        raise TargetError(
            "trackbook is not installed here, so a Space cannot install it: pip install it, from its folder"
        ) from None
