"""Ultralytics: `YOLO.train` and every other trainer, and a callback for them."""

from __future__ import annotations

import csv
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .patches import Patches
from .training import Call, Training, TrainingCallback, followed


class TrackbookCallback(TrainingCallback):
    """Logs each epoch of a training: ``TrackbookCallback().add_to(model)`` before ``model.train(...)``.

    The metrics have the names and values of the columns in ``results.csv``, ``train/box_loss``, ``metrics/mAP50(B)``, ``val/cls_loss``,
    ``lr/pg0``; the step is the epoch, counted from 0. The board's stop button ends the training after the epoch. Ultralytics trains on
    several GPUs in processes of their own, without callbacks of Python.

    Parameters
    ----------
    run
        The run to log to, by default the current one, else a new run that ends with the training. Older releases of Ultralytics (8.4.60
        is one) tell no callback that a training has failed: there a new run then stays open, as a run of `trackbook.init` does.
    """

    has_begun = False  # whether a trainer calls this callback
    _epoch: int | None = None  # the one under way, None between epochs: the last validation is none

    def add_to(self, model: Any) -> None:
        """Let a model, or a trainer, call this callback."""
        for event, function in self._functions().items():
            model.add_callback(event, function)

    def remove_from(self, model: Any) -> None:
        """Take this callback out of a model, or a trainer."""
        for event, function in self._functions().items():
            if function in model.callbacks.get(event, ()):
                model.callbacks[event].remove(function)

    def _functions(self) -> dict[str, Callable[[Any], None]]:
        return {
            "on_pretrain_routine_end": self.on_pretrain_routine_end,
            "on_train_epoch_end": self.on_train_epoch_end,
            "on_fit_epoch_end": self.on_fit_epoch_end,
            "on_train_end": self.on_train_end,
            "teardown": self.teardown,
        }

    def on_pretrain_routine_end(self, trainer: Any) -> None:
        """Begin the training: model and optimizer are made."""
        self.has_begun = True
        if self._training is None:
            self._training = Training.begin("ultralytics", self._run, total=trainer.epochs)
        with self._training.safely():
            self._training.configure(config_of(trainer))

    def on_train_epoch_end(self, trainer: Any) -> None:
        """Note that an epoch is to be logged once it is validated."""
        self._epoch = trainer.epoch

    def on_fit_epoch_end(self, trainer: Any) -> None:
        """Log an epoch. Ultralytics calls this once more after the last one, for the best model."""
        epoch, self._epoch = self._epoch, None
        if self._training is None or epoch is None:
            return
        with self._training.safely():
            losses = trainer.label_loss_items(trainer.tloss, prefix="train")
            self._training.log({**losses, **(trainer.metrics or {}), **trainer.lr}, epoch)
            if self._training.should_stop:
                trainer.stop = True

    def on_train_end(self, _: Any) -> None:
        """End the training."""
        self._end(None)

    def teardown(self, _: Any) -> None:
        """End a training that failed."""
        self._end(sys.exception())

    def _end(self, error: BaseException | None) -> None:
        if self._training is not None and not self._is_within:
            self._training.end(error)
            self._training = None


def config_of(trainer: Any) -> dict[str, Any]:
    """Return the arguments of a trainer, as Ultralytics names them, with what it chose for ``optimizer="auto"``."""
    found = dict(vars(trainer.args))
    if found.get("optimizer") == "auto":
        group = trainer.optimizer.param_groups[0]
        momentum = group.get("momentum", group.get("betas", (None,))[0])
        found |= {"optimizer": type(trainer.optimizer).__name__, "lr0": group["initial_lr"], "momentum": momentum}
    return found | {"parameters": sum(one.numel() for one in trainer.model.parameters())}


def _train(call: Call) -> Iterator[None]:
    trainer = call.arguments["self"]
    functions = itertools.chain.from_iterable(trainer.callbacks.values())
    if any(isinstance(getattr(one, "__self__", None), TrackbookCallback) for one in functions):
        yield
        return
    training = call.begin(total=trainer.epochs)
    assert training is not None
    callback = TrackbookCallback.within(training)
    callback.add_to(trainer)
    before = len(_results(trainer.csv))
    yield
    callback.remove_from(trainer)
    if not callback.has_begun:  # several GPUs
        training.configure(vars(trainer.args))
        for row in _results(trainer.csv)[before:]:
            training.log(row, int(row.pop("epoch")) - 1)


def _results(path: Path) -> list[dict[str, float]]:
    """Return the rows of a trainer's ``results.csv``, without their times."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        rows = [{str(name).strip(): float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    return [{name: value for name, value in row.items() if name != "time"} for row in rows]


def patch(patches: Patches, module: Any) -> None:
    """Follow `train` of all trainers, which `Model.train` calls."""
    patches.replace(module.BaseTrainer, "train", followed("ultralytics", _train))
