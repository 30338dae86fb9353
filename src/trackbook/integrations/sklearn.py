"""Scikit-learn: searches as a run for each candidate, loss curves of networks and boosting, and `partial_fit`."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from ..text import one_line
from ..tracking.run import Run
from ..user_warnings import warn
from .beside import open_beside
from .patches import Patches
from .training import Call, Training, followed

MOST_CANDIDATES = 500  # of one search that get a run
EACH_EPOCH = "_update_no_improvement_count"  # what networks call at the end of each
_SEPARATE = ("estimator", "param_grid", "param_distributions", "verbose", "n_jobs", "pre_dispatch")


def _estimator_config(estimator: Any) -> dict[str, Any]:
    """Return the parameters of an estimator as scikit-learn names them, nested estimators by their class."""
    found = {name: _plain(value) for name, value in estimator.get_params(deep=False).items()}
    return {"estimator": type(estimator).__name__} | found


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float | bool | list | tuple | dict):
        return value
    return type(value).__name__ if hasattr(value, "get_params") else one_line(repr(value), 80)


# --- searches -----------------------------------------------------------------------------------------------------------


def _search(call: Call) -> Iterator[None]:
    search = call.arguments["self"]
    options = {name: _plain(value) for name, value in search.get_params(deep=False).items() if name not in _SEPARATE}
    training = call.begin(
        config={"search": type(search).__name__} | options | {"estimator": type(search.estimator).__name__}
    )
    yield
    results = getattr(search, "cv_results_", None)
    if call.error is None and results is not None and training is not None and training.run is not None:
        _log_candidates(training, training.run, search, results)


def _log_candidates(training: Training, run: Run, search: Any, results: dict[str, Any]) -> None:
    """Log each candidate of a search to a run of its own, and all their scores to `run`, over the candidate's number."""
    scores = [name for name in results if name.startswith(("mean_", "std_", "rank_")) or name.endswith("_score")]
    columns = {name: [float(value) for value in results[name]] for name in dict.fromkeys(scores)}
    shown = [name for name in columns if name.startswith("mean_")]
    for number in range(len(results["params"])):
        training.log({name: columns[name][number] for name in shown}, number)
    if "mean_test_score" in columns and hasattr(search, "best_index_"):  # a halving search sets `best_score_` later
        training.log({"best_score": columns["mean_test_score"][search.best_index_]})
        training.configure({"best_params": {name: _plain(value) for name, value in search.best_params_.items()}})
    candidates = _by_params(results["params"])
    first = next((name for name in columns if name.startswith("rank_")), None)
    if len(candidates) > MOST_CANDIDATES and first is not None:
        candidates.sort(key=lambda rows: min(columns[first][row] for row in rows))
        warn(f"the search has {len(candidates):,} candidates, of which the best {MOST_CANDIDATES} get a run each")
    group = f"{type(search).__name__} {run.name}"
    iterations = results.get("iter")
    for rows in candidates[:MOST_CANDIDATES]:
        params = {name: _plain(value) for name, value in results["params"][rows[0]].items()}
        candidate = open_beside(run, name=f"candidate-{rows[0]}", group=group, config=params)
        for row in rows:
            step = 0 if iterations is None else int(iterations[row])
            resources = {} if iterations is None else {"n_resources": float(results["n_resources"][row])}
            candidate.log({name: values[row] for name, values in columns.items()} | resources, step)
        candidate.finish()


def _by_params(params: list[dict[str, Any]]) -> list[list[int]]:
    """Return the rows of each candidate. In a halving search a candidate has a row for each iteration."""
    rows: dict[str, list[int]] = {}
    for number, one in enumerate(params):
        rows.setdefault(repr(sorted(one.items())), []).append(number)
    return list(rows.values())


# --- curves of one estimator --------------------------------------------------------------------------------------------


