"""Keras: `Model.fit` and `Model.evaluate`, and a callback for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras

from ..tracking.run import Run
from .patches import Patches
from .training import Call, Training, TrainingCallback, followed

_SETTING_RATES = ("LearningRateScheduler", "ReduceLROnPlateau")


class TrackbookCallback(TrainingCallback, keras.callbacks.Callback):
    """Logs each epoch of ``fit`` and the result of ``evaluate``: ``model.fit(..., callbacks=[TrackbookCallback()])``.

    The metrics have the names and values of ``History.history``, with the epoch as step, and ``learning_rate`` where it changes by
    a schedule or a callback. Those of an ``evaluate`` of its own are ``evaluate/loss`` and so on. The board's stop button ends the
    training after the epoch.

    Parameters
    ----------
    run
        The run to log to, by default the current one, else a new run that ends with the training.
    """

    def __init__(self, run: Run | None = None) -> None:
        super().__init__(run)
        self._has_fit = False
        self._shows_rate = False

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        if self._training is None:
            self._training = Training.begin("keras", self._run, total=self.params.get("epochs"))
        self._has_fit = True
        with self._training.safely():
            self._training.configure(config_of(self.model) | {"epochs": self.params.get("epochs")})
            self._shows_rate = _changes_rate(self.model)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self._training is None:
            return
        with self._training.safely():
            values = dict(logs or {})
            if self._shows_rate:
                values.setdefault("learning_rate", _rate(self.model))
            self._training.log(values, epoch)
            if self._training.should_stop:
                self.model.stop_training = True

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        if self._has_fit:
            return
        training = self._training or Training.begin("keras", self._run)
        with training.safely():
            training.log({f"evaluate/{name}": value for name, value in (logs or {}).items()})
        if self._training is None:
            training.end()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self._has_fit = False
        if self._training is not None:
            self._training.end()
            self._training = None


def config_of(model: Any) -> dict[str, Any]:
    """Return the hyperparameters of a compiled model, as Keras names them."""
    optimizer = getattr(model, "optimizer", None)
    rate = getattr(optimizer, "_learning_rate", None)
    found: dict[str, Any] = {
        "optimizer": None if optimizer is None else type(optimizer).__name__,
        "learning_rate": _rate(model) if optimizer is not None else None,
        "loss": _name(getattr(model, "loss", None)),
        "parameters": model.count_params() if getattr(model, "built", False) else None,
    }
    if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        found["learning_rate_schedule"] = type(rate).__name__
    return found


def _rate(model: Any) -> float:
    return float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))


def _changes_rate(model: Any) -> bool:
    rate = getattr(model.optimizer, "_learning_rate", None)
    return isinstance(rate, keras.optimizers.schedules.LearningRateSchedule)


def _name(thing: Any) -> str | None:
    """Return the name of a loss, None for several."""
    if isinstance(thing, str):
        return thing
    return getattr(thing, "name", None) or getattr(thing, "__name__", None)


def _callbacks(call: Call) -> list[Any] | None:
    """Return the callbacks of a call as a list, None when ours cannot be one of them or is one already."""
    given = call.arguments.get("callbacks")
    if isinstance(given, keras.callbacks.CallbackList):
        return None
    found = list(given) if isinstance(given, list | tuple) else [] if given is None else [given]
    return None if any(isinstance(one, TrackbookCallback) for one in found) else found


def _fit(call: Call) -> Iterator[None]:
    callbacks = _callbacks(call)
    if callbacks is not None:
        training = call.begin(total=call.arguments.get("epochs", 1))
        assert training is not None
        training.configure({"batch_size": call.arguments.get("batch_size")})
        call.arguments["callbacks"] = [*callbacks, TrackbookCallback.within(training)]
    yield


def _evaluate(call: Call) -> Iterator[None]:
    callbacks = _callbacks(call)
    training = None if callbacks is None else call.begin(needs_run=True)
    if callbacks is not None and training is not None:
        call.arguments["callbacks"] = [*callbacks, TrackbookCallback.within(training)]
    yield


def patch(patches: Patches, module: Any) -> None:
    """Follow `fit` and `evaluate` of all models."""
    patches.replace(module.Model, "fit", followed("keras", _fit))
    patches.replace(module.Model, "evaluate", followed("keras", _evaluate))
