"""``%%track`` and ``%track``: the magics of IPython shells.

The header of a ``%%track`` cell becomes a blank line, and the cell's AST is instrumented before IPython compiles it: the cell
runs as any other, with its own line numbers, display and errors.
"""

from __future__ import annotations

import ast
import builtins
import itertools
import re
from collections.abc import Iterable
from typing import Any

from IPython.core.error import UsageError

from ..api.process import process
from ..notebook import host
from .commands import overview, run_line, say
from .completion import complete
from .instrument import passing_name
from .messages import show_note
from .notes import ELSEWHERE, how_to_choose, notes_on_functions, nothing_tracked, untracked
from .parser import Header, cell_parser, parse_header, start_run
from .syntax import bound_within
from .tracked_code import Options, TrackedCode, track_code
from .tracked_run import TrackedRun
from .tracker import Passing, Tracker
from .watch import watching

_RUN_PYTHON = ("time", "capture")  # cell magics that run the code below them through IPython
NO_FRAME = 1_000_000  # deeper than any stack, so that IPython expands the notebook's variables, not our own


class CellTracking:
    """The input transformer that removes the header of a cell, and the AST transformer that instruments the cell."""

    has_side_effects = True  # keeps IPython from calling it to check whether a cell is complete

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._pending: Header | None = None
        self._numbers = itertools.count(1)
        self._said_how_to_choose = False
        self._said: set[str] = set()
        self._open: list[TrackedRun] = []

    def __call__(self, lines: list[str]) -> list[str]:
        """Return the lines of a cell with a blank line in place of the header."""
        self._forget()
        if process().cells.idle_since is not None:
            while self._open:  # the end of an earlier cell was interrupted
                self._open[-1].finish("interrupted")
                self._open.pop()
        head = re.match(r"%%track(?!\S)(.*)", lines[0]) if lines else None
        if head is None:
            return lines
        if {"-h", "--help"} & set(head[1].split()):
            return ["get_ipython().run_line_magic('track', '--cell-help')\n"]
        if not "".join(lines[1:]).strip():
            raise UsageError("%%track stands above the code that it tracks; for the board alone: %track")
        header = parse_header(head[1], lambda text: str(self._shell.var_expand(text, NO_FRAME)))
        rest = list(itertools.dropwhile(str.isspace, lines[1:]))
        if re.match(r"%%track(?!\S)", rest[0]):
            raise UsageError("a cell has one %%track; put everything on its line")
        inner = re.match(r"%%(\w*)", rest[0])
        if inner is not None:  # its magic receives the cell with our header, and passes it back to IPython
            if inner[1] not in _RUN_PYTHON:
                raise UsageError(f"%%track does not know what {inner[0]} runs; if it is Python, write %%track below it")
            return [rest[0], lines[0], *rest[1:]]
        self._pending = header
        self._shell.ast_transformers.append(self)
        return ["\n", *lines[1:]]

    def visit(self, tree: ast.Module) -> ast.Module:
        """Return the instrumented AST, and start the cell's run. The cell runs even when that fails."""
        if not tree.body or tree.body[0].lineno < 2:  # the set-up of `%%timeit`, since our code begins below a header
            return tree
        header, self._pending = self._pending, None
        if header is not None:
            try:
                self._begin(header, tree)
            except Exception as error:  # noqa: BLE001  IPython would print a traceback and remove this transformer
                show_note(f"this cell is not tracked: {error}")
        return tree

    def _begin(self, header: Header, tree: ast.Module) -> None:
        options = header.options
        name = f"__trackbook_{next(self._numbers)}__"
        self._store(name, Tracker([]))  # for code that is half instrumented when that fails
        code = track_code(
            tree,
            header.targets,
            Options(
                name,
                step=header.step,
                throttled=options.every > 1 or options.min_interval > 0,
                shows_assignments=self._shell.ast_node_interactivity == "last_expr_or_assign",
            ),
            self._shell.user_ns,
            options.follow,
        )
        tracker = Tracker(
            code.selected.metrics,
            every=options.every,
            min_interval=options.min_interval,
            stepped=header.step is not None,
            lenient=not header.targets,
            axes=code.selected.axes,
        )
        self._store(name, tracker)
        tracked = TrackedRun(tracker)
        self._open.append(tracked)
        run = start_run(options, reinit="create_new")
        self._say_what_was_not_filled_in(header, tree)

        def end() -> None:
            tracked.finish()
            self._open.remove(tracked)
            self._forget()
            if header.targets:
                for note in untracked(tracker, code, failed=run.state != "finished", adapted=tracked.adapted):
                    show_note(note)
            elif tracker.tracked or not tracked.adapted:
                self._say_what_was_tracked(tracker, code)
            self._say_once(notes_on_functions(code, options.follow))

        process().cells.current().at_end.append(end)
        tracked.begin(run, code)

    def _say_what_was_tracked(self, tracker: Tracker, code: TrackedCode) -> None:
        tracked = list(tracker.logged)
        if not tracked and tracker.was_sent:
            show_note(f"nothing was tracked: {ELSEWHERE}")
        elif not tracked:
            show_note(nothing_tracked(code))
        elif not self._said_how_to_choose:
            self._said_how_to_choose = True
            show_note(how_to_choose(tracked, code, self._shell.user_ns))

    def _say_once(self, notes: Iterable[tuple[str, str]]) -> None:
        for subject, note in notes:
            if subject not in self._said:
                self._said.add(subject)
                show_note(note)

    def _store(self, name: str, tracker: Tracker) -> None:
        """Store a tracker, and the function that passes values through it, under their names.

        The names are variables of the notebook, so that functions sent to other processes take the tracker along, and builtins, so
        that `%reset` does not remove them, and modules have them.
        """
        for one, value in ((name, tracker), (passing_name(name), Passing(tracker))):
            self._shell.user_ns[one] = self._shell.user_ns_hidden[one] = value
            setattr(builtins, one, value)

    def _say_what_was_not_filled_in(self, header: Header, tree: ast.Module) -> None:
        late = {name for name in header.filled_in if name in bound_within(tree) or name not in self._shell.user_ns}
        if late:
            show_note(
                f"the texts of the header are filled in before the cell runs; set {', '.join(sorted(late))} in an earlier cell"
            )

    def note_end(self, result: Any) -> None:
        """Say at the end of a cell that its header had no effect, because a magic compiled the code by itself (``%%prun``)."""
        header, self._pending = self._pending, None
        if header is None or result is None or result.error_before_exec is not None:
            return
        self._forget()
        above = re.match(r"\s*(%%\w+)", getattr(result.info, "raw_cell", None) or "")
        what = above[1] if above is not None else "the caller"
        if what == "%%track":
            show_note("the cell holds no code, so nothing is tracked")
        else:
            show_note(f"nothing is tracked: {what} compiles the code by itself; run the cell without it")

    def _forget(self) -> None:
        self._pending = None
        while self in self._shell.ast_transformers:
            self._shell.ast_transformers.remove(self)


def load(shell: Any) -> None:
    """Register the magics with a shell, once, and follow its cells."""
    if any(isinstance(transformer, CellTracking) for transformer in shell.input_transformers_cleanup):
        return
    tracking = CellTracking(shell)
    shell.input_transformers_cleanup.append(tracking)
    host.CellHook("post_run_cell", tracking.note_end, "says what %%track did not track").watch(shell)

    def track(line: str) -> Any:
        if line == "--cell-help":
            return say(cell_parser().format_help())
        return run_line(line)

    def track_cell(line: str, cell: str) -> None:
        shell.run_cell(  # for scripts converted from notebooks, which call the magic by name
            f"%%track {line}\n{cell}"
        )

    def misplaced(_: str) -> None:
        raise UsageError("%%track belongs in the first line of its cell")

    track.__doc__, track_cell.__doc__ = overview(), cell_parser().format_help()
    shell.register_magic_function(track, "line", "track")
    shell.register_magic_function(track_cell, "cell", "track")
    shell.register_magic_function(misplaced, "line", "%track")
    for word in ("%track", "%%track"):
        shell.set_hook("complete_command", complete, str_key=word)
    watching.attach(shell)
    process().cells.watch(shell)
