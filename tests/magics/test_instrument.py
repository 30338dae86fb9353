from __future__ import annotations

import ast
import asyncio
import dis
import textwrap
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from trackbook.magics.instrument import (
    DUE,
    FAILED,
    KINDS,
    LATER,
    VALUE,
    InstrumentedCell,
    instrument,
)
from trackbook.magics.targets import parse_expression, parse_targets

TRACKER = "__tracker__"


class Notes:
    """A tracker that notes its calls."""

    def __init__(self, metrics: list[str], due: Callable[[int], bool] = lambda _: True) -> None:
        self.metrics = metrics
        self.points: list[tuple[str, Any]] = []
        self.failed: list[str] = []
        self._due = due

    def __call__(self, code: int, value: Any) -> bool:
        what, kind = divmod(code, KINDS)
        if kind == DUE:
            return self._due(what)
        if kind == FAILED:
            self.failed.append(self.metrics[what])
        else:
            assert kind in (VALUE, LATER)
            try:
                self.points.append((self.metrics[what], value() if kind == LATER else value))
            except NameError:
                self.failed.append(self.metrics[what])
        return False


def instrumented(source: str, words: str, **options: Any) -> InstrumentedCell:
    return instrument(ast.parse(textwrap.dedent(source)), parse_targets(words.split()), TRACKER, **options)


def track(source: str, words: str, due: Callable[[int], bool] = lambda _: True, **options: Any) -> Notes:
    """Run `source` with `words` tracked, and return the reported values."""
    notes = Notes([what.metric for what in parse_targets(words.split())], due)
    tree = ast.fix_missing_locations(instrumented(source, words, **options).tree)
    exec(compile(tree, "cell", "exec"), {TRACKER: notes})
    return notes


ASSIGNMENTS = {
    "assignment": ("x = 1; x = 2", [1, 2]),
    "several targets": ("a = x = 3", [3]),
    "tuple": ("a, (x, *b) = 1, (2, 3)", [2]),
    "starred": ("a, *x = 1, 2", [[2]]),
    "augmented": ("x = 1; x += 2", [1, 3]),
    "annotated": ("x: int = 4", [4]),
    "annotated without a value": ("x: int", []),
    "walrus": ("y = (x := 5) + 1", [5]),
    "walrus in a test": ("n = 3\nwhile (x := n) > 1:\n    n -= 1", [3, 2, 1]),
    "walrus that is not reached": ("y = False and (x := 5)", []),
    "for": ("for x in range(3): pass", [0, 1, 2]),
    "for with a tuple": ("for i, x in enumerate('ab'): pass", ["a", "b"]),
    "for that continues": ("for x in range(3):\n    if x: continue", [0, 1, 2]),
    "list": ("y = [x for x in range(3) if x != 1]", [0, 1, 2]),
    "nested comprehension": ("y = {x * z for z in (1, 2) for x in (3, z)}", [3, 1, 3, 2]),
    "walrus in a comprehension": ("y = [(x := i) for i in range(2)]", [0, 1]),
    "lambda": ("f = lambda: (x := 7)\nf()", [7]),
    "with": ("import contextlib\nwith contextlib.nullcontext(8) as x: pass", [8]),
    "if and else": ("if False:\n    x = 1\nelif True:\n    x = 2\nelse:\n    x = 3", [2]),
    "try": (
        "try:\n    x = 1\n    1 / 0\nexcept ZeroDivisionError:\n    x = 2\nelse:\n    x = 3\nfinally:\n    x = 4",
        [1, 2, 4],
    ),
    "loop's else": ("for i in ():\n    pass\nelse:\n    x = 1", [1]),
    "match": ("match [1, 2]:\n    case [1, x] if x:\n        pass", [2]),
    "match a mapping": ("match {'a': 1, 'b': 2}:\n    case {'a': _, **x}:\n        pass", [{"b": 2}]),
    "walrus in a guard": ("match 1:\n    case y if (x := y):\n        pass", [1]),
    "function": ("def f():\n    x = 9\nf(); f()", [9, 9]),
    "nested function": ("def f():\n    def g():\n        nonlocal x\n        x = 2\n    x = 1\n    g()\nf()", [1, 2]),
    "global": ("def f():\n    global x\n    x = 1\nf()", [1]),
    "method": ("class A:\n    x = 1\n    def f(self):\n        x = 2\nA().f()", [1, 2]),
    "generator": ("def f():\n    x = yield 1\ng = f(); next(g)\ntry: g.send(6)\nexcept StopIteration: pass", [6]),
    "default": ("def f(a=(x := 3)): pass", [3]),
    "one line": ("if True: x = 1; x = 2", [1, 2]),
    "argument": ("def f(x): pass\nf(1)", []),
    "import, function, deletion": ("import sys as x\ndef x(): pass\ndel x", []),
    "attribute and item": ("class A: pass\na = A(); a.x = 1; a = {}; a['x'] = 1", []),
}


