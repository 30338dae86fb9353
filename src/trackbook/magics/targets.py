"""Targets of tracking: the words after ``%%track``, such as ``loss``, ``acc -> val/acc`` or ``lr=opt.lr``."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from ..tracking.logged_values import check_name

_NAMED = re.compile(r"""((?:[^\W\d][\w./-]*)|"[^"]+"|'[^']+')=(?!=)(.+)""", re.DOTALL)
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_NOT_TO_REPEAT = (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr, ast.Starred)


@dataclass(frozen=True)
class Target:
    """A variable or an expression to track, and the metric that it is logged as."""

    metric: str
    source: str
    tree: ast.expr

    @property
    def variable(self) -> str | None:
        """The name of the variable, None for other expressions."""
        return self.tree.id if isinstance(self.tree, ast.Name) else None

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(node.id for node in ast.walk(self.tree) if isinstance(node, ast.Name))

    @cached_property
    def reaches(self) -> bool:
        """Whether its value can change without an assignment to one of its names, as that of ``opt.lr`` can."""
        return any(isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)) for node in ast.walk(self.tree))


def variable(name: str) -> Target:
    """Return the target for a variable, logged under its own name."""
    return Target(name, name, ast.Name(name, ast.Load()))


def split_words(line: str) -> list[str]:
    """Split a line into words. Blanks in quotes and brackets do not split, and quotes are kept.

    Raises ``ValueError`` for a quote or bracket that is not closed.
    """
    words, word, waiting = [], "", ""  # `waiting`: the closing signs of open quotes and brackets, innermost last
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
    """Return a word without surrounding quotes."""
    return word[1:-1] if len(word) > 1 and word[0] == word[-1] and word[0] in "\"'" else word


def join_arrows(words: Iterable[str]) -> list[str]:
    """Join the words of ``acc -> val/acc`` into one. Raises ``ValueError`` for an arrow without both sides."""
    joined: list[str] = []
    for word in words:
        if joined and (word.startswith("->") or joined[-1].endswith("->")):
            joined[-1] += word
        else:
            joined.append(word)
    for word in joined:
        if word.startswith("->") or word.endswith("->"):
            raise ValueError(f"{word!r} lacks a side; write it as: acc -> val/acc")
    return joined


def parse_targets(words: Iterable[str]) -> list[Target]:
    """Parse words into targets. Raises ``ValueError`` for a word that is not an expression, and for a metric given twice."""
    targets = list(map(parse_target, words))
    metrics = [target.metric for target in targets]
    for metric in metrics:
        if metrics.count(metric) > 1:
            raise ValueError(f"two targets have the metric {metric!r}; rename one of them, as in: other={metric}")
    return targets


def parse_target(word: str) -> Target:
    """Parse ``expression``, ``expression -> name`` or ``name=expression``. Raises ``ValueError``."""
    source, arrow, metric = word.rpartition("->")
    if not arrow:
        named = _NAMED.fullmatch(word)
        metric, source = named.groups() if named else (word, word)
    source = source.strip()
    return Target(check_name(unquoted(metric.strip())), source, parse_expression(source))


def parse_expression(source: str) -> ast.expr:
    """Parse an expression that can be evaluated repeatedly. Raises ``ValueError`` for anything else."""
    try:
        tree = ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError):
        raise ValueError(f"{source!r} is not a Python expression") from None
    if any(isinstance(node, _NOT_TO_REPEAT) for node in ast.walk(tree)):
        raise ValueError(f"{source!r} has side effects; assign it to a variable and track that")
    return tree
