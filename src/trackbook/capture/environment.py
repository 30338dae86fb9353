"""Environment of a run: machine, Python, packages, git. Collected once by a background thread, stored as the document ``environment``."""

from __future__ import annotations

import os
import platform
import re
import shlex
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .. import settings
from ..store.documents import put_document
from ..store.redact import REDACTED, redact, redact_arguments
from ..text import shorten

if TYPE_CHECKING:
    from ..tracking.run_writer import RunWriter
    from .hardware import Machine

LET_PASS_SECONDS: Final = 0.05  # delay before collecting, so that `init` and the first `log` get the interpreter
WAIT_SECONDS: Final = 2.0  # how long the end of a run waits for topics that are not collected yet
RECENT_SECONDS: Final = 2.0  # how long a later run reuses the result: runs of a sweep may take milliseconds
GIT_SECONDS: Final = 5.0  # limit of one git command, which may take minutes on a slow disk
MOST_DIFF: Final = 100_000  # characters
MOST_VALUE: Final = 2_000  # of an environment variable or a command line
_INSTALLED: Final = re.compile(r"(.+?)-(\d[^-]*)(?:-py[\d.]+)?\.(?:dist|egg)-info")

Topic = dict[str, Any]


class EnvironmentCapture:
    """Collects the environment of each run. `machine` returns the hardware, `notebook` the notebook's name and path."""

    def __init__(self, machine: Callable[[], Machine], notebook: Callable[[], Topic | None] = lambda: None) -> None:
        self._machine = machine
        self._notebook = notebook
        self._hardware: dict[str, Any] = {}  # constant for the life of the process
        self._gathering: dict[str, _Gathering] = {}  # by run
        self._last: _Gathering | None = None

    def begin(self, run: RunWriter) -> None:
        """See `Capture`."""
        key = (_folder(), tuple(sys.orig_argv), run.options.save_code)
        last = self._last
        if last is None or last.key != key or time.monotonic() - last.began > RECENT_SECONDS:
            last = self._last = _Gathering(key, self._topics(*key))
        self._gathering[run.id] = last
        run.gathered = last.done
        last.give_to(run)

    def end(self, run: RunWriter) -> None:
        """See `Capture`."""
        gathering = self._gathering.get(run.id)
        if gathering is not None:
            gathering.hurry.set()
            gathering.done.wait(WAIT_SECONDS)
            gathering.finish(run)
            self._gathering.pop(run.id, None)  # last: an interrupted call is repeated

    def forget_in_child(self) -> None:
        """See `Capture`."""
        self._gathering, self._last = {}, None

    def _topics(self, folder: str, argv: tuple[str, ...], save_code: bool) -> dict[str, Callable[[], Any]]:
        notebook = self._notebook()
        topics: dict[str, Callable[[], Any]] = {
            "os": _os,
            "python": _python,
            "process": partial(_process, folder, argv),
            "variables": _variables,
            "packages": _packages,
            "git": partial(git, folder, save_code=save_code),
            "cpu": partial(self._once, "cpu", lambda machine: machine.cpu()),
            "memory": partial(self._once, "memory", lambda machine: machine.memory()),
            "disk": lambda: self._machine().disk(folder),
            "gpus": partial(self._once, "gpus", lambda machine: [gpu.facts() for gpu in machine.gpus]),
        }
        return topics if notebook is None else {"notebook": lambda: notebook, **topics}

    def _once(self, name: str, ask: Callable[[Machine], Any]) -> Any:
        if name not in self._hardware:
            self._hardware[name] = ask(self._machine())
        return self._hardware[name]


