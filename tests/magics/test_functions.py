"""Functions of other cells: what they do, show and say while their code is replaced, and that they get it back."""

from __future__ import annotations

import ast
import inspect
import linecache
import pickle
import sys
import traceback
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

import pytest
from hypothesis import given, settings

from interrupts import interrupted_at
from random_programs import programs
from trackbook.magics import functions, tracked_code
from trackbook.magics.functions import Replaced, Sources
from trackbook.magics.instrument import KINDS, VALUE
from trackbook.magics.targets import parse_targets
from trackbook.magics.tracked_code import Options, TrackedCode, track_code

TRACKER = "__tracker__"
FILES = {functions.__file__, tracked_code.__file__}


class Notebook:
    """A namespace with the definitions of one earlier cell, and what a tracker was told."""

    def __init__(self, source: str, name: str = "<earlier cell>") -> None:
        self.told: list[tuple[int, Any]] = []
        self.namespace: dict[str, Any] = {"__name__": "__main__", TRACKER: self._tracker}
        linecache.cache[name] = len(source), None, source.splitlines(keepends=True), name
        exec(compile(source, name, "exec", dont_inherit=True), self.namespace)

    def _tracker(self, code: int, value: Any) -> bool:
        if code % KINDS == VALUE:
            self.told.append((code // KINDS, value))
        return False

    def track(self, cell: str, *names: str) -> TrackedCode:
        return track_code(ast.parse(cell), parse_targets(names), Options(TRACKER), self.namespace)

    def __getitem__(self, name: str) -> Any:
        return self.namespace[name]


DEFINITIONS = '''
import contextlib
def plain(x, y=2, *args, key=3, **more):
    """Says it."""
    loss = x * y + key
    return loss

def outer(scale):
    bias = 1
    def inner(x):
        nonlocal bias
        loss = x * scale + bias
        bias += 1
        return loss
    return inner
closure = outer(3)

def numbers(n):
    for i in range(n):
        loss = i
        yield loss

async def awaits(x):
    loss = x
    return loss

def fails(x):
    loss = (x +
            1 / x)
    return loss

class Base:
    def step(self, x):
        loss = x
        return loss

class Model(Base):
    __secret = 5
    def step(self, x):
        loss = super().step(x) + self.__secret
        return loss
    @classmethod
    def make(cls):
        loss = 1
        return cls()
    @staticmethod
    def static(x):
        loss = x
        return loss
    @property
    def size(self):
        loss = 7
        return loss

def untracked(x):
    return x
'''
CELL = """
plain(1); closure(2); list(numbers(3)); awaits(1); fails(1); untracked(1)
m = Model(); m.step(1); Model.make(); Model.static(4); m.size
"""


@pytest.fixture
def notebook() -> Notebook:
    return Notebook(DEFINITIONS)


@pytest.fixture
def replaced(notebook: Notebook) -> Any:
    done = Replaced()
    notebook.track(CELL, "loss").replace(done)
    yield done
    done.restore()


CALLS: dict[str, Callable[[Notebook], Any]] = {
    "plain": lambda at: at["plain"](2, 3, 4, key=5, other=6),
    "defaults": lambda at: at["plain"](2),
    "closure": lambda at: [at["closure"](x) for x in (1, 2)],
    "generator": lambda at: list(at["numbers"](3)),
    "method": lambda at: at["Model"]().step(3),
    "class method": lambda at: type(at["Model"].make()).__name__,
    "static method": lambda at: at["Model"].static(4),
    "property": lambda at: at["Model"]().size,
}


@pytest.mark.parametrize("name", CALLS)
def test_replaced_functions_return_what_they_did_and_are_tracked(name: str) -> None:
    call = CALLS[name]
    expected = call(Notebook(DEFINITIONS))
    notebook = Notebook(DEFINITIONS)
    replaced = Replaced()
    notebook.track(CELL, "loss").replace(replaced)
    assert call(notebook) == expected
    assert notebook.told
    replaced.restore()
    notebook.told.clear()
    call(notebook)
    assert notebook.told == []


def test_replaced_coroutines_run(notebook: Notebook, replaced: Replaced) -> None:
    with pytest.raises(StopIteration) as end:
        notebook["awaits"](4).send(None)
    assert end.value.value == 4
    assert [value for _, value in notebook.told] == [4]


def test_replaced_functions_look_as_before(notebook: Notebook) -> None:
    def looks() -> list[Any]:
        return [
            (
                inspect.getsource(one),
                inspect.signature(one),
                one.__doc__,
                one.__defaults__,
                one.__kwdefaults__,
                one.__qualname__,
                one.__code__.co_name,
                one.__code__.co_qualname,
                one.__code__.co_firstlineno,
                one.__code__.co_filename,
                one.__code__.co_freevars,
                one.__code__.co_varnames,
                one.__code__.co_flags,
                inspect.isgeneratorfunction(one),
                inspect.iscoroutinefunction(one),
            )
            for one in (
                *(notebook[name] for name in ("plain", "closure", "numbers", "awaits", "fails")),
                notebook["Model"].step,
            )
        ]

    before = looks()
    done = Replaced()
    notebook.track(CELL, "loss").replace(done)
    during = looks()
    done.restore()
    assert before == during == looks()


def test_tracebacks_show_the_same_lines_and_columns(notebook: Notebook) -> None:
    def shown() -> str:
        with pytest.raises(ZeroDivisionError) as caught:
            notebook["fails"](0)
        return "".join(traceback.format_exception(caught.value)).partition("<earlier cell>")[2]

    before = shown()
    done = Replaced()
    notebook.track(CELL, "loss").replace(done)
    during = shown()
    done.restore()
    assert "1 / x" in before
    assert during == before


def test_functions_are_pickled_as_before(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    module = type(sys)("earlier_cell")
    monkeypatch.setitem(sys.modules, "earlier_cell", module)
    for name in ("plain", "Model"):
        notebook[name].__module__ = "earlier_cell"
        setattr(module, name, notebook[name])
    before = pickle.dumps((notebook["plain"], notebook["Model"]().step))
    done = Replaced()
    notebook.track("plain(1)", "loss").replace(done)
    assert pickle.dumps((notebook["plain"], notebook["Model"]().step)) == before
    done.restore()


def test_function_without_a_tracked_name_keeps_its_code(notebook: Notebook) -> None:
    code = notebook["untracked"].__code__
    tracked = notebook.track(CELL, "loss")
    assert notebook["untracked"] not in [function for function, _ in tracked.replacements]
    done = Replaced()
    tracked.replace(done)
    assert notebook["untracked"].__code__ is code
    done.restore()


def codes(notebook: Notebook) -> dict[str, CodeType]:
    return {
        f"{where}.{name}": one.__code__
        for where, members in (("", notebook.namespace), *((kind, vars(notebook[kind])) for kind in ("Base", "Model")))
        for name, one in members.items()
        if isinstance(one, FunctionType)
    }


def test_interrupt_at_any_step_leaves_the_functions_as_they_were(notebook: Notebook) -> None:
    before = codes(notebook)
    tracked = notebook.track("plain(1); closure(2)", "loss")
    count, reached = 0, True
    while reached:
        count += 1
        done = Replaced()

        def work(done: Replaced = done) -> None:
            tracked.replace(done)
            done.restore()

        reached = interrupted_at(count, work, FILES)
        # an interrupt between the two calls is no step of theirs; a cell restores in `finally`
        done.restore()
        after = codes(notebook)
        assert all(after[name] is code for name, code in before.items()), count
    assert count > 80
    assert not functions._plain_code


def test_restoring_is_finished_after_an_interrupt(notebook: Notebook) -> None:
    before = codes(notebook)
    tracked = notebook.track("plain(1); closure(2)", "loss")
    count, reached = 1, True
    while reached:
        done = Replaced()
        tracked.replace(done)
        reached = interrupted_at(count, done.restore, FILES)
        if count > 4:  # later than its first line, where Python takes no interrupt of a caller's `finally`
            assert all(code is codes(notebook)[name] for name, code in before.items()), count
        done.restore()
        count += 1
    assert count > 30


def test_function_that_is_replaced_already_is_not_replaced_again(notebook: Notebook) -> None:
    plain = notebook["plain"].__code__
    outer, inner = Replaced(), Replaced()
    notebook.track("plain(1)", "loss").replace(outer)
    outside = notebook["plain"].__code__
    second = notebook.track("plain(1)", "loss")
    second.replace(inner)
    assert notebook["plain"].__code__ is outside
    assert second.busy == ["plain"]
    inner.restore()
    assert notebook["plain"].__code__ is outside
    outer.restore()
    assert notebook["plain"].__code__ is plain


def test_code_that_the_cell_gives_a_function_stays(notebook: Notebook) -> None:
    done = Replaced()
    notebook.track("plain(1)", "loss").replace(done)
    own = (lambda _: 42).__code__
    notebook["plain"].__code__ = own
    done.restore()
    assert notebook["plain"].__code__ is own
    assert not functions._plain_code


def test_changed_source_is_left_alone(notebook: Notebook) -> None:
    source = DEFINITIONS.replace("x * y + key", "x * y - key")
    linecache.cache["<earlier cell>"] = len(source), None, source.splitlines(keepends=True), "<earlier cell>"
    tracked = notebook.track("plain(1); closure(1)", "loss")
    assert tracked.reach.unread == {"plain": "has changed since it was defined"}
    assert [function for function, _ in tracked.replacements] == [notebook["closure"]]


def test_source_that_cannot_be_read_is_left_alone(notebook: Notebook) -> None:
    del linecache.cache["<earlier cell>"]
    assert Sources().of(notebook["plain"]) is None
    assert notebook.track("plain(1)", "loss").replacements == []


def test_closure_that_does_not_fit_is_left_alone(notebook: Notebook) -> None:
    other = compile("def plain(x):\n    return x", "<other>", "exec").co_consts[0]
    with_closure = notebook["closure"]
    code = with_closure.__code__
    assert not Replaced().replace(with_closure, other)
    assert with_closure.__code__ is code


def indented(source: str) -> str:
    return "".join(f"    {line}\n" for line in source.splitlines() if line.strip())


@pytest.mark.slow
@given(programs())
@settings(max_examples=60, deadline=None)
def test_random_functions_do_the_same_while_they_are_replaced(pair: tuple[str, str]) -> None:
    source = "import contextlib\nsaid = []\ndef print(*given): said.append(given)\n"
    source += f"def main():\n    global a, b, c\n{indented(pair[0])}    return said\n"

    def outcome(at: Notebook) -> tuple[Any, ...]:
        try:
            result, error = at["main"](), None
        except Exception as caught:  # noqa: BLE001  whatever it is, both have to raise it
            lines = [(one.name, one.lineno, one.colno) for one in traceback.extract_tb(caught.__traceback__)[1:]]
            result, error = None, (type(caught), str(caught), lines)
        return repr(result), repr(at["said"]), error, {name: repr(at.namespace.get(name)) for name in "abc"}

    try:
        compile(source, "<random>", "exec")
    except SyntaxError:  # a program that assigns a name before its `global` in a function
        return
    expected = outcome(Notebook(source, "<random>"))
    notebook = Notebook(source, "<random>")
    before = notebook["main"].__code__
    done = Replaced()
    notebook.track("main()", "a", "b", "s=a+b").replace(done)
    assert outcome(notebook) == expected
    done.restore()
    assert notebook["main"].__code__ is before
