"""The peers, each in a separate environment, so that their dependencies cannot conflict."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ROOT / ".venv-bench"
PEERS = ("trackio", "swanlab", "wandb", "tensorboardX", "mlflow", "aim")
INSTALL_SECONDS = 600


@dataclass(frozen=True)
class Entrant:
    """A contestant and the interpreter that has it."""

    name: str
    python: str
    version: str
    missing: str = ""  # why it cannot take part


def trackbook() -> Entrant:
    return Entrant("trackbook", sys.executable, _version(sys.executable, "trackbook", ROOT / "src"))


def install(name: str) -> Entrant:
    """Install the newest version of a peer, once; ``rm -r .venv-bench`` to update it."""
    home = ENVIRONMENTS / name
    python = str(home / ("Scripts" if sys.platform == "win32" else "bin") / "python")
    done = home / ".installed"
    if not done.exists():
        print(f"installing {name} ...", file=sys.stderr, flush=True)
        for command in (
            [sys.executable, "-m", "venv", str(home)],
            [python, "-m", "pip", "install", "--disable-pip-version-check", "--quiet", name],
        ):
            reason = _failure(command)
            if reason:
                return Entrant(name, python, "", f"cannot be installed here: {reason}")
        done.touch()
    version = _version(python, name)
    return Entrant(
        name, python, version, "" if version else "is installed, but has no version: remove .venv-bench/" + name
    )


def _failure(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"not done after {INSTALL_SECONDS} s"
    if done.returncode == 0:
        return ""
    said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()[-1:]
    return said[-1].strip() if said else f"pip ended with {done.returncode}"


def _version(python: str, name: str, path: Path | None = None) -> str:
    program = (
        f"import json, importlib.metadata as m, sys; sys.path[:0] = {[str(path)] if path else []!r}\n"
        f"try: print(json.dumps(m.version({name!r})))\n"
        f"except m.PackageNotFoundError: import {name}; print(json.dumps({name}.__version__))"
    )
    done = subprocess.run([python, "-c", program], capture_output=True, text=True, check=False)
    return str(json.loads(done.stdout)) if done.returncode == 0 else ""
