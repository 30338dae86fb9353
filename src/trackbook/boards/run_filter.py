"""The grammar of the runs' filter, such as ``lr > 0.01 and optimizer = adam``.

The front end parses and applies filters (``js/src/runs/run-filter.ts``); here a filter set from Python is checked. Columns are not: a
run may have them later.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple, NoReturn

_TOKEN: Final = re.compile(
    r"""\s+|(?P<operator><=|>=|==|!=|!~|[<>=~])|(?P<mark>[(),])|(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
    r"""|(?P<word>[^\s<>=!~(),"']+|!)""",
    re.DOTALL,
)
_KEYWORDS: Final = ("and", "or", "not", "in")
_ORDERS: Final = ("<", "<=", ">", ">=")


class _Token(NamedTuple):
    kind: str
    value: str


def check(text: str) -> None:
    """Raise ``ValueError``, with the place of the mistake, for a filter that does not parse. Text that compares nothing is a search."""
    tokens, end = _tokens(text)
    if not _is_expression(tokens, text, is_whole=end == len(text)):
        return
    if end < len(text):
        raise ValueError(f"a quotation mark is not closed: {text[end:]}")
    if not re.search(r"\s", text.strip()) and tokens[0].kind == "word" and tokens[1].value != "(":
        return  # a name like lr=0.1, where no column is called lr
    _Parser(tokens).parse()


def _tokens(text: str) -> tuple[list[_Token], int]:
    """Return the tokens, and where they end: at the end of the text, or at a quotation mark that is not closed."""
    tokens: list[_Token] = []
    end = 0
    while found := _TOKEN.match(text, end):
        end = found.end()
        if found.lastgroup:
            tokens.append(_Token(found.lastgroup, found[0]))
    return tokens, end


def _is_expression(tokens: list[_Token], text: str, *, is_whole: bool) -> bool:
    """Whether a text is meant as an expression: it compares something."""
    if not is_whole:
        return re.search("[<>=~]", text) is not None
    following = [*tokens, _Token("end", "")][1:]
    return any(
        token.kind == "operator" or (number > 0 and _is_keyword(token, "in") and after.value == "(")
        for number, (token, after) in enumerate(zip(tokens, following, strict=True))
    )


def _is_keyword(token: _Token, *words: str) -> bool:
    return token.kind == "word" and token.value.lower() in words


class _Parser:
    """Recursive descent: ``or`` of ``and`` of ``not``, parentheses and comparisons."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def parse(self) -> None:
        self._either()
        if self._next.kind != "end":
            self._expected("'and' or 'or'")

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else _Token("end", "")

    def _expected(self, what: str) -> NoReturn:
        where = f"before {self._next.value!r}" if self._next.kind != "end" else "at the end"
        raise ValueError(f"expected {what} {where}")

    def _takes(self, *words: str) -> bool:
        found = _is_keyword(self._next, *words)
        self._at += found
        return found

    def _either(self) -> None:
        self._both()
        while self._takes("or"):
            self._both()

    def _both(self) -> None:
        self._one()
        while self._takes("and"):
            self._one()

    def _one(self) -> None:
        while self._takes("not"):
            pass
        if self._next.value != "(" or self._next.kind != "mark":
            self._comparison()
            return
        self._at += 1
        self._either()
        self._close()

    def _close(self) -> None:
        if self._next != ("mark", ")"):
            raise ValueError("a parenthesis is not closed")
        self._at += 1

    def _comparison(self) -> None:
        column = self._column()
        if self._takes("in"):
            self._list()
            return
        if _is_keyword(self._next, "not") and self._at + 1 < len(self._tokens):
            self._at += 1
            if self._takes("in"):
                self._list()
                return
            self._at -= 1
        operator = self._next
        if operator.kind != "operator":
            self._expected(f"=, !=, <, <=, >, >=, ~ or 'in' after {column!r},")
        self._at += 1
        self._value(operator.value)

    def _column(self) -> str:
        first = self._next
        if first.kind not in ("word", "text") or _is_keyword(first, *_KEYWORDS):
            self._expected("a column")
        self._at += 1
        if _is_keyword(first, "min", "max", "last"):
            self._statistic()
        return first.value

    def _statistic(self) -> None:
        """Read the rest of ``max(val/acc)`` and ``max val/acc``."""
        if self._next == ("mark", "(") and self._at + 1 < len(self._tokens):
            self._at += 2
            self._close()
        elif self._next.kind in ("word", "text") and not _is_keyword(self._next, *_KEYWORDS):
            self._at += 1

    def _value(self, after: str) -> None:
        if self._next.kind not in ("word", "text"):
            self._expected(f"a value after {after!r},")
        if after in _ORDERS and not _may_be_number(self._next.value):
            raise ValueError(f"{after!r} takes a number, not {self._next.value!r}")
        self._at += 1

    def _list(self) -> None:
        if self._next != ("mark", "("):
            self._expected("(a, b) after 'in',")
        while True:
            after = self._next.value
            self._at += 1
            self._value(after)
            if self._next != ("mark", ","):
                break
        self._close()


def _may_be_number(text: str) -> bool:
    """Whether a value has an order: a number, a duration, a date."""
    return re.match(r"[-+\u2212]?(\d|\.\d|inf)", text.strip("\"'"), re.IGNORECASE) is not None
