"""The functions that a cell reaches: those of other cells, and of modules that are followed, as far as it names them."""

from __future__ import annotations

import ast
import builtins
import functools
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, Final

from .functions import Source, Sources
from .syntax import Function, given_to_compilers

_COMPILERS: Final = ("numba", "jax", "tensorflow", "torch._dynamo", "torch.jit", "torch.fx", "triton", "taichi", "cupy")
Lookup = Callable[[str], Any]
_MISSING: Final = object()


@dataclass(frozen=True, eq=False)
class Reached:
    """A function that a cell reaches, with its definition in the source."""

    function: FunctionType
    node: Function
    source: Source


@dataclass
class Reach:
    """What a cell reaches. `left_alone` names compiled functions, `unread` has why the source of others cannot be used."""

    functions: list[Reached] = field(default_factory=list)
    left_alone: dict[str, None] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    unfollowed: dict[str, str] = field(default_factory=dict)  # functions of local modules: name and module
    modules: set[str] = field(default_factory=set)  # of those to follow, which the cell uses
    assigned: dict[str, set[str]] = field(
        default_factory=dict
    )  # the variables of functions that are not followed, if known


def reach(tree: ast.Module, namespace: dict[str, Any], modules: Sequence[str] = ()) -> Reach:
    """Return what the cell with this AST reaches from the variables in `namespace`.

    Functions and methods count when the cell, or a function that it reaches, names them. Methods of a class with a foreign base count
    all, since that base may call them. `modules` are followed beside the notebook's own cells.
    """
    search = _Search(namespace, modules)
    defined = {
        node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    }
    search.read(tree, lambda name: _MISSING if name in defined else namespace.get(name, _MISSING))
    search.finish()
    return search.found


class _Search:
    def __init__(self, namespace: dict[str, Any], modules: Sequence[str]) -> None:
        self.found = Reach()
        self._namespace = namespace
        self._modules = modules
        self._sources = Sources()
        self._seen: set[int] = set()
        self._kept: list[Any] = []  # so that no `id` in `_seen` is used twice
        self._functions: dict[int, FunctionType] = {}
        self._classes: dict[type, None] = {}
        self._objects: list[Any] = []
        self._attributes: set[str] = set()
        self._modules_met: dict[int, ModuleType] = {}
        self._others: dict[int, ModuleType] = {}  # local modules that are not followed

    def read(self, tree: ast.AST, lookup: Lookup) -> None:
        """Consider what a tree names."""
        compiled = given_to_compilers(tree)
        for name in compiled:
            if isinstance(lookup(name), FunctionType):
                self._leave_alone(name, lookup(name))
                self._seen.add(id(lookup(name)))
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                self._consider(lookup(node.id))
            elif isinstance(node, ast.Attribute):
                self._attributes.add(node.attr)

    def finish(self) -> None:
        """Consider the attributes of what was found, until nothing new comes."""
        before = -1
        while before != len(self._seen) + len(self._attributes):
            before = len(self._seen) + len(self._attributes)
            for module in list(self._modules_met.values()):
                self._consider_all(vars(module), self._attributes)
            for thing in list(self._objects):
                self._consider_all(object.__getattribute__(thing, "__dict__"), self._attributes)
            for kind in list(self._classes):
                self._consider_class(kind)
        for module in self._others.values():
            for name in self._attributes & vars(module).keys():
                if isinstance(vars(module)[name], FunctionType):
                    self.found.unfollowed[name] = module.__name__
                    self.found.assigned[name] = _variables(vars(module)[name].__code__)

    def _consider_all(self, members: Mapping[str, Any], names: Iterable[str]) -> None:
        for name in list(names):
            if name in members:
                self._consider(members[name])

    def _consider_class(self, kind: type) -> None:
        every = any(not self._is_own_class(base) and base is not object for base in kind.__mro__)
        for name, member in list(vars(kind).items()):
            if every or name in self._attributes or (name.startswith("__") and name.endswith("__")):
                for function in _functions_in(member):
                    self._consider(function)

    def _consider(self, value: Any) -> None:
        if value is _MISSING or isinstance(value, (int, float, str, bytes, type(None))) or id(value) in self._seen:
            return
        self._seen.add(id(value))
        self._kept.append(value)
        if isinstance(value, FunctionType):
            self._consider_function(value)
        elif isinstance(value, functools.partial):
            self._consider(value.func)
        elif isinstance(value, MethodType):
            self._consider(value.__func__)
            self._consider(value.__self__)
        elif isinstance(value, ModuleType):
            if self._is_followed(value.__name__):
                self._modules_met[id(value)] = value
            elif _is_local(value.__name__):
                self._others[id(value)] = value
        elif isinstance(value, type):
            self._add_class(value)
        else:
            self._consider_object(value)

    def _consider_object(self, value: Any) -> None:
        kind = type(value)
        self._add_class(kind)
        if kind.__module__ == "functools":
            for function in _functions_in(value):
                self._consider(function)
        elif _is_compilers(kind.__module__) and callable(value):
            inner = getattr(value, "__wrapped__", getattr(value, "py_func", None))
            self._leave_alone(getattr(value, "__name__", kind.__name__), inner)
        elif kind in self._classes and "__dict__" in dir(kind):
            self._objects.append(value)

    def _add_class(self, kind: type) -> None:
        for base in kind.__mro__:
            if self._is_own_class(base):
                self._classes[base] = None

    def _consider_function(self, function: FunctionType) -> None:
        home = str(function.__globals__.get("__name__", ""))
        if not (function.__globals__ is self._namespace or self._is_followed(home)):
            wrapped = vars(function).get("__wrapped__")
            if _is_compilers(home):
                self._leave_alone(function.__name__, wrapped)
            elif isinstance(wrapped, FunctionType):
                self._consider(wrapped)
            elif _is_local(home):
                self.found.unfollowed[function.__name__] = home
                self.found.assigned[function.__name__] = _variables(function.__code__)
            return
        if function.__name__ == "<lambda>":
            return
        source = self._sources.of(function)
        node = source.definition_of(function) if source is not None else None
        if source is None or node is None:
            why = "cannot be read" if source is None else "has changed since it was defined"
            self.found.unread[function.__name__] = why
            self.found.assigned[function.__name__] = _variables(function.__code__)
        elif id(node) in source.compiled:
            self._leave_alone(node.name, function)
        else:
            self.found.functions.append(Reached(function, node, source))
            self.read(node, _names_of(function))

    def _leave_alone(self, name: str, function: object) -> None:
        self.found.left_alone[name] = None
        if isinstance(function, FunctionType):
            self.found.assigned[name] = _variables(function.__code__)

    def _is_own_class(self, kind: type) -> bool:
        return kind.__module__ == self._namespace.get("__name__") or self._is_followed(kind.__module__)

    def _is_followed(self, module: str) -> bool:
        followed = [one for one in self._modules if module == one or module.startswith(f"{one}.")]
        self.found.modules.update(followed)
        return bool(followed)


