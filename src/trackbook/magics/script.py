"""``trackbook run --track``: the main module of a Python program, tracked as a ``%%track`` cell is.

Python is started with this module, which imports the program's own main module with instrumented code.
"""

from __future__ import annotations

import ast
import builtins
import importlib.util
import re
import sys
from collections.abc import Collection, Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import Any, Final

from ..api.run import current_run, init
from ..integrations.adapters import active
from ..settings import is_quiet
from ..tracking.run import Run
from .instrument import passing_name
from .notes import ELSEWHERE, notes_on_functions, nothing_tracked, untracked
from .targets import Target, join_arrows, parse_targets, split_words
from .tracked_code import Options, TrackedCode, track_code
from .tracker import Passing, Tracker

_NAME: Final = "__trackbook_0__"
_WITH_VALUE: Final = ("-W", "-X", "--check-hash-based-pycs")  # options of Python that take the next word
_HERE: Final = str(Path(__file__))


def targets_of(text: str) -> list[Target]:
    """Parse the names to track. Raises ``ValueError``."""
    return parse_targets(join_arrows(split_words(text)))


def command_that_tracks(command: Sequence[str], text: str) -> list[str]:
    """Return the command that runs a Python program with its main module tracked.

    Raises ``ValueError`` for names that cannot be tracked, and for a command that is not ``python FILE`` or ``python -m MODULE``.
    """
    targets_of(text)
    at = 1
    if re.fullmatch(r"python[\d.]*w?(\.exe)?|pypy[\d.]*", Path(command[0]).name):
        while at < len(command) and command[at].startswith("-") and command[at] not in ("-m", "-c", "-"):
            at += 2 if command[at] in _WITH_VALUE else 1
        program = command[at:]
        if program and program[0] not in ("-c", "-") and program != ["-m"]:
            return [*command[:at], "-m", __name__, text, *program]
        raise ValueError(
            f"--track follows a file or module, as in: --track loss -- {command[0]} train.py; here is none"
        )
    raise ValueError(f"--track is for a Python program, as in: --track loss -- python train.py; {command[0]!r} is none")


class TrackedLoader(SourceFileLoader):
    """Loads a module whose source is instrumented before it is compiled."""

    def __init__(self, name: str, path: str, targets: Sequence[Target]) -> None:
        super().__init__(name, path)
        self._targets = targets
        self.tracked: TrackedCode | None = None

    def get_code(self, fullname: str) -> CodeType:
        """Return the instrumented code. It is not cached: a cache would serve programs that are not tracked."""
        path = self.get_filename(fullname)
        source = self.get_data(path)
        tree = ast.parse(source, path)
        try:
            self.tracked = track_code(tree, self._targets, Options(_NAME), {})
            return compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True)
        except Exception as error:  # noqa: BLE001  the program is to run in any case
            self.tracked = None
            _say(f"the program is not tracked: {error}")
            return compile(source, path, "exec", dont_inherit=True)


def main(words: Sequence[str]) -> None:
    """Run a program: the names to track, then ``FILE ARGUMENTS`` or ``-m MODULE ARGUMENTS``."""
    text, *program = words
    targets = targets_of(text)
    module, loader = _main_module(program, targets)
    sys.excepthook = _WithoutOurFrames(sys.excepthook)
    code = loader.get_code(loader.name)
    tracked = loader.tracked
    if tracked is None:
        sys.modules["__main__"] = module
        exec(code, vars(module))  # noqa: S102  the user's program
        return
    tracker = Tracker(tracked.selected.metrics, lenient=not targets, axes=tracked.selected.axes, say=_say)
    setattr(builtins, _NAME, tracker)
    setattr(builtins, passing_name(_NAME), Passing(tracker))
    tracker.begin_with(_run_of_program)
    sys.modules["__main__"] = module
    with active() as activation:
        exec(code, vars(module))  # noqa: S102  # the user's program
    tracker.end()
    _say_what_was_not_tracked(tracker, tracked, activation.metrics)


def _run_of_program() -> Run:
    """Return the run that the program itself has begun, else a new one."""
    return current_run() or init(display=False)


def _main_module(program: Sequence[str], targets: Sequence[Target]) -> tuple[ModuleType, TrackedLoader]:
    """Return the main module as Python sets it up, not yet executed, and its loader."""
    module = ModuleType("__main__")
    if program[0] != "-m":
        path = program[0] if not Path(program[0]).is_dir() else str(Path(program[0], "__main__.py"))
        sys.argv = [*program]
        path = str(Path(path).absolute())
        if not sys.flags.safe_path:
            sys.path[0] = str(Path(path).resolve().parent)
        module.__spec__ = None
        module.__file__ = path
        return module, TrackedLoader("__main__", path, targets)
    sys.argv = list(program[1:])
    spec = _spec(program[1])
    assert spec.origin is not None
    sys.argv[0] = spec.origin
    loader = TrackedLoader(spec.name, spec.origin, targets)
    module.__spec__, module.__file__, module.__package__ = spec, spec.origin, spec.parent
    module.__loader__ = loader
    return module, loader


def _spec(name: str) -> ModuleSpec:
    spec = importlib.util.find_spec(name)
    if spec is not None and spec.submodule_search_locations is not None:
        spec = importlib.util.find_spec(f"{name}.__main__")
    if spec is None or not isinstance(spec.loader, SourceFileLoader):
        sys.exit(f"{sys.executable}: No module named {name}")
    return spec


class _WithoutOurFrames:
    """An excepthook that leaves out the frames above the program's own, which it has only here."""

    def __init__(self, hook: Any) -> None:
        self._hook = hook

    def __call__(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        inside = trace
        while inside is not None and inside.tb_frame.f_globals.get("__name__") in ("runpy", "__main__", __name__):
            if inside.tb_frame.f_code.co_filename not in (_HERE, "<frozen runpy>"):
                break
            inside = inside.tb_next
        self._hook(kind, error.with_traceback(inside or trace), inside or trace)


def _say_what_was_not_tracked(tracker: Tracker, code: TrackedCode, adapted: Collection[str]) -> None:
    if code.is_named:
        for note in untracked(tracker, code, failed=False, adapted=adapted, whole="program"):
            _say(note)
    for _, note in notes_on_functions(code, ()):
        _say(note)
    if not code.is_named and not tracker.tracked:
        _say(f"nothing was tracked: {ELSEWHERE}" if tracker.was_sent else nothing_tracked(code, "program"))


def _say(message: str) -> None:
    if not is_quiet():
        print(f"trackbook run --track: {message}", file=sys.stderr)  # noqa: T201  # to the terminal of the program


if __name__ == "__main__":
    main(sys.argv[1:])
