"""The argument parsers of ``%%track`` and ``%track``."""

from __future__ import annotations

import ast
import math
import re
from argparse import SUPPRESS, ArgumentTypeError, HelpFormatter, Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from IPython.core.error import UsageError
from IPython.core.magic_arguments import MagicArgumentParser

from ..api.run import init
from ..text import did_you_mean
from ..tracking.run import Run
from ..types import STOPS, Stop
from .targets import Target, join_arrows, parse_expression, parse_targets, split_words, unquoted


class Parser(MagicArgumentParser):
    """An argparse parser with one-line errors that suggest the nearest option."""

    def __init__(self, prog: str, description: str, usage: str | None = None) -> None:
        super().__init__(prog, usage, description, formatter_class=HelpFormatter)  # type: ignore[no-untyped-call]  # IPython has few types
        self.allow_abbrev = False
        self.add_argument("-h", "--help", action="store_true", default=SUPPRESS, help="say this")

    @property
    def options(self) -> list[str]:
        return [option for action in self._actions for option in action.option_strings]

    def parse(self, words: Sequence[str]) -> Namespace:
        for word in words:
            option = word.partition("=")[0]
            if option.startswith("-") and option.strip("-") and option not in self.options:
                meant = did_you_mean(option, self.options, f"see {self.prog} --help")
                raise UsageError(f"{self.prog}: there is no option {option}; {meant}")
        found: Namespace = self.parse_intermixed_args(words)
        return found

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}")


_BRACES = re.compile(r"\{(?!\{)\s*([^\W\d]\w*)")


def key_and_value(text: str) -> tuple[str, Any]:
    """Parse ``lr=0.1`` into a name and a Python literal, or text if it is not one. Raises ``ValueError``."""
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise ValueError(f"--config {text} is not a setting; write it as: --config lr=0.1")
    try:
        return key, ast.literal_eval(value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return key, unquoted(value)


def add_run_options(parser: Parser, stop: Stop) -> None:
    """Add the options of a new run, shared by ``%%track`` and ``%track init``; `stop` is the default of ``--stop``."""
    parser.add_argument("--project", type=unquoted, help="what the run belongs to; by default the notebook's name")
    parser.add_argument("--name", type=unquoted, help="what to call the run")
    parser.add_argument("--group", type=unquoted, help="the group of runs that it belongs to")
    parser.add_argument("--config", action="append", default=[], metavar="KEY=VALUE", help="a setting to remember")
    parser.add_argument(
        "--stop",
        choices=STOPS,
        default=stop,
        help=f"what the board's stop button does: end the cell, or only set run.should_stop; by default {stop}",
    )
    parser.add_argument("--no-board", action="store_true", help="show no board")


def start_run(given: Namespace, **more: Any) -> Run:
    """Start a run with the options of `add_run_options`."""
    return init(
        given.project,
        given.name,
        group=given.group,
        config=dict(map(key_and_value, given.config)),
        stop=given.stop,
        display=False if given.no_board else None,
        **more,
    )


@dataclass(frozen=True)
class Header:
    """The parsed line of ``%%track``."""

    options: Namespace
    targets: list[Target]
    step: ast.expr | None
    filled_in: frozenset[str] = frozenset()  # the variables in the braces of its texts


def cell_parser() -> Parser:
    """Return the parser of ``%%track``."""
    made = Parser(
        "%%track",
        "Makes the cell a run: each value that it, and the functions it calls, assign to these variables is logged. Without "
        "any: what loops print, append, return or show in a progress bar, and variables whose names read as metrics.",
        "%(prog)s [options] [loss] [acc -> val/acc] [lr=opt.lr] ...",
    )
    made.add_argument("what", nargs="*", help="a variable; expression -> metric; metric=expression")
    add_run_options(made, "raise")  # the code of the cell does not look at the flag
    made.add_argument(
        "--step", type=unquoted, metavar="EXPR", help="the step of each point; by default each metric counts"
    )
    made.add_argument(
        "--follow",
        action="append",
        default=[],
        metavar="MODULE",
        help="follow the functions of this module, too, as those of the notebook's cells",
    )
    made.add_argument("--every", type=_count, default=1, metavar="N", help="log each Nth value of a metric only")
    made.add_argument(
        "--min-interval", type=_seconds, default=0.0, metavar="S", help="log a metric once in S seconds at most"
    )
    return made


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text} is not a whole number from 1")
    return int(text)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < math.inf:
        raise ArgumentTypeError(f"{text} is not a number of seconds")
    return seconds


def parse_header(line: str, expand: Callable[[str], str]) -> Header:
    """Parse the header of a cell, without ``%%track``. `expand` fills variables into the texts that describe the run.

    Raises ``UsageError``.
    """
    try:
        words = split_words(line)
        comment = next((place for place, word in enumerate(words) if word.startswith("#")), None)
        options = cell_parser().parse(join_arrows(words[:comment]))
        texts = [options.project or "", options.name or "", options.group or "", *options.config]
        for name in ("project", "name", "group"):
            setattr(options, name, expand(getattr(options, name) or "") or getattr(options, name))
        options.config = list(map(expand, options.config))
        for setting in options.config:
            key_and_value(setting)
        step = parse_expression(options.step) if options.step else None
        return Header(options, parse_targets(options.what), step, frozenset(_BRACES.findall(" ".join(texts))))
    except (ValueError, TypeError) as error:
        raise UsageError(f"%%track: {error}") from None