def _functions_in(member: Any) -> Iterator[Any]:
    """Yield the functions of a method, a property or a function with a cache; of other objects none, as asking runs their code."""
    if isinstance(member, (FunctionType, functools.partialmethod)):
        yield member if isinstance(member, FunctionType) else member.func
    elif isinstance(member, property):
        yield from (one for one in (member.fget, member.fset) if one is not None)
    elif isinstance(member, functools.cached_property):
        yield member.func
    elif isinstance(member, (staticmethod, classmethod)) or type(member).__name__ == "_lru_cache_wrapper":
        yield member.__wrapped__


def _names_of(function: FunctionType) -> Lookup:
    """Return how a function finds its names: in its closure, its globals and the builtins."""
    closure = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))

    def lookup(name: str) -> Any:
        if name in closure:
            try:
                return closure[name].cell_contents
            except ValueError:  # not assigned yet
                return _MISSING
        return function.__globals__.get(name, vars(builtins).get(name, _MISSING))

    return lookup


def _variables(code: CodeType) -> set[str]:
    """Return the variables of a function and of those inside it."""
    inner = (_variables(one) for one in code.co_consts if isinstance(one, CodeType))
    return {*code.co_varnames, *code.co_cellvars, *code.co_names}.union(*inner)


def _is_compilers(module: str) -> bool:
    return any(module == one or module.startswith(f"{one}.") for one in _COMPILERS)


def _is_local(module: str) -> bool:
    """Whether a module lies outside of the folders of installed packages and of the standard library."""
    top = sys.modules.get(module.partition(".")[0])
    path = getattr(top, "__file__", None)
    if path is None or module.partition(".")[0] in {*sys.stdlib_module_names, "trackbook"}:
        return False
    return "site-packages" not in path and "dist-packages" not in path
