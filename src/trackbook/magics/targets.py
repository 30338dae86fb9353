"""What to track: the words after ``%%track``, such as ``loss``, ``acc -> val/acc`` or ``lr=opt.lr``."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from ..tracking.values import check_name

_NAMED = re.compile(r"""((?:[^\W\d][\w./-]*)|"[^"]+"|'[^']+')=(?!=)(.+)""", re.DOTALL)
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_NOT_TO_REPEAT = (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr, ast.Starred)


@dataclass(frozen=True)
class What:
    """One thing to track: a variable or an expression, and the metric that it becomes."""

    metric: str
    source: str
    tree: ast.expr

    @property
    def variable(self) -> str | None:
        """The variable's name when it is no more than that."""
        return self.tree.id if isinstance(self.tree, ast.Name) else None

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(node.id for node in ast.walk(self.tree) if isinstance(node, ast.Name))

    @cached_property
    def reaches(self) -> bool:
        """Whether its value can change without an assignment to one of its names, as ``opt.lr`` does."""
        return any(isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)) for node in ast.walk(self.tree))


def variable(name: str) -> What:
    """The variable of this name, as a metric of the same name."""
    return What(name, name, ast.Name(name, ast.Load()))


def split_words(line: str) -> list[str]:
    """The words of a line. Blanks in quotes and brackets belong to their word, and quotes stay.

    Raises ``ValueError`` for a quote or bracket that is not closed.
    """
    words, word, waiting = [], "", ""  # `waiting`: what closes the open quotes and brackets, the next one last
    for sign in line:
        if waiting and sign == waiting[-1]:
            waiting = waiting[:-1]
        elif not waiting or waiting[-1] not in "\"'":
            waiting += sign if sign in "\"'" else _CLOSING.get(sign, "")
        if waiting or not sign.isspace():
            word += sign
        elif word:
            words.append(word)
            word = ""
    if waiting:
        raise ValueError(f"{line.strip()!r} lacks a closing {waiting[-1]}")
    return [*words, word] if word else words


def unquoted(word: str) -> str:
    """A word without the quotes around it, if it has them."""
    return word[1:-1] if len(word) > 1 and word[0] == word[-1] and word[0] in "\"'" else word


def join_arrows(words: Iterable[str]) -> list[str]:
    """Words in which ``acc -> val/acc`` is one. Raises ``ValueError`` for an arrow from or to nothing."""
    joined: list[str] = []
    for word in words:
        if joined and (word.startswith("->") or joined[-1].endswith("->")):
            joined[-1] += word
        else:
            joined.append(word)
    for word in joined:
        if word.startswith("->") or word.endswith("->"):
            raise ValueError(f"{word!r} leads nowhere; write it as: acc -> val/acc")
    return joined


def parse_whats(words: Iterable[str]) -> list[What]:
    """What the words say is to be tracked. Raises ``ValueError`` for what is no expression, and for a name given twice."""
    whats = [parse_what(word) for word in words]
    metrics = [what.metric for what in whats]
    for metric in metrics:
        if metrics.count(metric) > 1:
            raise ValueError(f"two things are to be tracked as {metric!r}; name one of them, as in: other={metric}")
    return whats


def parse_what(word: str) -> What:
    """``expression``, ``expression -> name`` or ``name=expression``. Raises ``ValueError``."""
    source, arrow, metric = word.rpartition("->")
    if not arrow:
        named = _NAMED.fullmatch(word)
        metric, source = named.groups() if named else (word, word)
    source = source.strip()
    return What(check_name(unquoted(metric.strip())), source, parse_expression(source))


def parse_expression(source: str) -> ast.expr:
    """An expression that may be evaluated again and again. Raises ``ValueError`` for anything else."""
    try:
        tree = ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError):
        raise ValueError(f"{source!r} is no Python expression") from None
    if any(isinstance(node, _NOT_TO_REPEAT) for node in ast.walk(tree)):
        raise ValueError(f"{source!r} does something when it is evaluated; assign it to a variable and track that")
    return tree