@pytest.mark.parametrize("case", ASSIGNMENTS)
def test_each_assignment_of_a_variable_is_reported(case: str) -> None:
    source, values = ASSIGNMENTS[case]
    assert track(source, "x").points == [("x", value) for value in values]


def test_assignments_in_coroutines_are_reported() -> None:
    source = """
    import asyncio, contextlib
    async def numbers():
        for n in range(2): yield n
    async def f():
        x = await asyncio.sleep(0, 1)
        async for x in numbers(): pass
        async with contextlib.nullcontext(5) as x: pass
        return [x async for x in numbers()]
    asyncio.run(f())
    """
    assert [value for _, value in track(source, "x").points] == [1, 0, 1, 5, 0, 1]


def test_expression_is_reported_when_a_name_of_it_is_assigned() -> None:
    notes = track("a = 1\nb = 2\na = 3\nc = 4", "s=a+b")
    assert notes.points == [("s", 3), ("s", 5)]
    assert notes.failed == ["s"]  # b was not there yet


def test_expression_over_two_names_is_reported_once_an_assignment() -> None:
    assert track("a, b = 1, 2", "s=a+b").points == [("s", 3)]


@pytest.mark.parametrize(
    "source",
    ["y = [x for x in (1, 2)]", "(x := 1); y = (x := 2)", "def f():\n    return [(x := i) for i in (1, 2)]\nf()"],
)
def test_expression_of_a_walrus_target_is_reported(source: str) -> None:
    assert track(source, "d=x*2").points == [("d", 2), ("d", 4)]


OPT = "class O: lr = 8\nopt = O()\n"


@pytest.mark.parametrize(
    ("source", "values"),
    [
        ("for i in range(3):\n    opt.lr /= 2", [4, 2, 1]),
        ("for e in range(2):\n    for i in range(2):\n        opt.lr -= 1", [7, 6, 5, 4]),
        ("for i in range(3):\n    opt.lr -= 1\n    if i == 0: continue\n    if i == 1: break", [7, 6]),
        ("n = 2\nwhile n:\n    n -= 1\n    opt.lr = n\nelse:\n    n = 9", [1, 0]),
        ("def f():\n    for i in range(3):\n        opt.lr = i\n        if i: return\nf()", [0, 1]),
        ("def f(): opt.lr += 1\nfor i in range(2): f()", [9, 10]),
        ("for e in range(1):\n    for i in range(2): opt.lr = i\n    for j in range(5): pass", [0, 1]),
        ("for opt in (O(), O()):\n    for i in range(2): opt.lr = i", [0, 1, 0, 1]),
        ("for i in range(2):\n    def f():\n        return opt\n    opt.lr = i", [0, 1]),
    ],
)
def test_attribute_is_reported_once_an_iteration_of_its_innermost_loop(source: str, values: list[int]) -> None:
    assert track(OPT + source, "lr=opt.lr").points == [("lr", value) for value in values]


def test_attribute_of_a_loop_variable_is_reported_on_assignment() -> None:
    source = "for e in range(2):\n    for i in range(3):\n        z = complex(e, i)\n    w = complex(e)\n"
    assert [value for _, value in track(source, "z.imag").points] == [0, 1, 2] * 2
    assert track(source, "w.real").points == [("w.real", 0), ("w.real", 1)]


def test_attribute_without_loops_is_reported_on_assignment() -> None:
    assert track(OPT, "lr=opt.lr").points == [("lr", 8)]


def test_failing_expression_is_reported_and_harms_nothing() -> None:
    notes = track("x = 0; y = 2\nx = 1", "1/x y")
    assert (notes.points, notes.failed) == ([("y", 2), ("1/x", 1)], ["1/x"])


def test_value_that_is_not_due_is_not_evaluated() -> None:
    source = "looked = []\nfor i in range(4):\n    x = i\n    n = len(looked)"
    due = iter([True, False, False, True])
    notes = track(source, "looked.append(i)*1 x", due=lambda what: next(due) if what == 1 else False, throttled=True)
    assert notes.points == [("x", 0), ("x", 3)]
    assert notes.failed == []


def test_steps_come_with_the_values() -> None:
    source = "for epoch in range(2):\n    x = epoch * 10\n    y = [z for z in (7,)]"
    notes = track(source, "x z", step=parse_expression("epoch + 1"))
    assert notes.points == [("x", (0, 1)), ("z", (7, 1)), ("x", (10, 2)), ("z", (7, 2))]


@pytest.mark.parametrize(
    "head",
    [
        "@njit",
        "@numba.njit(cache=True)",
        "@partial(jax.jit, static_argnums=0)",
        "@torch.compile",
        "@tf.function",
        "@torch.jit.script",
    ],
)
def test_functions_that_are_compiled_are_left_alone(head: str) -> None:
    source = f"{head}\ndef step(n):\n    for i in range(n): x = i\n    return x\nx = step(3)\n"
    found = instrumented(source, "x")
    assert found.left_alone == ["step"]
    assert found.sites[0] == 1
    assert ast.dump(found.tree.body[0]) == ast.dump(ast.parse(source).body[0])


