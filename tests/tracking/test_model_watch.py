"""Watching real models is tested in `tests/integrations/trainers`."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

import trackbook as tb
from trackbook import user_warnings


class Module:
    """Stands for `torch.nn.Module`."""


@pytest.fixture(autouse=True)
def torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(nn=SimpleNamespace(Module=Module)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"log": "grads"}, "log is one of 'gradients'"),
        ({"every": 0}, "from 1"),
        ({"histograms": 0}, "True, or a number"),
    ],
)
def test_bad_options_are_refused(options: dict[str, Any], message: str) -> None:
    with tb.init("p", mode="disabled") as run, pytest.raises(ValueError, match=message):
        run.watch(Module(), **options)


def test_another_kind_of_model_is_refused() -> None:
    with tb.init("p", mode="disabled") as run, pytest.raises(TypeError, match=r"takes a torch\.nn\.Module.*, not dict"):
        run.watch({})


def test_wandbs_keywords_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks: list[Any] = []
    optimizer = SimpleNamespace(
        register_optimizer_step_pre_hook=lambda hook: hooks.append(hook) or SimpleNamespace(remove=lambda: None)
    )
    monkeypatch.setitem(sys.modules, "torch.optim.optimizer", optimizer)
    monkeypatch.setattr(Module, "named_parameters", lambda _: [], raising=False)
    monkeypatch.setattr(user_warnings, "_said", set())
    with (
        tb.init("p", mode="disabled") as run,
        pytest.warns(tb.TrackbookWarning, match=r"watch\(\) ignores log_graph"),
    ):
        run.watch(Module(), log="all", log_freq=5, log_graph=True)
    (hook,) = hooks
    assert hook.__self__._every == 5
