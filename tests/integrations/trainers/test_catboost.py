from __future__ import annotations

from typing import Any

import catboost
import numpy as np
import pytest

import trackbook as tb
from curves import ENDS, Raises, curve, curves, only_run, states
from trackbook.integrations.catboost import TrackbookCallback

X = np.random.default_rng(0).normal(size=(150, 4))
Y = (X[:, 0] + X[:, 1] > 0).astype(int)


def fit(iterations: int = 5, **options: Any) -> catboost.CatBoostClassifier:
    model = catboost.CatBoostClassifier(
        iterations=iterations,
        depth=2,
        learning_rate=0.3,
        eval_metric="AUC",
        thread_count=1,
        allow_writing_files=False,
        verbose=False,
    )
    return model.fit(X[:100], Y[:100], eval_set=(X[100:], Y[100:]), **options)


def expected(model: Any) -> dict[str, dict[int, float]]:
    result = model.get_evals_result()
    return {f"{name}/{metric}": curve(values) for name, metrics in result.items() for metric, values in metrics.items()}


def test_fit_is_logged_as_in_its_result(autolog: None) -> None:
    model = fit()
    assert curves(only_run()) == expected(model)
    config = only_run().config
    assert (config["depth"], config["learning_rate"], config["iterations"], config["tree_count"]) == (
        2,
        0.3,
        5,
        model.tree_count_,
    )
    assert states() == ["finished"]


def test_early_stopping_ends_the_curves(autolog: None) -> None:
    model = fit(300, early_stopping_rounds=2)
    assert curves(only_run()) == expected(model)
    assert len(curves(only_run())["validation/AUC"]) < 300


@pytest.mark.parametrize(("error", "state"), ENDS)
def test_run_ends_as_the_fit(autolog: None, error: BaseException, state: str) -> None:
    class Failing:
        raises = Raises(error, 2)

        def after_iteration(self, info: Any) -> bool:
            self.raises()
            return True

    with pytest.raises(catboost.CatBoostError, match=type(error).__name__):
        fit(callbacks=[Failing()])
    assert states() == [state]


def test_stop_button_ends_the_fit(autolog: None) -> None:
    with tb.init("p") as run:
        run.stop()
        fit(50)
    assert sorted(curves(run)["learn/Logloss"]) == [0]


def test_callback_logs_the_same() -> None:
    with tb.init("p") as run:
        model = fit(callbacks=[TrackbookCallback(run)])
    assert curves(run) == expected(model)