class _Epochs:
    """Logs the loss curve of a network, as far as scikit-learn has it."""

    def __init__(self, network: Any, training: Training) -> None:
        self._network = network
        self._training = training
        self._logged = len(getattr(network, "loss_curve_", ())) if network.warm_start else 0

    def log(self) -> None:
        """Log the epochs since the last call."""
        curve = getattr(self._network, "loss_curve_", ())
        scores = getattr(self._network, "validation_scores_", None) or ()
        for epoch in range(self._logged, len(curve)):
            score = {"validation_score": scores[epoch]} if epoch < len(scores) else {}
            self._training.log({"loss": curve[epoch]} | score, epoch)
        self._logged = len(curve)

    def after(self, method: Any) -> Any:
        """Return a method that also logs, and then stops a training that is asked to, as Ctrl-C does in scikit-learn."""

        @functools.wraps(method)
        def logging(*given: Any, **named: Any) -> Any:
            result = method(*given, **named)
            with self._training.safely():
                self.log()
            if self._training.should_stop:
                raise KeyboardInterrupt
            return result

        return logging


def _network(call: Call) -> Iterator[None]:
    network = call.arguments["self"]
    training = call.begin(config=_estimator_config(network), total=network.max_iter)
    assert training is not None
    epochs = _Epochs(network, training)
    if hasattr(network, EACH_EPOCH):  # else the curve is logged at the end
        setattr(network, EACH_EPOCH, epochs.after(getattr(network, EACH_EPOCH)))
    yield
    vars(network).pop(EACH_EPOCH, None)
    if call.error is None:
        epochs.log()
        if not hasattr(network, "loss_curve_"):  # lbfgs keeps none
            training.log({"loss": network.loss_})
        training.configure({"parameters": sum(one.size for one in [*network.coefs_, *network.intercepts_])})


def _boosting(call: Call) -> Iterator[None]:
    model = call.arguments["self"]
    users = call.arguments.get("monitor")
    training = call.begin(config=_estimator_config(model), total=model.n_estimators)

    def monitor(stage: int, estimator: Any, local: dict[str, Any]) -> bool:
        asked = users is not None and bool(users(stage, estimator, local))
        if training is None:
            return asked
        with training.safely():
            values = {"train_score": estimator.train_score_[stage]}
            if hasattr(estimator, "oob_improvement_"):
                values["oob_improvement"] = estimator.oob_improvement_[stage]
            training.log(values, stage)
        return asked or training.should_stop

    call.arguments["monitor"] = monitor
    yield


def _histogram_boosting(call: Call) -> Iterator[None]:
    model = call.arguments["self"]
    training = call.begin(config=_estimator_config(model), total=model.max_iter)
    yield
    if training is None or call.error is not None:
        return
    curves = {"train_score": model.train_score_, "validation_score": model.validation_score_}
    curves = {name: curve for name, curve in curves.items() if len(curve)}  # empty without early stopping
    for iteration in range(max(map(len, curves.values()), default=0)):
        training.log({name: curve[iteration] for name, curve in curves.items() if iteration < len(curve)}, iteration)
    training.log({"n_iter": model.n_iter_})


def _partial_fit(call: Call) -> Iterator[None]:
    """Log the loss of each call. A loop of such calls has one run, which the user opens."""
    network = call.arguments["self"]
    training = call.begin(needs_run=True)
    yield
    if training is not None and call.error is None:
        training.configure(_estimator_config(network))
        training.log({"loss": network.loss_})


def patch(patches: Patches, module: Any) -> None:
    """Follow the classes of a module of scikit-learn."""
    follows: dict[str, tuple[tuple[str, str, Any], ...]] = {
        "_search": (("BaseSearchCV", "fit", _search),),
        "_multilayer_perceptron": (
            ("BaseMultilayerPerceptron", "fit", _network),
            ("MLPClassifier", "partial_fit", _partial_fit),
            ("MLPRegressor", "partial_fit", _partial_fit),
        ),
        "_gb": (("BaseGradientBoosting", "fit", _boosting),),
        "gradient_boosting": (("BaseHistGradientBoosting", "fit", _histogram_boosting),),
    }
    for owner, name, follow in follows[module.__name__.rpartition(".")[2]]:
        kind = getattr(module, owner)
        method = vars(kind).get(name)
        if hasattr(
            method, "fn"
        ):  # a method that only some solvers have: scikit-learn's descriptor looks whether it is there
            patches.replace(method, "fn", followed("sklearn", follow))
        else:
            patches.replace(kind, name, followed("sklearn", follow))