def test_functions_given_to_a_compiler_are_left_alone() -> None:
    found = instrumented("def step(n):\n    x = n\nfast = torch.compile(step)\nx = fast(1)", "x")
    assert (found.left_alone, found.sites[0]) == (["step"], 1)


def test_a_compiled_function_that_assigns_nothing_tracked_is_not_mentioned() -> None:
    assert instrumented("@njit\ndef f(): y = 1\nx = 1", "x").left_alone == []


def test_a_name_that_is_never_assigned_has_no_site() -> None:
    assert instrumented("x = 1", "nope").sites[0] == 0


# --- what is left as it was ------------------------------------------------------------------------------------------


def codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes(constant)


def instructions(code: types.CodeType, lines: set[int]) -> list[tuple[Any, ...]]:
    """Return the instructions of some lines without jumps, which a statement lacks when it is no longer the last of its loop."""
    found = []
    for one in codes(code):
        for step in dis.get_instructions(one):
            line = step.positions.lineno if step.positions else None
            jumps = step.opcode in dis.hasjrel or step.opcode in dis.hasjabs
            if line in lines and not jumps and step.opname not in ("EXTENDED_ARG", "NOP"):
                value = step.argval.co_name if isinstance(step.argval, types.CodeType) else step.argval
                found.append((one.co_name, line, step.opname, value))
    return found


PLAIN = """
import math
def f(n, scale=2):
    total = 0
    for i in range(n):
        loss = i * scale
        if i % 2: continue
        total += math.sqrt(i)
    return [total for _ in range(2)]
class A:
    size = 3
    def g(self): return self.size
with open("/dev/null") as file:
    try: data = file.read()
    except OSError as error: print(error)
g = lambda y: y ** 2
loss = f(3)
"""


def test_bytecode_of_other_statements_is_unchanged() -> None:
    before, after = ast.parse(PLAIN), instrumented(PLAIN, "loss lr=A.size").tree
    ast.fix_missing_locations(after)
    untouched = [index for index, node in enumerate(before.body) if index not in (1, 5)]
    for index in untouched:
        plain, ours = (compile(ast.Module([tree.body[index]], []), "cell", "exec") for tree in (before, after))
        assert plain == ours  # code objects compare by bytecode, constants, names and lines
        assert plain.co_code == ours.co_code
    tracked = {line for line, text in enumerate(PLAIN.splitlines(), 1) if "loss =" in text or "for i" in text}
    rest = set(range(1, 20)) - tracked - {7}  # `continue` is tracked, for what is told once an iteration
    plain, ours = (compile(tree, "cell", "exec") for tree in (ast.parse(PLAIN), after))
    assert instructions(ours, rest) == instructions(plain, rest)


def test_a_docstring_and_future_imports_stay_first() -> None:
    tree = instrumented(
        '"""Says it."""\nfrom __future__ import annotations\nx: nope = 1\ndef f():\n    "doc"\n    x = 1', "x"
    ).tree
    scope: dict[str, Any] = {TRACKER: Notes(["x"])}
    exec(compile(ast.fix_missing_locations(tree), "cell", "exec"), scope)
    assert (scope["__doc__"], scope["f"].__doc__, scope["__annotations__"]) == ("Says it.", "doc", {"x": "nope"})


@pytest.mark.parametrize("source", ["x = 1", "x += 1", "x: int = 1"])
def test_displayed_last_assignment_stays_last(source: str) -> None:
    last = instrumented(source, "x", shows_assignments=True).tree.body[-1]
    assert ast.unparse(last) == "x"
    assert ast.unparse(instrumented(source, "x").tree.body[-1]).startswith(f"if {TRACKER}")


def test_inserted_code_displays_nothing() -> None:
    body = instrumented("x = 1\nfor i in y:\n    x = i\nx", "x 1/x").tree.body
    inserted = [node for node in body if TRACKER in ast.unparse(node) and not isinstance(node, ast.For)]
    assert inserted
    assert not any(isinstance(node, ast.Expr) for node in inserted)


def test_exception_shows_lines_and_columns_of_the_plain_cell() -> None:
    source = "x = 1\nfor i in range(2):\n    x = (1 +\n         1 / (1 - i))\n"

    def place(tree: ast.Module) -> tuple[Any, ...]:
        with pytest.raises(ZeroDivisionError) as caught:
            exec(compile(ast.fix_missing_locations(tree), "cell", "exec"), {TRACKER: Notes(["x"])})
        trace = caught.value.__traceback__
        assert trace is not None
        assert trace.tb_next is not None
        code = trace.tb_next.tb_frame.f_code
        return list(code.co_positions())[trace.tb_next.tb_lasti // 2]

    assert place(instrumented(source, "x").tree) == place(ast.parse(source))


def test_top_level_await_is_kept() -> None:
    tree = ast.fix_missing_locations(instrumented("import asyncio\nx = await asyncio.sleep(0, 3)", "x").tree)
    notes = Notes(["x"])
    code = compile(tree, "cell", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    asyncio.run(eval(code, {TRACKER: notes}))
    assert notes.points == [("x", 3)]
