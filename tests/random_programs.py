"""Random programs, each with a copy that has explicit calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from hypothesis import strategies as st

TRACKED = ("a", "b")
HEAD = """
import contextlib
def drive(coroutine):
    while True:
        try: coroutine.send(None)
        except StopIteration as end: return end.value
class Pause:
    def __await__(self): yield
"""


class Line(NamedTuple):
    indent: int
    plain: str | None  # as the user writes it
    copy: str | None  # as the instrumented copy has it


@dataclass(frozen=True)
class Place:
    """The place of a statement, which decides which statements are possible."""

    indent: int = 0
    depth: int = 3
    loop: bool = False
    function: str = ""  # "def", "generator", "async", or "" outside


@st.composite
def expressions(draw: st.DrawFn) -> str:
    one = draw(st.sampled_from(["1", "2", "a", "b", "c", "len(str(a))"]))
    return draw(st.sampled_from([one, f"{one} + 1", f"{one} - b", f"6 // ({one} - 1)", f"-{one}"]))


def log(names: str, indent: int) -> list[Line]:
    return [Line(indent, None, f"log({name!r}, {name})") for name in sorted(names) if name in TRACKED]


@st.composite
def simple(draw: st.DrawFn, place: Place) -> list[Line]:
    name, other, value = draw(st.sampled_from("abc")), draw(st.sampled_from("abc")), draw(expressions())
    kinds = ["assign", "augment", "annotate", "pair", "walrus", "list", "print", "raise"]
    kinds += ["break", "continue"] * place.loop
    kinds += {"def": ["return"], "generator": ["yield", "yield", "return"], "async": ["await", "return"]}.get(
        place.function, []
    )
    kind = draw(st.sampled_from(kinds))
    names = name
    text = {
        "assign": f"{name} = {value}",
        "augment": f"{name} += {value}",
        "annotate": f"{name}: int = {value}" if not place.function else f"{name} = {value}",
        "pair": f"{name}, {other} = {value}, 3",
        "walrus": f"print(({name} := {value}))",
        "print": f"print({value})",
        "raise": f"raise ValueError({value})",
        "return": f"return {value}" if place.function != "generator" else "return",
        "yield": f"{name} = yield {value}",
        "await": f"{name} = await Pause()",
    }
    if kind == "list":
        ours = f"log({name!r}, {name}) or " if name in TRACKED else ""
        body = f"for {name} in range(3) if {{}}{name} != 1]"
        line = f"{other} = len([{value} " + body
        # what a comprehension assigns is its own: `other` alone stays
        return [Line(place.indent, line.format("") + ")", line.format(ours) + ")"), *log(other, place.indent)]
    line = text.get(kind, kind)
    if kind == "pair" and other != name:
        names += other
    told = (
        log(names, place.indent)
        if kind in ("assign", "augment", "annotate", "pair", "walrus", "yield", "await")
        else []
    )
    return [Line(place.indent, line, line), *told]


def inner(place: Place, **changes: Any) -> Place:
    values = {"indent": place.indent + 1, "depth": place.depth - 1, "loop": place.loop, "function": place.function}
    return Place(**{**values, **changes})


@st.composite
def blocks(draw: st.DrawFn, place: Place) -> list[Line]:
    lines = []
    for _ in range(draw(st.integers(1, 3))):
        compound = place.depth > 0 and draw(st.booleans())
        lines += draw(compounds(place) if compound else simple(place))
    return lines


def both(indent: int, text: str) -> Line:
    return Line(indent, text, text)


@st.composite
def compounds(draw: st.DrawFn, place: Place) -> list[Line]:
    at, name = place.indent, draw(st.sampled_from("abc"))
    within, in_loop = inner(place), inner(place, loop=True)
    kind = draw(st.sampled_from(["if", "for", "while", "try", "with", "def", "generator", "async"]))
    if kind == "if":
        head, foot = both(at, f"if {draw(expressions())} > 1:"), both(at, "else:")
        return [head, *draw(blocks(within)), foot, *draw(blocks(within))]
    if kind == "for":
        lines = [both(at, f"for {name} in range(2):"), *log(name, at + 1), *draw(blocks(in_loop))]
        return [*lines, both(at, "else:"), *draw(blocks(within))] if draw(st.booleans()) else lines
    if kind == "while":
        count = f"n{at}_{draw(st.integers(0, 10**6))}"
        return [both(at, f"{count} = 3"), both(at, f"while ({count} := {count} - 1):"), *draw(blocks(in_loop))]
    if kind == "try":
        lines = [both(at, "try:"), *draw(blocks(within))]
        lines += [both(at, "except (ValueError, ZeroDivisionError):"), *draw(blocks(within))]
        return [*lines, both(at, "finally:"), both(at + 1, "print('finally')"), *draw(blocks(within))]
    if kind == "with":
        head = both(at, f"with contextlib.suppress(ValueError), contextlib.nullcontext(4) as {name}:")
        return [head, *log(name, at + 1), *draw(blocks(within))]
    function = inner(place, loop=False, function=kind)
    shared = draw(st.sampled_from(["", "", "global a, c"]))
    head = [both(at, f"{'async ' * (kind == 'async')}def f(b=1):"), *([both(at + 1, shared)] if shared else [])]
    call = {"def": "print(f())", "generator": "print(list(f()))", "async": "print(drive(f()))"}[kind]
    never = [both(at + 1, "if False: yield")] if kind == "generator" else []
    return [*head, *never, *draw(blocks(function)), both(at, call)]


@st.composite
def programs(draw: st.DrawFn) -> tuple[str, str]:
    """Draw a program, and its copy with explicit calls."""
    lines = [both(0, "a = b = c = 2"), *log("ab", 0), *draw(blocks(Place())), *draw(blocks(Place()))]
    plain = "\n".join("    " * line.indent + line.plain for line in lines if line.plain is not None)
    copy = "\n".join("    " * line.indent + line.copy for line in lines if line.copy is not None)
    return HEAD + plain, HEAD + copy
