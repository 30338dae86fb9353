"""What `trackbook doctor` looks at: versions, the folder of the projects and its files, the front end in Jupyter."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from .. import filesystem
from ..store.paths import JOURNALS, SUFFIX
from ..store.project_list import ProjectEntry, ProjectList
from .output import size

Status = Literal["ok", "warning", "fault"]

_LITTLE_ROOM: Final = 1_000_000_000  # bytes
_JUPYTER_SECONDS: Final = 30.0
_SHOWN: Final = ("polars", "anywidget", "ipywidgets", "ipykernel", "jupyterlab", "notebook", "marimo")
# What JupyterLab and Notebook 7 must have in their own environment, by the package that brings it.
_EXTENSIONS: Final = {"anywidget": "anywidget", "@jupyter-widgets/jupyterlab-manager": "jupyterlab_widgets"}


class Finding(NamedTuple):
    """What one check found. A fault keeps something from working; `remedy` says what to do."""

    check: str
    status: Status
    message: str
    remedy: str | None = None


def examine(folder: Path) -> Iterator[Finding]:
    """Yield what is found, of the package first, then of the project files, then of Jupyter."""
    yield from versions()
    yield front_end()
    yield from data_folder(folder)
    yield from projects(folder)
    yield from journals(folder)
    yield from jupyters()


def versions() -> Iterator[Finding]:
    """Say what is installed beside this Python."""
    from .. import __version__

    found = {name: installed for name in _SHOWN if (installed := _version(name)) is not None}
    packages = ", ".join(f"{name} {installed}" for name, installed in found.items())
    python = ".".join(map(str, sys.version_info[:3]))
    yield Finding("versions", "ok", f"trackbook {__version__}, Python {python} ({sys.executable}), {packages}")
    kernel = found.get("ipykernel")
    if kernel is not None and int(kernel.partition(".")[0]) < 7:
        yield Finding(
            "kernel",
            "warning",
            f"with ipykernel {kernel} a board answers only when its cell has ended",
            _pip(sys.executable, "--upgrade", "ipykernel>=7"),
        )


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _pip(python: str, *words: str) -> str:
    return shlex.join([python, "-m", "pip", "install", *words])


def front_end() -> Finding:
    """Check that the built front end is in the package."""
    missing = [name for name in ("trackbook.js", "loader.js") if not (_package() / "_static" / name).is_file()]
    if missing:
        remedy = "install the wheel, or run `make setup` in the source checkout"
        return Finding("front end", "fault", f"{', '.join(missing)} is not built, so no board can be shown", remedy)
    return Finding("front end", "ok", "the built front end is in the package")


def _package() -> Path:
    return Path(__file__).parents[1]


def data_folder(folder: Path) -> Iterator[Finding]:
    """Check that projects can be kept in a folder, and how well."""
    there = folder
    while filesystem.is_missing(there) and there != there.parent:
        there = there.parent
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        message = f"{folder} cannot be written ({error.strerror or error}): runs are not kept"
        yield Finding(
            "folder", "fault", message, "set TRACKBOOK_DIR to a folder of your own, or change its permissions"
        )
        return
    yield Finding(
        "folder", "ok", f"{folder}" + ("" if there == folder else " does not exist yet; the first run makes it")
    )
    if filesystem.is_network(there):
        message = f"{folder} is on a network file system: all is safe, but programs that use a project at once wait for each other"
        yield Finding("network", "warning", message, "set TRACKBOOK_DIR to a folder on a local disk where that matters")
    free = shutil.disk_usage(there).free
    if free < _LITTLE_ROOM:
        message = f"{size(free)} are free in {there}: with a full disk, points stay in memory"
        yield Finding("room", "warning", message, "make room, or set TRACKBOOK_DIR to another disk")


def projects(folder: Path) -> Iterator[Finding]:
    """Check each project file, and name those that were set aside."""
    entries = ProjectList(folder).entries()
    for entry in entries:
        if entry.problem is not None:
            yield Finding("project", "fault", entry.problem, _remedy(entry))
    good = sum(entry.problem is None for entry in entries)
    if good:
        yield Finding("projects", "ok", f"{good} project{'s' * (good != 1)} can be read")
    for path in sorted(folder.glob(f"*{SUFFIX}.damaged-*")):
        if not path.name.endswith(("-wal", "-shm", "-journal")):
            message = f"{path} was damaged, and set aside when a run was written; what could be read of it goes on in its project"
            yield Finding("project", "warning", message, "remove it when you miss nothing")


def _remedy(entry: ProjectEntry) -> str:
    if "was written by Trackbook" in (entry.problem or ""):
        return _pip(sys.executable, "--upgrade", "trackbook")
    return (
        f"bring {entry.path.name} back from a backup, or begin a run in this project: that sets the file aside and keeps what can be "
        "read of it"
    )


def journals(folder: Path) -> Iterator[Finding]:
    """Count the journals of processes that died, which reading the project moves into its file."""
    from ..journal.reader import remains

    names = {entry.path.name.removesuffix(SUFFIX): entry.name for entry in ProjectList(folder).entries()}
    for home in sorted(folder.glob(f"*{JOURNALS}")):
        dead, notices = 0, list[str]()
        for left in remains(home):
            with contextlib.closing(left):
                dead += left.is_readable
                notices += [] if left.is_readable else left.notices
        name = names.get(home.name.removesuffix(JOURNALS), home.name.removesuffix(JOURNALS))
        if dead:
            message = (
                f"{dead} program{'s' * (dead != 1)} died with points that are not in the file of project {name} yet"
            )
            remedy = f"read the project, which moves them into its file: trackbook ls runs {shlex.quote(name)}"
            yield Finding("journals", "warning", message, remedy)
        for notice in notices:
            yield Finding("journals", "warning", notice, f"keep {home} until it can be read, or remove it")


# --- Jupyter ------------------------------------------------------------------------------------------------------------


def jupyters() -> Iterator[Finding]:
    """Check each Jupyter that is here: that of this environment, and the one that the shell finds."""
    names = ("jupyter.exe",) if sys.platform == "win32" else ("jupyter",)
    own = [Path(sys.executable).parent / name for name in names]
    on_path = shutil.which("jupyter")
    programs = [path for path in [*own, *([Path(on_path)] if on_path else [])] if path.is_file()]
    found = {os.path.realpath(path): path for path in programs}
    if not found:
        message = "there is no Jupyter here; one in another environment needs anywidget and jupyterlab_widgets"
        yield Finding("jupyter", "ok", message)
    for path in found.values():
        yield from jupyter(path)


def jupyter(program: Path) -> Iterator[Finding]:
    """Check that a Jupyter has the front ends of widgets, enabled, and a kernel with this Python."""
    try:
        done = subprocess.run(  # noqa: S603  # the user's own Jupyter
            [program, "--paths", "--json"], capture_output=True, text=True, timeout=_JUPYTER_SECONDS, check=True
        )
        paths: Mapping[str, Sequence[str]] = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        yield Finding("jupyter", "warning", f"{program} --paths does not work: {error}", "repair this Jupyter")
        return
    data, config = ([Path(path) for path in paths.get(kind, ())] for kind in ("data", "config"))
    faults = [*_extensions(program, data, config), *_kernels(program, data)]
    yield from faults or [
        Finding("jupyter", "ok", f"{program} has the front ends of widgets, and this Python as kernel")
    ]


def _extensions(program: Path, data: Sequence[Path], config: Sequence[Path]) -> Iterator[Finding]:
    disabled = _disabled(data, config)
    for name, package in _EXTENSIONS.items():
        if not any((path / "labextensions" / name / "package.json").is_file() for path in data):
            python = program.with_name("python")
            message = f"the front end of {package} is not in the Jupyter of {program.parent}: boards stay empty there"
            yield Finding("jupyter", "fault", message, f"{_pip(str(python), package)}, then reload the page")
        elif name in disabled:
            message = f"the extension {name} is disabled in the Jupyter of {program.parent}: boards stay empty there"
            yield Finding("jupyter", "fault", message, f"{program} labextension enable {name}, then reload the page")


def _disabled(data: Sequence[Path], config: Sequence[Path]) -> set[str]:
    """Return the disabled extensions. Files of earlier folders count more; an extension is off when one of its plugins is."""
    files = [path / "labconfig" / "page_config.json" for path in config]
    files += [path / "lab" / "settings" / "page_config.json" for path in data]
    known: dict[str, bool] = {}
    for path in files:
        said: Any = {}
        with contextlib.suppress(OSError, ValueError):  # most are not there, and Jupyter itself tells of a broken one
            said = json.loads(path.read_text("utf-8"))
        listed = said.get("disabledExtensions", {}) if isinstance(said, dict) else {}
        for name, is_off in listed.items() if isinstance(listed, dict) else ((name, True) for name in listed):
            known.setdefault(str(name).partition(":")[0], bool(is_off))
    return {name for name, is_off in known.items() if is_off}


def _kernels(program: Path, data: Sequence[Path]) -> Iterator[Finding]:
    if program.parent == Path(sys.executable).parent:
        if _version("ipykernel") is None:
            yield Finding("jupyter", "warning", "this environment has no kernel", _pip(sys.executable, "ipykernel"))
        return
    for path in (spec for folder in data for spec in folder.glob("kernels/*/kernel.json")):
        with contextlib.suppress(OSError, ValueError, LookupError, TypeError):  # not a kernel that could be started
            if os.path.realpath(json.loads(path.read_text("utf-8"))["argv"][0]) == os.path.realpath(sys.executable):
                return
    message = f"the Jupyter of {program.parent} has no kernel with this Python ({sys.executable})"
    remedy = shlex.join([sys.executable, "-m", "ipykernel", "install", "--user", "--name", Path(sys.prefix).name])
    yield Finding("jupyter", "warning", message, remedy)
