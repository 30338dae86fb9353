from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

import trackbook
from shells import Shell
from trackbook.compat import install, uninstall
from trackbook.magics.own_logs import names_given_to_lightning, names_logged


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


def test_runs_that_were_begun_before_the_code_log_elsewhere() -> None:
    code = ast.parse("run.log({'loss': 1})\ntb.log({'acc': 1})\nmine = tb.init()\nmine.log({'f1': 1})")
    with trackbook.init(mode="disabled") as run:
        assert names_logged([code], {"run": run, "tb": trackbook}) == {"loss", "acc", "f1"}
        assert names_logged([code], {"run": run, "tb": trackbook}, earlier=False) == {"acc", "f1"}


def test_names_that_others_log_are_not_ours() -> None:
    assert "wandb" not in sys.modules
    assert logged("import wandb\nwandb.log({'loss': 1})") == set()
    assert logged("w.log({'loss': 1})", w=SimpleNamespace(log=trackbook.log)) == set()


LIGHTNING = """
class Module(LightningModule):
    def training_step(self, batch):
        loss = self.compute(batch)
        self.log("loss", loss, prog_bar=True)
        self.log(name="accuracy", value=1)
        self.log_dict({"f1": 1, "recall": 2})
        self.log("shown", 1, logger=False)
        self.experiment.log("step", 1)
"""


@pytest.mark.parametrize("base", ["LightningModule", "pl.LightningModule"])
def test_names_that_a_module_of_the_cell_gives_to_lightning(base: str) -> None:
    tree = ast.parse(LIGHTNING.replace("LightningModule", base))
    assert names_given_to_lightning(tree, []) == {"loss", "accuracy", "f1", "recall"}
    assert names_given_to_lightning(ast.parse(LIGHTNING.replace("LightningModule", "Base")), []) == set()


@pytest.mark.parametrize(("base", "drawn"), [("LightningModule", set()), ("Base", {"loss"})])
def test_variables_that_a_module_of_another_cell_logs(shell: Shell, base: str, drawn: set[str]) -> None:
    shell.run(f"class {base}: log = log_dict = lambda *_, **__: None", LIGHTNING.replace("LightningModule", base))
    shell.run("Module.compute = lambda self, batch: batch; Module.experiment = Module()")
    calls = "one = Module()", "for batch in range(3):", "    one.training_step(batch)"
    shell.run("%%track", *calls)
    assert shell.points().keys() == drawn
    said = shell.said("%%track loss", *calls)
    assert shell.points().keys() == drawn
    assert ("the cell logs 'loss' itself" in said) is not bool(drawn)
    shell.run("%%track loss -> batch/loss", *calls)
    assert shell.points() == {"batch/loss": [0, 1, 2]}
