"""fastai: `Learner.fit` and everything that calls it, and a callback for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastai.callback.core import Callback, CancelFitException
from fastai.learner import Recorder

from ..tracking.run import Run
from .patches import Patches
from .training import Call, Training, followed


class TrackbookCallback(Callback):
    """Logs each epoch of a learner: ``learn.fit_one_cycle(5, cbs=[TrackbookCallback()])``.

    The metrics are those that fastai's table shows, ``train_loss``, ``valid_loss`` and the learner's own, with the epoch as step; and
    for each batch ``batch/loss`` (smoothed by fastai) and ``batch/lr``. The board's stop button ends the training after the batch.

    Parameters
    ----------
    run
        The run to log to, by default the current one, else a new run that ends with the training.
    """

    order = Recorder.order + 1

    def __init__(self, run: Run | None = None) -> None:
        super().__init__()
        self._given_run = run
        self._training: Training | None = None
        self._is_within = False
        self._epoch = 0

    @classmethod
    def within(cls, training: Training) -> TrackbookCallback:
        """Return the callback of a training that has begun."""
        made = cls(training.run)
        made._training, made._is_within = training, True
        return made

    def before_fit(self) -> None:
        if hasattr(self.learn, "lr_finder") or hasattr(self.learn, "gather_preds"):
            return
        if self._training is None:
            self._training = Training.begin("fastai", self._given_run)
        with self._training.safely():
            self._training.configure(config_of(self.learn))

    def after_batch(self) -> None:
        if self._training is None or not self.learn.training:
            return
        with self._training.safely():
            recorder = self.learn.recorder
            self._training.log({"batch/loss": recorder.losses[-1], "batch/lr": recorder.lrs[-1]})
        if self._training.should_stop:
            raise CancelFitException

    def after_epoch(self) -> None:
        if self._training is None:
            return
        with self._training.safely():
            recorder = self.learn.recorder
            shown = dict(zip(recorder.metric_names, recorder.log, strict=False))
            values = {
                name: value for name, value in shown.items() if name not in ("epoch", "time") and value is not None
            }
            self._training.log(values, self._epoch)
            self._epoch += 1

    def after_fit(self) -> None:
        if self._training is not None and not self._is_within:
            self._training.end()
            self._training, self._epoch = None, 0


def config_of(learn: Any) -> dict[str, Any]:
    """Return the hyperparameters of a learner, as fastai names them."""
    return {
        "n_epoch": learn.n_epoch,
        "lr": float(learn.opt.hypers[-1]["lr"]),
        "wd": learn.wd,
        "moms": learn.moms,
        "batch_size": getattr(learn.dls, "bs", None),
        "opt_func": getattr(learn.opt_func, "__name__", None),
        "loss_func": getattr(learn.loss_func, "__name__", None) or type(learn.loss_func).__name__,
        "arch": type(learn.model).__name__,
        "parameters": sum(one.numel() for one in learn.model.parameters()),
    }


def _fit(call: Call) -> Iterator[None]:
    learn = call.arguments["self"]
    given = call.arguments.get("cbs")
    listed = given if isinstance(given, list | tuple) else [given]
    if any(isinstance(one, TrackbookCallback) for one in [*learn.cbs, *listed]) or _is_trying(listed):
        yield
        return
    rates = {name: call.arguments.get(name) for name in ("lr_max", "base_lr")}  # of the schedules
    training = call.begin(config={name: value for name, value in rates.items() if isinstance(value, int | float)})
    assert training is not None
    callback = TrackbookCallback.within(training)
    learn.add_cb(callback)
    yield
    learn.remove_cb(callback)


def _is_trying(callbacks: Any) -> bool:
    """Whether the learner only looks for a learning rate."""
    return any(type(one).__name__ == "LRFinder" for one in callbacks)


def patch(patches: Patches, module: Any) -> None:
    """Follow the methods of `Learner` that train. Those that call `fit` several times are one training."""
    for name in ("fit", "fit_one_cycle", "fit_flat_cos", "fit_sgdr", "fine_tune"):
        if hasattr(module.Learner, name):
            patches.replace(module.Learner, name, followed("fastai", _fit))
