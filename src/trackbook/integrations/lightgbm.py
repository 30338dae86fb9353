"""LightGBM: `train`, `cv` and the estimators' `fit`, and a callback for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lightgbm.callback import EarlyStopException

from .patches import Patches
from .training import Call, Training, TrainingCallback, followed


class TrackbookCallback(TrainingCallback):
    """Logs every metric of every evaluation set in each round: ``lightgbm.train(..., callbacks=[TrackbookCallback()])``.

    The metrics are named as in ``evals_result_``: ``valid_0/l2``; the round is the step. Those of ``cv`` are the means over the folds,
    with ``valid/l2-stdv`` and so on beside them. The board's stop button ends the training after the round.

    Parameters
    ----------
    run
        The run to log to, by default the current one, else a new run. LightGBM tells no callback that it stopped early: then a
        new run stays open, as a run of `trackbook.init` does.
    """

    order = 25  # before `lightgbm.early_stopping`, which ends a round by an exception
    before_iteration = False

    def __call__(self, env: Any) -> None:
        """Log a round, of which LightGBM tells in a ``CallbackEnv``."""
        if self._training is None:
            self._training = Training.begin("lightgbm", self._run, config=env.params, total=env.end_iteration)
        with self._training.safely():
            values: dict[str, Any] = {}
            for data, metric, value, _, *spread in env.evaluation_result_list or ():
                # of `cv`, versions before 4.6 say "cv_agg" and "valid l2"
                name = metric.replace(" ", "/", 1) if data == "cv_agg" else f"{data}/{metric}"
                values[name] = value
                values.update({f"{name}-stdv": one for one in spread})
            self._training.log(values, env.iteration)
        if self._training.should_stop:
            raise EarlyStopException(env.iteration, env.evaluation_result_list or [])
        if not self._is_within and env.iteration + 1 == env.end_iteration:
            self._training.end()
            self._training = None


def _train(call: Call) -> Iterator[None]:
    given = list(call.arguments.get("callbacks") or [])
    if not any(isinstance(one, TrackbookCallback) for one in given):
        rounds = call.arguments.get("num_boost_round", 100)
        training = call.begin(total=rounds)
        assert training is not None
        training.configure(
            dict(call.arguments["params"] or {}) | {"num_boost_round": rounds, "nfold": call.arguments.get("nfold")}
        )
        call.arguments["callbacks"] = [*given, TrackbookCallback.within(training)]
    yield


def patch(patches: Patches, module: Any) -> None:
    """Follow `train` and `cv`, also where the estimators call them."""
    for owner in (module, module.engine, module.sklearn):
        for name in ("train", "cv"):
            if hasattr(owner, name):
                patches.replace(owner, name, followed("lightgbm", _train))
