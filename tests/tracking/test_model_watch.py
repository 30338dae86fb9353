"""Watching real models is tested in `tests/integrations/trainers`."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

import trackbook as tb


class Module:
    """Stands for `torch.nn.Module`."""


@pytest.fixture(autouse=True)
def torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(nn=SimpleNamespace(Module=Module)))


@pytest.mark.parametrize(
    ("options", "message"), [({"log": "grads"}, "log is one of 'gradients'"), ({"every": 0}, "from 1")]
)
def test_bad_options_are_refused(options: dict[str, Any], message: str) -> None:
    with tb.init("p", mode="disabled") as run, pytest.raises(ValueError, match=message):
        run.watch(Module(), **options)


def test_another_kind_of_model_is_refused() -> None:
    with tb.init("p", mode="disabled") as run, pytest.raises(TypeError, match=r"takes a torch\.nn\.Module.*, not dict"):
        run.watch({})
