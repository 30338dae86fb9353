from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

import trackbook
from trackbook.compat import install, uninstall
from trackbook.magics.own_logs import names_logged


@pytest.fixture
def installed() -> Iterator[Any]:
    install("wandb")
    yield importlib.import_module("wandb")
    uninstall()


def logged(code: str, **namespace: Any) -> set[str]:
    return names_logged([ast.parse(code)], namespace)


@pytest.mark.parametrize("module", ["trackbook", "trackbook.compat.wandb", "trackbook.compat.swanlab"])
def test_names_that_a_dialect_logs_are_ours(module: str) -> None:
    assert logged("w.log({'loss': 1})", w=importlib.import_module(module)) == {"loss"}
    assert logged(f"import {module} as w\nr = w.init()\nr.log({{'loss': 1}})") == {"loss"}


def test_names_that_an_installed_tracker_logs_are_ours(installed: Any) -> None:
    assert logged("w.log({'loss': 1})", w=installed) == {"loss"}
    assert logged("import wandb\nwandb.log({'loss': 1})") == {"loss"}


def test_names_that_others_log_are_not_ours() -> None:
    assert "wandb" not in sys.modules
    assert logged("import wandb\nwandb.log({'loss': 1})") == set()
    assert logged("w.log({'loss': 1})", w=SimpleNamespace(log=trackbook.log)) == set()
