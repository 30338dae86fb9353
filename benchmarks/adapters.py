"""What following a training costs each of its steps: ``.venv-trainers/bin/python benchmarks/adapters.py``.

Calls what the libraries call once a step, with what they pass, and compares with a step of 5 ms. The target is 1 %.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

os.environ |= {
    "KERAS_BACKEND": "torch",
    "TRACKBOOK_DIR": tempfile.mkdtemp(),
    "TRACKBOOK_CAPTURE": "none",
    "TRACKBOOK_QUIET": "1",
}

import keras
import torch

import trackbook as tb
from trackbook.integrations.keras import TrackbookCallback as KerasCallback
from trackbook.integrations.lightgbm import TrackbookCallback as LightGBMCallback
from trackbook.integrations.lightning import TrackbookLogger
from trackbook.integrations.training import Training
from trackbook.integrations.transformers_trainer import TrackbookCallback as TransformersCallback
from trackbook.integrations.xgboost import TrackbookCallback as XGBoostCallback

CALLS, ROUNDS = 500, 20
STEP_SECONDS = 0.005
TARGET = 0.01
LOGS = {"loss": 0.5, "grad_norm": 1.0, "learning_rate": 1e-3, "epoch": 0.1}

Step = Callable[[int], Any]


def keras_epoch(run: tb.Run) -> Step:
    callback = KerasCallback.within(Training.begin("keras", run))
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    callback.set_model(model)
    return lambda step: callback.on_epoch_end(
        step, {"loss": 0.5, "accuracy": 0.5, "val_loss": 0.5, "val_accuracy": 0.5}
    )


def xgboost_round(run: tb.Run) -> Step:
    callback = XGBoostCallback.within(Training.begin("xgboost", run))
    results = {"train": {"logloss": [0.5], "auc": [0.5]}, "valid": {"logloss": [0.5], "auc": [0.5]}}
    return lambda step: callback.after_iteration(None, step, results)


def lightgbm_round(run: tb.Run) -> Step:
    callback = LightGBMCallback.within(Training.begin("lightgbm", run))
    results = [
        ("train", "auc", 0.5, True),
        ("valid", "auc", 0.5, True),
        ("train", "l2", 0.5, False),
        ("valid", "l2", 0.5, False),
    ]
    told = SimpleNamespace(
        evaluation_result_list=results, iteration=0, begin_iteration=0, end_iteration=CALLS, params={}
    )

    def call(step: int) -> None:
        told.iteration = step
        callback(told)

    return call


def transformers_log(run: tb.Run) -> Step:
    callback = TransformersCallback.within(Training.begin("transformers", run))
    state, control = SimpleNamespace(is_world_process_zero=True, global_step=0), SimpleNamespace()

    def call(step: int) -> None:
        state.global_step = step
        callback.on_log(None, state, control, LOGS)
        callback.on_step_end(None, state, control)

    return call


def lightning_log(run: tb.Run) -> Step:
    logger = TrackbookLogger(run)
    return lambda step: logger.log_metrics(LOGS, step)


def watched_step(run: tb.Run) -> Step:
    """A step of a watched network of 40 tensors; the rest of the step is subtracted."""
    model = torch.nn.Sequential(*(torch.nn.Linear(64, 64) for _ in range(20)))
    for one in model.parameters():
        one.grad = torch.ones_like(one)
    optimizer = torch.optim.SGD(model.parameters(), 0.0)
    run.watch(model)
    from torch.optim.optimizer import _global_optimizer_pre_hooks as hooks

    (hook,) = hooks.values()
    return lambda _: hook(optimizer, (), {})


STEPS: dict[str, Callable[[tb.Run], Step]] = {
    "keras, 4 metrics": keras_epoch,
    "xgboost, 4 metrics": xgboost_round,
    "lightgbm, 4 metrics": lightgbm_round,
    "transformers, 4 metrics": transformers_log,
    "lightning, 4 metrics": lightning_log,
    "run.watch, 40 tensors (target 5 %)": watched_step,
}


def timed(step: Step, begin: int) -> float:
    """Return the seconds of one call. The fastest of many rounds is the one that nothing else delayed."""
    began = time.perf_counter()
    for number in range(begin, begin + CALLS):
        step(number)
    return (time.perf_counter() - began) / CALLS


def main() -> int:
    """Print a table, and return whether every library keeps the target."""
    kept = True
    for name, make in STEPS.items():
        with tb.init("costs", display=False) as run:
            step = make(run)
            for number in range(100):
                step(number)
            seconds = min(timed(step, begin) for begin in range(100, 100 + ROUNDS * CALLS, CALLS))
        share = seconds / STEP_SECONDS
        kept &= share <= (0.05 if "watch" in name else TARGET)
        print(f"{name:36} {seconds * 1e6:7.1f} us   {share:6.2%} of a step of 5 ms")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
