"""Stable-Baselines3: `learn`, and a callback for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stable_baselines3.common.callbacks import BaseCallback, ConvertCallback
from stable_baselines3.common.logger import KVWriter

from ..tracking.run import Run
from .patches import Patches
from .training import Call, Training, TrainingCallback, followed

_SETTINGS = (
    "learning_rate n_steps batch_size n_epochs gamma gae_lambda ent_coef vf_coef max_grad_norm buffer_size learning_starts tau "
    "train_freq gradient_steps target_update_interval exploration_fraction exploration_final_eps n_envs seed"
).split()


class _Writer(KVWriter):
    """Takes what the algorithm's logger writes out."""

    def __init__(self, training: Training) -> None:
        self._training = training

    def write(self, key_values: dict[str, Any], key_excluded: dict[str, Any], step: int = 0) -> None:
        with self._training.safely():
            self._training.log(key_values, step)

    def close(self) -> None:
        """Nothing to close: the training ends the run."""


class TrackbookCallback(TrainingCallback, BaseCallback):
    """Logs what the algorithm's logger writes: ``model.learn(..., callback=TrackbookCallback())``.

    The metrics have the logger's names and values, ``rollout/ep_rew_mean``, ``train/loss``, ``time/fps``; the step is the number of
    timesteps. The board's stop button ends the training.

    Parameters
    ----------
    run
        The run to log to, by default the current one, else a new run that ends with the training.
    """

    def __init__(self, run: Run | None = None) -> None:
        super().__init__(run)
        self._writer: _Writer | None = None

    def _on_training_start(self) -> None:
        if self._training is None:
            self._training = Training.begin("stable_baselines3", self._run, total=self.locals.get("total_timesteps"))
        with self._training.safely():
            self._training.configure(config_of(self.model))
        self._writer = _Writer(self._training)
        self.logger.output_formats.append(self._writer)

    def _on_step(self) -> bool:
        return self._training is None or not self._training.should_stop

    def _on_training_end(self) -> None:
        self.detach()
        if self._training is not None:
            self._training.end()
            self._training = None

    def detach(self) -> None:
        """Take the writer out of the algorithm's logger."""
        if self._writer is not None and self._writer in self.logger.output_formats:
            self.logger.output_formats.remove(self._writer)


def config_of(model: Any) -> dict[str, Any]:
    """Return the hyperparameters of an algorithm, as its constructor names them."""
    found = {name: getattr(model, name, None) for name in _SETTINGS}
    found = {name: value for name, value in found.items() if isinstance(value, int | float | str)}
    parameters = sum(one.numel() for one in model.policy.parameters())
    return {"algorithm": type(model).__name__, "policy": type(model.policy).__name__, "parameters": parameters} | found


def _learn(call: Call) -> Iterator[None]:
    given = call.arguments.get("callback")
    listed = list(given) if isinstance(given, list) else [] if given is None else [given]
    if any(isinstance(one, TrackbookCallback) for one in listed):
        yield
        return
    training = call.begin(total=call.arguments["total_timesteps"])
    assert training is not None
    callback = TrackbookCallback.within(training)
    users = [one if isinstance(one, BaseCallback) else ConvertCallback(one) for one in listed]
    call.arguments["callback"] = [*users, callback]
    yield
    callback.detach()


def patch(patches: Patches, module: Any) -> None:
    """Follow `learn` of the algorithms of a module."""
    for name in ("OnPolicyAlgorithm", "OffPolicyAlgorithm"):
        if hasattr(module, name):
            patches.replace(getattr(module, name), "learn", followed("stable_baselines3", _learn))