class _Gathering:
    """One collection of all topics in its own thread, shared by the runs that start meanwhile."""

    def __init__(self, key: tuple[Any, ...], topics: Mapping[str, Callable[[], Any]]) -> None:
        self.key = key
        self.began = time.monotonic()
        self.hurry = threading.Event()
        self.done = threading.Event()
        self._runs: list[RunWriter] = []
        self._topics = topics
        self._found: dict[str, Any] = {}
        self._lock = threading.Lock()  # nothing is stored for runs that have ended
        self._thread: threading.Thread | None = None

    def give_to(self, run: RunWriter) -> None:
        """Add a run to those that receive the result, at once if it is complete. The first run starts the thread."""
        with self._lock:
            self._runs.append(run)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="trackbook-environment", daemon=True)
            self._thread.start()
        elif self.done.is_set():
            self._hand_out()

    def finish(self, run: RunWriter) -> None:
        """Store the topics collected so far for a run that ends."""
        with self._lock:
            if run in self._runs:
                self._runs.remove(run)
                found = self._found.copy()
                late = {"error": "was not known yet when the run ended"}
                _put(run, {name: found.get(name, late) for name in self._topics})

    def _work(self) -> None:
        self.hurry.wait(LET_PASS_SECONDS)
        for name, ask in self._topics.items():
            try:
                found = ask()
            except Exception as error:  # noqa: BLE001  an exception must not cost the other topics
                found = {"error": redact(f"{type(error).__name__}: {error}")}
            if found is not None:
                self._found[name] = found
            time.sleep(0)  # the program's own threads go first
        self._hand_out()

    def _hand_out(self) -> None:
        with self._lock:
            for run in self._runs:
                _put(run, self._found)
            self._runs.clear()
            self.done.set()


def _put(run: RunWriter, found: Mapping[str, Any]) -> None:
    put_document(run.store, run.id, "environment", found)


def _folder() -> str:
    try:
        return str(Path.cwd())
    except OSError:  # the folder was removed
        return ""


def _os() -> Topic:
    system = platform.system()
    if system == "Linux":
        try:
            name = platform.freedesktop_os_release().get("PRETTY_NAME")
        except OSError:
            name = None
    else:
        name = f"macOS {platform.mac_ver()[0]}" if system == "Darwin" else f"{system} {platform.version()}"
    return {
        "system": system,
        "name": name or system,
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "hostname": platform.node(),
        "container": Path("/.dockerenv").exists() or Path("/run/.containerenv").exists(),
    }


def _python() -> Topic:
    in_venv = sys.prefix != sys.base_prefix
    return {
        "version": platform.python_version(),
        "implementation": platform.python_implementation(),
        "build": sys.version,
        "executable": sys.executable,
        "virtual_environment": sys.prefix if in_venv else settings.conda_environment(),
    }


def _process(folder: str, argv: tuple[str, ...]) -> Topic:
    return {
        "command": shorten(shlex.join(redact_arguments(argv)), MOST_VALUE),
        "working_directory": folder,
        "pid": os.getpid(),
    }


def _variables() -> Topic:
    return {name: shorten(_value(name, value), MOST_VALUE) for name, value in settings.telling_variables().items()}


def _value(name: str, value: str) -> str:
    """Return the value of an environment variable with secrets masked, by its name and by its shape."""
    shown = redact(f"{name}={value}")
    return shown.removeprefix(f"{name}=") if shown.startswith(f"{name}=") else REDACTED


def _packages() -> Topic:
    """Return installed packages by the names of their metadata folders: reading the metadata takes fifty times as long."""
    found: dict[str, str] = {}
    for place in sys.path:
        try:
            names = [entry.name for entry in os.scandir(place or ".")]
        except OSError:  # a zip file or a missing folder
            continue
        for name in names:
            match = _INSTALLED.fullmatch(name)
            if match is not None:
                found.setdefault(re.sub(r"[-_.]+", "-", match[1]).lower(), match[2])
    return dict(sorted(found.items()))


def git(folder: str, *, save_code: bool) -> Topic | None:
    """Return ``remote``, ``branch``, ``commit``, ``dirty`` and, with `save_code`, ``diff`` of the repository of `folder`.

    Return None without a repository or git. The diff compares tracked files with the commit, and is bounded. Raises ``OSError``
    with git's own message when git refuses to read the repository.
    """
    try:
        root = _git(folder, "rev-parse", "--show-toplevel", refuses=True)
    except FileNotFoundError:
        return None
    if root is None:
        return None
    commit = _git(root, "rev-parse", "--verify", "--quiet", "HEAD")
    submodules = [path for path in _submodules(root) if _is_changed(str(Path(root, path)))]
    changed = bool(submodules) or _is_changed(root)
    remote = _git(root, "config", "--get", "remote.origin.url")
    found: Topic = {
        "root": root,
        "remote": None if remote is None else without_credentials(remote),
        "branch": _git(root, "symbolic-ref", "--quiet", "--short", "HEAD"),
        "commit": commit,
        "dirty": changed,
    }
    if save_code and changed and commit is not None:
        found["diff"] = _diff(root, submodules)
    return {name: value for name, value in found.items() if value is not None}


