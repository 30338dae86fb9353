"""Instrumented code in place of the code of functions, for the length of a cell."""

from __future__ import annotations
import __future__

import ast
import linecache
from collections.abc import Iterator
from functools import cached_property
from types import CodeType, FunctionType
from typing import Any, Final
from weakref import WeakKeyDictionary

from .syntax import Function, compiled_definitions

_FUTURE_FLAGS: Final = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
_EXEC: Final = "<string>"  # the file name of whatever `exec` compiles, of which Python 3.13 knows that of `python -c`

# the code that a function has without us, while a cell replaces it
_plain_code: WeakKeyDictionary[FunctionType, CodeType] = WeakKeyDictionary()


def code_of(function: FunctionType) -> CodeType:
    """Return the code that a function has outside of tracked cells."""
    return _plain_code.get(function, function.__code__)


class Source:
    """The source of a cell or module, in which functions were defined. Its tree is instrumented in place.

    IPython compiles each statement of a cell alone, Python a module at once, and their code differs: ``math.exp`` is another instruction
    where the compiler sees that ``math`` is imported.
    """

    def __init__(self, filename: str, text: str, flags: int) -> None:
        self.filename = filename
        self._flags = flags
        self.tree = ast.parse(text, filename)
        self._text = text
        self._of_cell = self._codes(*_statements(ast.parse(text, filename)))
        self._definitions = dict(_definitions(self.tree, ""))
        self.compiled = compiled_definitions(self.tree)

    def definition_of(self, function: FunctionType) -> Function | None:
        """Return the definition of a function; None when the source has no such function, as after an edit of the file."""
        code = code_of(function)
        place = _place(code)
        plain = self._of_cell.get(place)
        if plain is None:
            return None
        if not (_same(plain, code) or _was_tracked(plain, code) or _same(self._of_module.get(place, plain), code)):
            return None
        return self._definitions.get(place)

    def instrumented(self) -> dict[tuple[str, int], CodeType]:
        """Compile the tree as it is now; return the code of its functions by qualified name and first line."""
        return self._codes(*_statements(ast.fix_missing_locations(self.tree)))

    @cached_property
    def _of_module(self) -> dict[tuple[str, int], CodeType]:
        try:
            return self._codes(ast.parse(self._text, self.filename))
        except SyntaxError:  # a cell may import from `__future__` in any line
            return {}

    def _codes(self, *trees: ast.Module) -> dict[tuple[str, int], CodeType]:
        flags = self._flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT  # as cells have it
        compiled = [compile(tree, self.filename, "exec", flags=flags, dont_inherit=True) for tree in trees]
        return {_place(code): code for one in compiled for code in _codes(one)}


class Sources:
    """The sources of functions, each read and parsed once for a cell."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], Source | None] = {}

    def of(self, function: FunctionType) -> Source | None:
        """Return the source in which a function was defined; None where it cannot be read."""
        code = code_of(function)
        key = code.co_filename, code.co_flags & _FUTURE_FLAGS
        if key not in self._known:
            linecache.checkcache(code.co_filename)
            of_this = code.co_filename != _EXEC
            text = "".join(linecache.getlines(code.co_filename, function.__globals__)) if of_this else ""
            try:
                self._known[key] = Source(code.co_filename, text, key[1]) if text else None
            except (SyntaxError, ValueError):  # a cell with its magics, as some hosts keep it
                self._known[key] = None
        return self._known[key]


class Replaced:
    """Functions whose code was replaced, until `restore` gives each its own back."""

    def __init__(self) -> None:
        self._before: list[tuple[FunctionType, CodeType, CodeType]] = []  # its own code, and ours

    def replace(self, function: FunctionType, code: CodeType) -> bool:
        """Give a function other code. Return False, without a change, for one that was replaced already, by a cell around this one."""
        if function in _plain_code or code.co_freevars != function.__code__.co_freevars:
            return False
        self._before.append((function, function.__code__, code))
        _plain_code[function] = function.__code__
        function.__code__ = code
        return True

    def restore(self) -> None:
        """Give each function its own code back; all of them also when this is interrupted. Code that the cell gave one stays."""
        try:
            self._restore_each()  # a function of its own: since Python 3.12 the jump back of a loop is in no `try`
        finally:
            if self._before:  # interrupted: the rest is done first
                self.restore()

    def _restore_each(self) -> None:
        while self._before:
            function, code, ours = self._before[-1]
            if function.__code__ is ours:
                function.__code__ = code
            _plain_code.pop(function, None)
            self._before.pop()


def _statements(tree: ast.Module) -> Iterator[ast.Module]:
    return (ast.Module([statement], []) for statement in tree.body)


def _definitions(node: ast.AST, prefix: str) -> Iterator[tuple[tuple[str, int], Function]]:
    for child in ast.iter_child_nodes(node):
        inside = prefix
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield (f"{prefix}{child.name}", min([child.lineno, *(one.lineno for one in child.decorator_list)])), child
            inside = f"{prefix}{child.name}.<locals>."
        elif isinstance(child, ast.ClassDef):
            inside = f"{prefix}{child.name}."
        yield from _definitions(child, inside)


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def _place(code: CodeType) -> tuple[str, int]:
    return code.co_qualname, code.co_firstlineno


def _same(one: CodeType, other: CodeType) -> bool:
    """Whether two code objects do the same at the same lines. `==` of Python 3.11 also compares what the interpreter learnt."""
    return _shape(one) == _shape(other) and _names(one) == _names(other) and _constants(one) == _constants(other)


def _names(code: CodeType) -> tuple[Any, ...]:
    return code.co_code, code.co_names, code.co_varnames, code.co_cellvars, list(code.co_lines())


def _constants(code: CodeType) -> list[Any]:
    return [
        (_shape(one), _names(one), _constants(one)) if isinstance(one, CodeType) else (type(one), repr(one))
        for one in code.co_consts
    ]


def _shape(code: CodeType) -> tuple[Any, ...]:
    arguments = code.co_argcount + code.co_kwonlyargcount
    return _place(code), code.co_freevars, code.co_flags, arguments, code.co_varnames[:arguments]


def _was_tracked(plain: CodeType, code: CodeType) -> bool:
    """Whether the code is that of a function which a tracked cell defined, with the calls of its tracker inside."""
    calls = any(name.startswith("__trackbook_") for one in (code, *_codes(code)) for name in one.co_names)
    return calls and _shape(plain) == _shape(code)
