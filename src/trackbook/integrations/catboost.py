"""CatBoost: the models' `fit`, and a callback for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .patches import Patches
from .training import Call, Training, TrainingCallback, followed


class TrackbookCallback(TrainingCallback):
    """Logs every metric of every data set in each iteration: ``model.fit(..., callbacks=[TrackbookCallback()])``.

    The metrics are named as in ``get_evals_result()``: ``learn/Logloss``, ``validation/Logloss``; the iteration is the step. The
    board's stop button ends the training. CatBoost takes no callbacks on GPUs.

    Parameters
    ----------
    run
        The run to log to, by default the current one, else a new run. CatBoost tells no callback that the training has ended: a
        new run stays open, as a run of `trackbook.init` does.
    """

    def after_iteration(self, info: Any) -> bool:
        """Log an iteration, and return whether CatBoost goes on."""
        if self._training is None:
            self._training = Training.begin("catboost", self._run)
        with self._training.safely():
            metrics = info.metrics or {}
            values = {
                f"{data}/{name}": curve[-1]
                for data, curves in metrics.items()
                for name, curve in curves.items()
                if curve
            }
            self._training.log(values, info.iteration - 1)  # CatBoost counts from 1, its results from 0
        return not self._training.should_stop


def _fit(call: Call) -> Iterator[None]:
    model, given = call.arguments["self"], list(call.arguments.get("callbacks") or ())
    if any(isinstance(one, TrackbookCallback) for one in given):
        yield
        return
    params = model.get_params()
    is_on_gpu = str(params.get("task_type")).upper() == "GPU"
    training = call.begin(config=params)
    assert training is not None
    if not is_on_gpu:
        call.arguments["callbacks"] = [*given, TrackbookCallback.within(training)]
    yield
    if str(call.error).rstrip().endswith("KeyboardInterrupt"):
        call.error = KeyboardInterrupt()  # CatBoost raises its own error with the text of one that a callback raised
    if call.error is None:
        training.configure({"tree_count": model.tree_count_} | _used(model))
    if is_on_gpu and call.error is None:
        _log_all(training, model.get_evals_result())


def _used(model: Any) -> dict[str, Any]:
    """Return the parameters that CatBoost chose for what the user left open."""
    names = ("iterations", "learning_rate", "depth", "l2_leaf_reg", "loss_function", "random_seed")
    used = model.get_all_params()
    return {name: used[name] for name in names if name in used}


def _log_all(training: Training, result: dict[str, dict[str, list[float]]]) -> None:
    curves = {f"{data}/{name}": curve for data, metrics in result.items() for name, curve in metrics.items()}
    for iteration in range(max(map(len, curves.values()), default=0)):
        training.log({name: curve[iteration] for name, curve in curves.items() if iteration < len(curve)}, iteration)


def patch(patches: Patches, module: Any) -> None:
    """Follow `fit` of all models."""
    for kind in (module.CatBoost, module.CatBoostClassifier, module.CatBoostRegressor, module.CatBoostRanker):
        if "fit" in vars(kind):
            patches.replace(kind, "fit", followed("catboost", _fit))