def without_credentials(url: str) -> str:
    """Return the address of a remote without user and password; `git@host` is not a credential."""
    return redact(re.sub(r"(?<=://)[^/@]*@", lambda match: match[0] if match[0] == "git@" else "", url))


def _submodules(root: str) -> list[str]:
    """Return the paths of checked-out submodules. They are queried one by one: git itself would run programs of their configs."""
    listed = None
    if Path(root, ".gitmodules").is_file():
        listed = _git(root, "config", "--file", ".gitmodules", "--get-regexp", r"^submodule\..*\.path$")
    paths = [line.partition(" ")[2] for line in (listed or "").splitlines()]
    inside = [path for path in paths if Path(root, path).resolve().is_relative_to(Path(root).resolve())]
    return [path for path in inside if Path(root, path, ".git").exists()]


def _is_changed(root: str) -> bool:
    return bool(_git(root, "status", "--porcelain", "--untracked-files=no", "--ignore-submodules=dirty"))


def _diff(root: str, changed: Sequence[str]) -> str:
    """Return the diff of tracked files to the commit, in the repository and its `changed` submodules."""
    plain = ("diff", "HEAD", "--no-color", "--no-ext-diff", "--no-textconv")
    text = _git(root, *plain, most=4 * MOST_DIFF) or ""
    for path in changed:
        prefixes = (f"--src-prefix=a/{path}/", f"--dst-prefix=b/{path}/")
        text += "\n" + (_git(str(Path(root, path)), *plain, *prefixes, most=4 * MOST_DIFF) or "")
    cut = redact(text.strip("\n")[: 2 * MOST_DIFF])  # longer than the kept part, so that no secret is cut in two
    if len(cut) <= MOST_DIFF:
        return cut
    return f"{cut[:MOST_DIFF]}\n[the diff is longer: cut off after {MOST_DIFF:,} characters]"


def _git(folder: str, *arguments: str, most: int = 10_000, refuses: bool = False) -> str | None:
    """Return the output of a git command, at most `most` bytes, None when it is empty.

    The command asks for no passwords, takes no locks and runs no programs that the repository configures. Raises
    ``FileNotFoundError`` without git, ``TimeoutError`` when it takes too long; with `refuses`, ``OSError`` with git's own error text.
    """
    import shutil
    import subprocess

    program = shutil.which(
        "git"
    )  # a thread that leaves the search to Popen changes the warning filters of the process meanwhile
    if program is None:
        raise FileNotFoundError("git")
    command = [program, "-c", "core.fsmonitor=false", "-C", folder, *arguments]
    errors = subprocess.PIPE if refuses else subprocess.DEVNULL
    pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": errors}
    with subprocess.Popen(command, env=settings.variables_for_git(), **pipes) as process:  # noqa: S603
        timer = threading.Timer(GIT_SECONDS, process.kill)
        timer.daemon = True
        timer.start()
        said: bytes = process.stdout.read(most)  # type: ignore[union-attr]  # it is a pipe
        refusal = process.stderr.read(most).decode(errors="replace") if process.stderr is not None else ""
        late = not timer.is_alive()
        timer.cancel()
        process.kill()  # the rest of the output is not needed
    if late:
        raise TimeoutError(f"git {arguments[0]} took longer than {GIT_SECONDS:g} s")
    if refusal and not said and "not a git repository (or any" not in refusal:
        raise OSError(" ".join(refusal.removeprefix("fatal: ").split()))
    return said.decode(errors="replace").rstrip("\n") or None
