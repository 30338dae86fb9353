from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xgboost as xgb

import trackbook as tb
from curves import ENDS, Raises, curve, curves, only_run, states
from trackbook.integrations.xgboost import TrackbookCallback

X = np.random.default_rng(0).normal(size=(120, 4))
Y = (X[:, 0] + X[:, 1] > 0).astype(int)
PARAMS = {"objective": "binary:logistic", "eval_metric": ["logloss", "auc"], "max_depth": 2, "eta": 0.3, "nthread": 1}


def data() -> tuple[xgb.DMatrix, xgb.DMatrix]:
    return xgb.DMatrix(X[:80], Y[:80]), xgb.DMatrix(X[80:], Y[80:])


def train(rounds: int = 5, **options: Any) -> dict[str, dict[str, list[float]]]:
    result: dict[str, dict[str, list[float]]] = {}
    train, valid = data()
    sets = [(train, "train"), (valid, "valid")]
    xgb.train(PARAMS, train, rounds, evals=sets, evals_result=result, verbose_eval=False, **options)
    return result


def expected(result: dict[str, dict[str, list[float]]]) -> dict[str, dict[int, float]]:
    return {f"{name}/{metric}": curve(values) for name, metrics in result.items() for metric, values in metrics.items()}


def test_train_is_logged_as_in_evals_result(autolog: None) -> None:
    result = train()
    assert curves(only_run()) == expected(result)
    assert only_run().config == PARAMS | {"num_boost_round": 5}
    assert states() == ["finished"]


def test_early_stopping_ends_the_curves(autolog: None) -> None:
    result = train(200, early_stopping_rounds=2)
    assert len(result["valid"]["auc"]) < 200
    assert curves(only_run()) == expected(result)


def test_estimator_is_logged_with_its_parameters(autolog: None) -> None:
    model = xgb.XGBClassifier(n_estimators=4, max_depth=2, n_jobs=1)
    model.fit(X[:80], Y[:80], eval_set=[(X[80:], Y[80:])], verbose=False)
    assert curves(only_run()) == expected(model.evals_result())
    assert (only_run().config["max_depth"], only_run().config["num_boost_round"]) == (2, 4)


def test_cross_validation_is_logged_with_means_and_deviations(autolog: None) -> None:
    table = xgb.cv(PARAMS, data()[0], num_boost_round=3, nfold=3, as_pandas=False)
    logged = curves(only_run())
    assert logged["test/logloss"] == curve(table["test-logloss-mean"])
    assert logged["train/auc-std"] == curve(table["train-auc-std"])


def test_training_that_goes_on_continues_after_the_first(autolog: None) -> None:
    train_set, _ = data()
    with tb.init("p") as run:
        first = xgb.train(PARAMS, train_set, 3, evals=[(train_set, "train")], verbose_eval=False)
        xgb.train(PARAMS, train_set, 2, evals=[(train_set, "train")], xgb_model=first, verbose_eval=False)
    assert sorted(curves(run)["train/auc"]) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(("error", "state"), ENDS)
def test_run_ends_as_the_training(autolog: None, error: BaseException, state: str) -> None:
    class Failing(xgb.callback.TrainingCallback):
        def __init__(self) -> None:
            self.raises = Raises(error, 2)

        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            self.raises()
            return False

    with pytest.raises(type(error)):
        train(callbacks=[Failing()])
    assert states() == [state]
    assert sorted(curves(only_run())["train/auc"]) == [0, 1]


def test_stop_button_ends_the_training(autolog: None) -> None:
    with tb.init("p") as run:
        run.stop()
        result = train(50)
    assert len(result["train"]["auc"]) == 1
    assert run.state == "interrupted"


def test_callback_logs_the_same() -> None:
    result = train(callbacks=[TrackbookCallback()])
    assert curves(only_run()) == expected(result)
    assert states() == ["finished"]


def test_restored_library_is_as_before() -> None:
    before = [xgb.train, xgb.training.train, xgb.sklearn.train, xgb.cv]
    tb.autolog()
    assert xgb.train is not before[0]
    tb.autolog(False)
    assert [xgb.train, xgb.training.train, xgb.sklearn.train, xgb.cv] == before
