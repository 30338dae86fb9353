from __future__ import annotations

import ast
import textwrap

import pytest

from trackbook.magics.choice import choose
from trackbook.magics.scopes import Levels, scopes_of


def charted(source: str) -> list[str]:
    """Return the metrics that a cell of this source has without names."""
    scopes = scopes_of(ast.parse(textwrap.dedent(source)), frozenset())
    return [name for curve in choose(scopes, Levels(scopes)) for name in curve.series or (curve.metric,)]


CELLS = {
    "a metric": ("for i in x:\n    loss = f()", ["loss"]),
    "not outside of loops": ("loss = f()", []),
    "counters, sizes and constants": (
        "for i, y in enumerate(x):\n    n += 1\n    total += len(y)\n    batch_size = 32\n    seed = 2 * 3\n    loss = f()",
        ["loss"],
    ),
    "a reward of two constants": ("for i in x:\n    if i: reward = 1\n    else: reward = -1", ["reward"]),
    "a variable with a printed name": ("for i in x:\n    l = f()\n    print('train loss', l)", ["train_loss"]),
    "a variable's own name": ("for i in x:\n    val_loss = f()\n    print('loss', val_loss)", ["val_loss"]),
    "what is printed": ("for i in x:\n    print('acc', f() / 2)", ["acc"]),
    "not the time": ("for i in x:\n    loss = f()\n    print('time', clock() - start, 'epoch', i + 1)", ["loss"]),
    "appended": ("for i in x:\n    losses.append(f())", ["losses"]),
    "appended and assigned": ("for i in x:\n    loss = f()\n    losses.append(loss.item())", ["losses"]),
    "appended once an epoch": (
        "for e in x:\n    for i in x:\n        loss = f()\n    losses.append(loss)",
        ["loss", "losses"],
    ),
    "data that is appended": ("for i in x:\n    loss = f()\n    batch.append(g(i))", ["loss"]),
    "a list that is plotted": ("for i in x:\n    points.append(f())\nplt.plot(points)", ["points"]),
    "a sum that is reported": (
        "for e in x:\n    s = 0\n    for i in x:\n        s += f()\n    print('loss', s / 3)",
        ["loss"],
    ),
    "a sum and what it adds": (
        (
            "for e in x:\n    running_loss = 0\n    for i in x:\n        loss = f()\n        running_loss += loss\n"
            "    print('loss', running_loss / 3)"
        ),
        ["loss", "running_loss"],
    ),
    "a sum that is printed as it is": (
        "for e in x:\n    total_reward = 0\n    while y:\n        reward = f()\n        total_reward += reward\n    print(total_reward)",
        ["total_reward"],
    ),
    "attributes and items": (
        "for i in x:\n    self.loss = f()\n    m['acc'] = f()\n    errors[i] = f()\n    print(self.loss)",
        ["loss", "acc", "errors"],
    ),
    "one value, several reports": (
        "for i in x:\n    bar.set_postfix(loss=f(i) / 2)\n    print('loss', f(i) / 2)",
        ["loss"],
    ),
    "two values, one label": ("for i in x:\n    print('loss', f())\n    print('loss', g())", ["loss", "loss_2"]),
    "a second assignment": ("for i in x:\n    loss = f()\n    loss = loss / 2", ["loss"]),
    "the loop of a generator": ("def steps():\n    yield f()\nfor loss in steps(): pass", ["loss"]),
    "the loop of a list": ("for lr in [1, 2]:\n    loss = f()", ["loss"]),
    "a recursion": ("def go(n):\n    loss = f(n)\n    return loss if n == 0 else go(n - 1)\ngo(3)", ["loss"]),
    "a recursion of two functions": (
        "def go(n):\n    print('loss', f(n))\n    back(n)\ndef back(n):\n    if n: go(n - 1)\ngo(3)",
        ["loss"],
    ),
    "a recursion of methods": (
        "class A:\n    def go(self, n):\n        loss = f(n)\n        if n: self.go(n - 1)\nA().go(3)",
        ["loss"],
    ),
    "what a recursion calls": (
        "def show(n):\n    print('loss', f(n))\ndef go(n):\n    show(n)\n    if n: go(n - 1)\ngo(3)",
        ["loss"],
    ),
    "a lambda in a loop": (
        "show = lambda i, l: print(f'{i}: loss={l:.3f}')\nfor i in x:\n    show(i, f())",
        ["loss"],
    ),
    "a lambda of a function": (
        "def go():\n    show = lambda l: losses.append(l)\n    for i in x: show(f())\ngo()",
        ["losses"],
    ),
    "a lambda that runs once": ("show = lambda l: print('loss', l)\nshow(f())", []),
    "no recursion": (
        (
            "def train(model):\n    model.train()\n    loss = f(model)\n    test(model)\ndef test(model):\n    model.train()\n"
            "def acc(acc):\n    acc = acc()\n    super().acc()\ntrain(x)\nacc(y)"
        ),
        [],
    ),
    "functions by their roles": (
        "def fit():\n    for i in x: loss = f()\ndef check():\n    for i in x: loss = f()\nfit()\ncheck()",
        ["fit/loss", "check/loss"],
    ),
    "two loops of a function": (
        (
            "for e in x:\n    for i in x:\n        loss = f()\n    for i in x:\n        loss = g()\n        kept.append(h(loss))\n"
            "    print('val_loss', np.mean(kept))"
        ),
        ["loss", "val_loss"],
    ),
    "two loops that print": (
        "for i in x:\n    loss = f()\n    print('loss', loss)\nfor i in x:\n    loss = g()\n    print('test loss', loss)",
        ["loss", "test_loss"],
    ),
    "lists, arrays and meters": (
        "for e in x:\n    losses = zeros(3)\n    score = Meter()\n    for i in x:\n        losses[i] = f()\n        score.update(i)",
        ["losses"],
    ),
    "another unit": ("for i in x:\n    acc = f()\n    bar.set_postfix(acc=100 * acc)", ["acc"]),
    "a printed unit": ("for i in x:\n    acc = f()\n    print(f'Accuracy {acc.item() * 1e2:.1f}%')", ["accuracy"]),
    "a printed multiple": (
        "for i in x:\n    loss = f()\n    print('twice loss', loss * 2, 'half loss', loss / 2)",
        ["loss", "twice_loss", "half_loss"],
    ),
    "a printed inverse": ("for i in x:\n    loss = f()\n    print('score', 100 / loss)", ["loss", "score"]),
    "an appended multiple": ("for i in x:\n    loss = f()\n    losses.append(3 * loss)", ["loss", "losses"]),
    "a conversion": ("for i in x:\n    loss = f()\n    if i:\n        loss = loss.item()", ["loss"]),
    "other trackers": (
        "for i in x:\n    writer.add_scalar('train/kl', f(), i)\n    wandb.log({'loss': g(), 'step': i})\n    y = math.log(i)",
        ["train/kl", "loss"],
    ),
    "what a step keeps and returns": (
        "def step():\n    loss = f()\n    kept_losses.append(loss)\n    return loss\nfor i in x:\n    loss = step()",
        ["loss"],
    ),
    "nothing that reads as a metric": (
        "for i in x:\n    share, _y = f()\n    n += 1\n    items = [1]",
        ["share"],
    ),
}


@pytest.mark.parametrize("case", CELLS)
def test_curves_of_a_cell_without_names(case: str) -> None:
    source, metrics = CELLS[case]
    assert sorted(charted(source)) == sorted(metrics)
