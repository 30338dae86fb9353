"""XGBoost: `train`, `cv` and the estimators' `fit`, and a callback for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import xgboost.callback

from .patches import Patches
from .training import Call, Training, TrainingCallback, followed


class TrackbookCallback(TrainingCallback, xgboost.callback.TrainingCallback):
    """Logs every metric of every evaluation set in each round: ``xgboost.train(..., callbacks=[TrackbookCallback()])``.

    The metrics are named as in ``evals_result``: ``train/rmse``, ``validation_0/logloss``; the round is the step. Those of ``cv`` are
    the means over the folds, with ``train/rmse-std`` and so on beside them. The board's stop button ends the training after the round.

    Parameters
    ----------
    run
        The run to log to, by default the current one, else a new run that ends with the training.
    """

    def before_training(self, model: Any) -> Any:
        if self._training is None:
            self._training = Training.begin("xgboost", self._run)
        return model

    def after_iteration(self, model: Any, epoch: int, evals_log: Mapping[str, Mapping[str, list[Any]]]) -> bool:
        if self._training is None:
            return False
        with self._training.safely():
            values: dict[str, Any] = {}
            for data, metrics in evals_log.items():
                for metric, history in metrics.items():
                    last = history[-1]
                    mean, *spread = last if isinstance(last, tuple) else (last,)
                    values[f"{data}/{metric}"] = mean
                    values.update({f"{data}/{metric}-std": one for one in spread})
            self._training.log(values, epoch)
        return self._training.should_stop

    def after_training(self, model: Any) -> Any:
        if self._training is not None:
            self._training.end()
            self._training = None
        return model


def _train(call: Call) -> Iterator[None]:
    given = list(call.arguments.get("callbacks") or [])
    if not any(isinstance(one, TrackbookCallback) for one in given):
        rounds = call.arguments.get("num_boost_round", 10)
        training = call.begin(total=rounds)
        assert training is not None
        training.configure(
            dict(call.arguments["params"] or {})
            | {
                "num_boost_round": rounds,
                "early_stopping_rounds": call.arguments.get("early_stopping_rounds"),
                "nfold": call.arguments.get("nfold"),
            }
        )
        call.arguments["callbacks"] = [*given, TrackbookCallback.within(training)]
    yield


def patch(patches: Patches, module: Any) -> None:
    """Follow `train` and `cv`, also where the estimators call them."""
    for owner in (module, module.training, module.sklearn):
        for name in ("train", "cv"):
            if hasattr(owner, name):
                patches.replace(owner, name, followed("xgboost", _train))
