"""``python -m trackbook.compat train.py``: a program whose ``import wandb`` finds Trackbook, and whose children's does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from ..settings import compat_trackers, split_names, variables_for_compat
from .installing import check_names
from .tracker_modules import TRACKERS

_USAGE = f"""usage: python -m trackbook.compat [--as TRACKERS] PROGRAM...

Run a Python program whose imports of other trackers find Trackbook.

  --as TRACKERS  some of {", ".join(TRACKERS)}, joined by commas; by default TRACKBOOK_COMPAT, else all
  PROGRAM        what Python takes: train.py --lr 0.1, or -m package"""


def command_of(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the words for Python and the trackers. Raises ``ValueError`` for words that cannot be understood."""
    rest, chosen = list(words), compat_trackers() or list(TRACKERS)
    if rest and rest[0].partition("=")[0] == "--as":
        _, given, names = rest.pop(0).partition("=")
        if not given and not rest:
            raise ValueError("--as names trackers")
        chosen = split_names(names if given else rest.pop(0))
    if not rest:
        raise ValueError("name a program")
    check_names(chosen)
    return rest, chosen


def main(words: Sequence[str]) -> int:
    """Run Python with the given words, in place of this process where the system can; return its exit code."""
    if words and words[0] in ("-h", "--help"):
        sys.stdout.write(f"{_USAGE}\n")
        return 0
    try:
        program, trackers = command_of(words)
    except ValueError as error:
        sys.stderr.write(f"{_USAGE}\n\nerror: {error}\n")
        return 2
    flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]  # noqa: SLF001  # as multiprocessing does
    command, variables = [sys.executable, *flags, *program], variables_for_compat(trackers)
    if os.name == "nt":  # where the caller would not wait for what replaces this process
        return subprocess.run(command, env=variables, check=False).returncode  # noqa: S603  # asked for
    return os.execve(sys.executable, command, variables)  # noqa: S606  # asked for


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
