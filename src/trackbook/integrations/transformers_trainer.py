"""Transformers, and TRL, whose trainers are Transformers': `Trainer.train` and `Trainer.evaluate`, and a callback for them."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from typing import Any, Final

from transformers import TrainerCallback

from .patches import Patches
from .training import Call, Training, TrainingCallback, followed

REPORT_TO: Final = "trackbook"
_MAIN: Final = (
    "learning_rate lr_scheduler_type warmup_steps optim weight_decay max_grad_norm num_train_epochs max_steps "
    "per_device_train_batch_size per_device_eval_batch_size gradient_accumulation_steps seed bf16 fp16"
).split()
_PLACES: Final = ("output_dir", "logging_dir", "run_name", "report_to")


class TrackbookCallback(TrainingCallback, TrainerCallback):
    """Logs what a trainer logs: ``Trainer(..., callbacks=[TrackbookCallback()])``, or ``report_to="trackbook"``.

    The values are those of ``trainer.state.log_history``, named as other trackers' callbacks name them: ``train/loss``,
    ``train/learning_rate``, ``train/grad_norm``, ``eval/loss``; ``global_step`` is the step. Only the main process logs. The board's
    stop button ends the training after the step.

    Parameters
    ----------
    run
        The run to log to, by default the current one, else a new run that ends with the training. An evaluation after it is added.
    """

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        if not state.is_world_process_zero:
            return
        if not self._is_within:
            name = args.run_name if getattr(args, "run_name", None) != args.output_dir else None
            self._training = Training.begin("transformers", self._run, total=state.max_steps, name=name)
        if self._training is not None:
            with self._training.safely():
                self._training.configure(config_of(args, model))

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        if not state.is_world_process_zero:
            return
        if self._training is None:
            self._training = Training.begin("transformers", self._run)
        with self._training.safely():
            self._training.log({_name(key): value for key, value in (logs or {}).items()}, state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self._training is not None and self._training.should_stop:
            control.should_training_stop = True

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self._training is not None and not self._is_within:
            self._training.end()


def _name(key: str) -> str:
    """Return the metric of a key of ``log_history``: the split, a slash, the rest."""
    for split in ("eval", "test"):
        if key.startswith(f"{split}_"):
            return f"{split}/{key.removeprefix(f'{split}_')}"
    return f"train/{key}"


def config_of(args: Any, model: Any) -> dict[str, Any]:
    """Return the main training arguments, those that differ from their default, and the model's type and size."""
    found = {name: getattr(args, name, None) for name in _MAIN}
    for field in dataclasses.fields(args):
        value = getattr(args, field.name)
        is_default = value == (
            field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
        )
        if not (is_default or field.name in _PLACES) and isinstance(value, str | int | float):
            found[field.name] = value
    found = {
        name: str(getattr(value, "value", value)) if isinstance(value, str) else value for name, value in found.items()
    }
    if model is not None:
        found["model_type"] = getattr(getattr(model, "config", None), "model_type", None)
        found["parameters"] = sum(one.numel() for one in model.parameters())
    return found


def _with_callback(call: Call, training: Training | None) -> Iterator[None]:
    trainer = call.arguments["self"]
    if training is None:
        yield
        return
    callback = TrackbookCallback.within(training)
    trainer.add_callback(callback)
    yield
    trainer.remove_callback(callback)


def _has_ours(trainer: Any) -> bool:
    return any(isinstance(one, TrackbookCallback) for one in trainer.callback_handler.callbacks)


def _train(call: Call) -> Iterator[None]:
    return _with_callback(call, None if _has_ours(call.arguments["self"]) else call.begin())


def _evaluate(call: Call) -> Iterator[None]:
    return _with_callback(call, None if _has_ours(call.arguments["self"]) else call.begin(needs_run=True))


def register(patches: Patches) -> None:
    """Make ``report_to="trackbook"`` known to Transformers."""
    utils = sys.modules["transformers.integrations.integration_utils"]
    patches.add_item(utils.INTEGRATION_TO_CALLBACK, REPORT_TO, TrackbookCallback)


def patch(patches: Patches, module: Any) -> None:
    """Follow `train` and `evaluate` of all trainers."""
    patches.replace(module.Trainer, "train", followed("transformers_trainer", _train))
    patches.replace(module.Trainer, "evaluate", followed("transformers_trainer", _evaluate))
    register(patches)
