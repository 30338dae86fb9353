"""What code reports: values that it prints, appends, returns, or hands to a progress bar, with the names that its text gives them."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from .metric_words import is_count, label_in

How = Literal["append", "item", "bar", "print", "return"]  # the best first, where one value is reported in several ways
ORDER: Final[tuple[How, ...]] = ("append", "item", "bar", "print", "return")
_WRITERS: Final = frozenset(
    "print write info debug warning set_description set_description_str set_postfix_str secho echo success".split()
)
_LOGGERS: Final = frozenset("log log_dict log_metric log_metrics add_scalar".split())  # of other trackers
_CONVERSION: Final = re.compile(r"%(?:\((\w+)\))?[-+ #0]*(?:\*|\d+)?(?:\.\d+)?([diouxXeEfFgGcrsa%])")
_SAME_VALUE: Final = frozenset("item detach cpu numpy tolist clone to float result asnumpy".split())
_CASTS: Final = frozenset("float round str asnumpy float32 float64 asarray format array".split())
_MODULES: Final = frozenset("np numpy torch jnp jax tf".split())


@dataclass(frozen=True, eq=False)
class Report:
    """A reported value: its expression, how it is reported, and the name that its text gives it, which may be empty."""

    how: How
    expression: ast.expr
    label: str = ""


def core(node: ast.expr) -> ast.expr:
    """Return the variable or expression whose value it is: that of ``float(loss.item())`` is ``loss``."""
    inner: ast.expr | None = node
    while inner is not None:
        node, inner = inner, _inside(inner)
    return node


def _inside(node: ast.expr) -> ast.expr | None:
    """Return what a call or attribute gives the same number as; None for others."""
    if isinstance(node, ast.Attribute) and node.attr == "data":
        return node.value
    if not isinstance(node, ast.Call):
        return None
    if _function_name(node) in _CASTS and node.args and not node.keywords:
        return None if isinstance(node.args[0], ast.Starred) else node.args[0]
    if isinstance(node.func, ast.Attribute) and node.func.attr in _SAME_VALUE:
        of_module = isinstance(node.func.value, ast.Name) and node.func.value.id in _MODULES
        return node.func.value if not of_module else None
    return None


def place_name(node: ast.expr) -> str:
    """Return the name of a variable, attribute or item: ``loss``, ``loss`` of ``self.loss``, ``train/loss`` of ``log["train"]["loss"]``."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript):
        if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
            around = node.value
            outer = (
                place_name(around)
                if isinstance(around, ast.Subscript) and isinstance(around.slice, ast.Constant)
                else ""
            )
            return f"{outer}/{node.slice.value}" if outer else node.slice.value
        return place_name(node.value)
    return ""


def reports_of(node: ast.AST) -> Iterator[Report]:
    """Yield what a call, an assignment, a return or a yield reports by itself. Of ``*values`` nobody knows how many they are."""
    for report in _reports_of(node):
        if not isinstance(report.expression, ast.Starred):
            yield report


def _reports_of(node: ast.AST) -> Iterator[Report]:
    if isinstance(node, ast.Call):
        yield from _of_call(node)
    elif isinstance(node, ast.Assign) and len(node.targets) == 1:
        if isinstance(node.targets[0], (ast.Attribute, ast.Subscript)):
            yield Report("item", node.value, place_name(node.targets[0]))
        yield from _of_items(node.value, "item")
    elif isinstance(node, (ast.Return, ast.Yield)) and node.value is not None:
        values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
        yield from _of_items(node.value, "return")
        for value in values:
            if not isinstance(value, (ast.Dict, ast.Constant)):
                yield Report("return", value)


def _of_call(node: ast.Call) -> Iterator[Report]:
    name = _function_name(node)
    method = isinstance(node.func, ast.Attribute)
    if name == "append" and method and len(node.args) == 1:
        assert isinstance(node.func, ast.Attribute)
        if isinstance(node.args[0], (ast.Dict, ast.Call)):
            yield from _of_items(node.args[0], "append")
        if not isinstance(node.args[0], (ast.Dict, ast.Tuple, ast.List)):
            yield Report("append", node.args[0], place_name(node.func.value))
    elif name == "set_postfix":
        yield from _of_keywords(node, "bar")
        for argument in node.args:
            yield from _of_items(argument, "bar")
    elif name == "update" and method and (node.keywords or (node.args and isinstance(node.args[0], ast.Dict))):
        yield from _of_keywords(node, "item")
        for argument in node.args:
            yield from _of_items(argument, "item")
    elif name in _LOGGERS and node.args:
        yield from _of_logger(node)
    elif name in _WRITERS:
        yield from _of_text(node, name)


