"""PyTorch Lightning: `Trainer.fit`, `validate` and `test`, and a logger for them."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..tracking.run import Run
from .patches import Patches
from .training import Call, Training, followed


def _package() -> str:
    """Return the name under which Lightning is loaded, else the one under which it is installed: it has two."""
    names = ("lightning.pytorch", "pytorch_lightning")
    loaded = [name for name in names if name in sys.modules]
    installed = [name for name in names if importlib.util.find_spec(name.partition(".")[0])]
    return [*loaded, *installed, "pytorch_lightning"][0]


_PACKAGE: Final = _package()
_Logger: Any = importlib.import_module(f"{_PACKAGE}.loggers.logger").Logger
_rank_zero_only: Any = importlib.import_module(f"{_PACKAGE}.utilities.rank_zero").rank_zero_only


class TrackbookLogger(_Logger):
    """Logs what modules ``self.log``: ``Trainer(logger=TrackbookLogger())``.

    Metrics have the names, values and steps that Lightning gives every logger, hyperparameters those of ``save_hyperparameters``.

    Parameters
    ----------
    run
        The run to log to, by default the current one when training begins, else a new run that ends with the training. What
        ``trainer.test`` logs afterwards is added.
    """

    def __init__(self, run: Run | None = None) -> None:
        super().__init__()
        self._run = run
        self._training: Training | None = None

    @property
    def name(self) -> str | None:
        """The project of the run."""
        return None if self._training is None or self._training.run is None else self._training.run.project

    @property
    def version(self) -> str | None:
        """The id of the run."""
        return None if self._training is None or self._training.run is None else self._training.run.id

    @property
    def experiment(self) -> Run | None:
        """The run, which begins with the first use, and on rank 0 alone."""
        return self._begun().run if _rank_zero_only.rank == 0 else None

    @_rank_zero_only
    def log_hyperparams(self, params: Mapping[str, Any] | Namespace | None = None, *_: Any, **__: Any) -> None:
        """Add hyperparameters to the run's config."""
        training = self._begun()
        with training.safely():
            training.configure(vars(params) if isinstance(params, Namespace) else params or {})

    @_rank_zero_only
    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Log metrics at Lightning's step."""
        training = self._begun()
        with training.safely():
            training.log(metrics, step)

    @_rank_zero_only
    def finalize(self, status: str) -> None:
        """End a run of the training's own in the state of the training."""
        if self._training is not None:
            self._training.end(sys.exception() if status != "success" else None)

    def _begun(self) -> Training:
        if self._training is None:
            self._training = Training.begin("lightning", self._run)
        return self._training


class _UnseenLogger(TrackbookLogger):
    """The logger of a followed trainer. With no other logger in it, files go where they go without any."""

    def __init__(self, training: Training, trainer: Any) -> None:
        super().__init__(training.run)
        self._training = training
        self._root = trainer.default_root_dir

    @property
    def name(self) -> str:
        return ""

    @property
    def version(self) -> str:
        return ""

    @property
    def save_dir(self) -> str:
        return str(self._root)

    def finalize(self, status: str) -> None:
        """Leave the end to the followed call."""


def _follow(call: Call, training: Training | None) -> Iterator[None]:
    trainer = call.arguments["self"]
    if training is None:
        yield
        return
    logger = _UnseenLogger(training, trainer)
    trainer.loggers = [*trainer.loggers, logger]
    yield
    trainer.loggers = [one for one in trainer.loggers if one is not logger]
    if isinstance(call.error, SystemExit) and isinstance(call.error.__context__, KeyboardInterrupt):
        call.error = call.error.__context__  # Lightning ends the program after Ctrl-C


def _has_ours(trainer: Any) -> bool:
    return any(isinstance(one, TrackbookLogger) for one in trainer.loggers)


def _fit(call: Call) -> Iterator[None]:
    trainer, model = call.arguments["self"], call.arguments["model"]
    if _has_ours(trainer):
        return _follow(call, None)
    parameters = sum(one.numel() for one in model.parameters())
    limits = {"max_epochs": trainer.max_epochs, "max_steps": trainer.max_steps}
    given = {name: value for name, value in limits.items() if value is not None and value >= 0}
    return _follow(call, call.begin(config={"parameters": parameters, "model": type(model).__name__} | given))


def _evaluate(call: Call) -> Iterator[None]:
    return _follow(call, None if _has_ours(call.arguments["self"]) else call.begin(needs_run=True))


def patch(patches: Patches, module: Any) -> None:
    """Follow `fit`, `validate` and `test` of all trainers."""
    patches.replace(module.Trainer, "fit", followed("lightning", _fit))
    patches.replace(module.Trainer, "validate", followed("lightning", _evaluate))
    patches.replace(module.Trainer, "test", followed("lightning", _evaluate))
