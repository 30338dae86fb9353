"""`tests/peer_stores` follows the real packages; these have the same functions."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import trackbook as tb
from trackbook.compat import following
from trackbook.compat import swanlab as dialect
from trackbook.user_warnings import TrackbookWarning

WRITER = """
class SummaryWriter:
    def __init__(self, logdir=None):
        self.logdir = logdir
        self.written = []
    def add_scalar(self, tag, scalar_value, global_step=None, walltime=None):
        self.written.append((tag, scalar_value, global_step))
    def add_scalars(self, main_tag, tag_scalar_dict, global_step=None, walltime=None):
        return "kept"
    def add_text(self, tag, text_string, global_step=None): ...
    def close(self): ...
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that writes a package."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(files: dict[str, str]) -> None:
        for name, code in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(code)

    yield write
    for name in [name for name in sys.modules if name.partition(".")[0] in ("tensorboardX", "mlflow", "wandb")]:
        del sys.modules[name]


def writer_class(package: Callable[..., None]) -> Any:
    package(
        {
            "tensorboardX/__init__.py": "from tensorboardX.writer import SummaryWriter",
            "tensorboardX/writer.py": WRITER,
        }
    )
    import tensorboardX

    return tensorboardX.SummaryWriter


@pytest.mark.parametrize("when", ["before", "after"])
def test_writer_is_followed_whenever_it_is_imported(package: Callable[..., None], when: str) -> None:
    if when == "before":
        dialect.sync_tensorboardX()
    kind = writer_class(package)
    if when == "after":
        dialect.sync_tensorboardX()
    writer = kind("logs")
    for step in range(3):
        writer.add_scalar("loss", step / 2, step * 10)
    assert writer.add_scalars("acc", {"train": 1, "val": 2}, global_step=0) == "kept"
    writer.add_text("words", "hello", 4)
    run = tb.get_run()
    writer.close()
    assert (run.state, run.config.to_json()) == ("finished", {"tensorboard_logdir": "logs"})
    assert run.history()["metric", "step", "value"].rows() == [
        ("loss", 0, 0.0),
        ("loss", 10, 0.5),
        ("loss", 20, 1.0),
        ("acc/train", 0, 1.0),
        ("acc/val", 0, 2.0),
    ]
    assert [(each.metric, each.step) for each in run.media()] == [("words", 4)]
    assert writer.written == [("loss", step / 2, step * 10) for step in range(3)]


def test_open_run_is_logged_to_and_stays_open(package: Callable[..., None]) -> None:
    dialect.sync_tensorboardX(["scalar"])
    writer = writer_class(package)()
    with tb.init(project="p") as run:
        writer.add_scalar("loss", 1.0)
        writer.add_scalars("acc", {"train": 1})
        writer.close()
        assert not run.ended
    assert run.history()["metric"].to_list() == ["loss"]


def test_what_cannot_be_logged_is_said_once(package: Callable[..., None]) -> None:
    dialect.sync_tensorboardX()
    writer = writer_class(package)()
    tb.init(project="p", display=False)
    with pytest.warns(TrackbookWarning, match=r"add_scalar\(\) of the other tracker is not followed"):
        writer.add_scalar("loss", object())
    writer.add_scalar("loss", object())  # a second warning would be an error
    assert len(writer.written) == 2


def test_functions_are_given_back(package: Callable[..., None]) -> None:
    kind = writer_class(package)
    plain = dict(vars(kind))
    dialect.sync_tensorboardX()
    dialect.sync_tensorboardX()
    assert vars(kind)["add_scalar"] is not plain["add_scalar"]
    following.stop_following()
    assert {name: vars(kind)[name] for name in plain} == plain
    assert not any(isinstance(finder, following.ImportWatch) for finder in sys.meta_path)


def test_keyword_of_wandb(package: Callable[..., None]) -> None:
    from trackbook.compat import wandb

    with wandb.init(project="p", sync_tensorboard=True) as run:
        writer_class(package)().add_scalar("loss", 0.5, 3)
    assert run.history()["metric", "step", "value"].rows() == [("loss", 3, 0.5)]


FLUENT = """
from types import SimpleNamespace
active = []
def get_experiment(experiment_id):
    return SimpleNamespace(name="exp")
def start_run(run_id=None, experiment_id=None, run_name=None, nested=False):
    active.append(SimpleNamespace(info=SimpleNamespace(experiment_id="1", run_name=run_name or "swift-1")))
    return active[-1]
def log_metric(key, value, step=None, synchronous=None):
    if not active:
        start_run()
def log_metrics(metrics, step=None, synchronous=None): ...
def log_param(key, value): ...
def log_params(params): ...
def end_run(status="FINISHED"):
    active.pop() if active else None
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_runs_of_mlflow(package: Callable[..., None], when: str) -> None:
    names = "start_run, log_metric, log_metrics, log_param, log_params, end_run"
    package(
        {
            "mlflow/__init__.py": f"from mlflow.tracking.fluent import {names}",
            "mlflow/tracking/fluent.py": FLUENT,
        }
    )
    if when == "before":
        dialect.sync_mlflow()
    import mlflow

    if when == "after":
        dialect.sync_mlflow()
    mlflow.start_run(run_name="outer")
    mlflow.log_params({"lr": 0.1})
    mlflow.log_param("on", True)
    mlflow.log_metric("loss", 1.0, step=5)
    mlflow.log_metrics({"loss": 0.5, "acc": 1}, step=6)
    mlflow.start_run(run_name="inner", nested=True)
    mlflow.log_metric("loss", 9.0)
    mlflow.end_run("FAILED")
    mlflow.end_run()
    mlflow.end_run()  # none is open
    mlflow.log_metric("late", 1.0)  # begins a run itself
    mlflow.end_run("KILLED")
    found = {run: tb.get_run(run, "exp") for run in ("outer", "inner", "swift-1")}
    assert [run.state for run in found.values()] == ["finished", "failed", "interrupted"]
    assert found["outer"].config.to_json() == {"lr": 0.1, "on": True}
    assert found["outer"].history()["metric", "step", "value"].rows() == [
        ("loss", 5, 1.0),
        ("loss", 6, 0.5),
        ("acc", 6, 1.0),
    ]
    assert found["inner"].history()["value"].to_list() == [9.0]
    assert found["swift-1"].history()["metric"].to_list() == ["late"]


def test_wandb_that_is_trackbook_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    from trackbook.compat.tracker_modules import make

    monkeypatch.setitem(sys.modules, "wandb", make("wandb"))
    with pytest.warns(TrackbookWarning, match="wandb is trackbook in this process"):
        dialect.sync_wandb()


def test_later_version_without_the_functions_is_said() -> None:
    wandb: Any = ModuleType("wandb")
    wandb.sdk = SimpleNamespace()
    sys.modules["wandb"] = wandb
    with pytest.warns(TrackbookWarning, match="wandb is not followed: AttributeError"):
        dialect.sync_wandb()