def _of_logger(node: ast.Call) -> Iterator[Report]:
    label = _text_of(node.args[0])
    if label is None:
        yield from _of_items(node.args[0], "bar")
    elif len(node.args) > 1:
        yield Report("bar", _unformatted(node.args[1]), label)


def _of_text(node: ast.Call, name: str) -> Iterator[Report]:
    text = _Text("bar" if name.startswith("set_") else "print")
    first = _text_of(node.args[0]) if node.args else None
    if len(node.args) > 1 and name != "print" and first is not None and "%" in first:
        text.percent(first, node.args[1:])  # logging's lazy arguments
    else:
        for argument in node.args:
            text.read(argument)
    yield from text.found


def _of_keywords(node: ast.Call, how: How) -> Iterator[Report]:
    for keyword in node.keywords:
        if keyword.arg and keyword.arg != "refresh":
            yield Report(how, _unformatted(keyword.value), keyword.arg)


def _of_items(node: ast.expr, how: How) -> Iterator[Report]:
    """Yield the items of ``{"loss": ...}`` and ``dict(loss=...)``."""
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield Report(how, _unformatted(value), key.value)
    elif isinstance(node, ast.Call) and _function_name(node) in ("dict", "OrderedDict"):
        yield from _of_keywords(node, how)
        for argument in node.args:
            yield from _of_items(argument, how)


def _unformatted(node: ast.expr) -> ast.expr:
    """Return the value in a text that holds one alone, such as ``f"{loss:.3f}"``, else the node."""
    text = _Text("print")
    if isinstance(node, (ast.JoinedStr, ast.BinOp, ast.Call)):
        text.read(node)
    return text.found[0].expression if len(text.found) == 1 else node


class _Text:
    """Reads the arguments of a text in their order, and keeps what was said since the last value as the label of the next."""

    def __init__(self, how: How) -> None:
        self._how: How = how
        self._before = ""
        self._share = ""  # the label of the share that was said as ``3/7``, for the ``(43%)`` behind it
        self.found: list[Report] = []

    def read(self, node: ast.expr) -> None:
        if isinstance(node, ast.Constant):
            self._say(f" {node.value}" if isinstance(node.value, str) else " ")
        elif isinstance(node, ast.JoinedStr):
            for part in node.values:
                self.read(part)
        elif isinstance(node, ast.FormattedValue):
            self._value(node.value)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and _text_of(node.left) is not None:
            values = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
            self.percent(_text_of(node.left) or "", values)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and _is_text(node):
            self.read(node.left)
            self.read(node.right)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
            text = _text_of(node.func.value)
            if text is not None:
                self._format(text, node)
        elif isinstance(node, ast.Call) and _function_name(node) == "str" and len(node.args) == 1:
            self._value(node.args[0])
        else:
            self._value(node)

    def percent(self, text: str, values: list[ast.expr]) -> None:
        """Read ``"loss %.3f" % loss``."""
        at, left = 0, list(values)
        for place in _CONVERSION.finditer(text):
            self._say(text[at : place.start()])
            at = place.end()
            if place[2] != "%" and left:
                self._value(left.pop(0))
        self._say(text[at:])

    def _format(self, text: str, call: ast.Call) -> None:
        named = {keyword.arg: keyword.value for keyword in call.keywords}
        try:
            parts = list(string.Formatter().parse(text))
        except ValueError:  # the call itself will raise it
            return
        for count, (said, field, _, _) in enumerate(parts):
            self._say(said)
            if field is None:
                continue
            key = field or str(count)
            value = call.args[int(key)] if key.isdecimal() and int(key) < len(call.args) else named.get(key)
            if value is not None:
                self._value(value)

    def _say(self, text: str) -> None:
        self._before += text

    def _value(self, node: ast.expr) -> None:
        said, self._before = self._before, ""
        if said.strip() == "/" and self.found and _is_whole(node):
            self._share = self.found.pop().label
            return
        label = label_in(said)
        if not label and said.strip() in ("(", "[", "=", "->"):
            label, self._share = self._share, ""
        self.found.append(Report(self._how, node, label))


def _is_whole(node: ast.expr) -> bool:
    """Whether a value is the whole of a share: ``len(data)``, ``total``, ``100``."""
    sized = isinstance(node, ast.Call) and _function_name(node) == "len"
    return sized or isinstance(node, ast.Constant) or is_count(place_name(node))


def _is_text(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp):
        return _is_text(node.left) or _is_text(node.right)
    text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return text or isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Call) and _function_name(node) == "str")


def _text_of(node: ast.expr) -> str | None:
    """Return a constant text, also one that is joined by ``+``."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _text_of(node.left), _text_of(node.right)
        return left + right if left is not None and right is not None else None
    return None


def _function_name(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
