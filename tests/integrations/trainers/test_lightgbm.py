from __future__ import annotations

from typing import Any

import lightgbm as lgb
import numpy as np
import pytest

import trackbook as tb
from curves import ENDS, Raises, curve, curves, only_run, states
from trackbook.integrations.lightgbm import TrackbookCallback

X = np.random.default_rng(0).normal(size=(200, 4))
Y = (X[:, 0] + X[:, 1] > 0).astype(int)
PARAMS = {
    "objective": "binary",
    "metric": ["binary_logloss", "auc"],
    "learning_rate": 0.2,
    "num_threads": 1,
    "verbose": -1,
}


def train(rounds: int = 5, callbacks: list[Any] | None = None) -> dict[str, dict[str, list[float]]]:
    result: dict[str, dict[str, list[float]]] = {}
    train = lgb.Dataset(X[:150], Y[:150])
    sets = [train, lgb.Dataset(X[150:], Y[150:], reference=train)]
    recording = lgb.record_evaluation(result)
    lgb.train(
        PARAMS,
        train,
        rounds,
        valid_sets=sets,
        valid_names=["train", "valid"],
        callbacks=[*(callbacks or []), recording],
    )
    return result


def expected(result: Any) -> dict[str, dict[int, float]]:
    return {f"{name}/{metric}": curve(values) for name, metrics in result.items() for metric, values in metrics.items()}


def test_train_is_logged_as_in_its_record(autolog: None) -> None:
    result = train()
    assert curves(only_run()) == expected(result)
    assert only_run().config == PARAMS | {"num_boost_round": 5}
    assert states() == ["finished"]


def test_early_stopping_ends_the_curves(autolog: None) -> None:
    result = train(300, [lgb.early_stopping(2, verbose=False)])
    assert len(result["valid"]["auc"]) < 300
    assert curves(only_run()) == expected(result)
    assert states() == ["finished"]


def test_estimator_is_logged_with_its_parameters(autolog: None) -> None:
    model = lgb.LGBMClassifier(n_estimators=4, learning_rate=0.3, verbose=-1, n_jobs=1)
    model.fit(X[:150], Y[:150], eval_set=[(X[150:], Y[150:])])
    assert curves(only_run()) == expected(model.evals_result_)
    assert (only_run().config["learning_rate"], only_run().config["num_boost_round"]) == (0.3, 4)


def test_cross_validation_is_logged_with_means_and_deviations(autolog: None) -> None:
    table = lgb.cv(PARAMS, lgb.Dataset(X, Y), num_boost_round=3, nfold=3)
    logged = curves(only_run())
    assert logged["valid/auc"] == curve(table["valid auc-mean"])
    assert logged["valid/auc-stdv"] == curve(table["valid auc-stdv"])


@pytest.mark.parametrize(("error", "state"), ENDS)
def test_run_ends_as_the_training(autolog: None, error: BaseException, state: str) -> None:
    with pytest.raises(type(error)):
        train(callbacks=[Raises(error, 2)])
    assert states() == [state]


def test_stop_button_ends_the_training(autolog: None) -> None:
    with tb.init("p") as run:
        run.stop()
        train(50)
    assert sorted(curves(run)["train/auc"]) == [0]
    assert run.state == "interrupted"


def test_callback_logs_the_same() -> None:
    result = train(callbacks=[TrackbookCallback()])
    assert curves(only_run()) == expected(result)
    assert (states(), only_run().config["learning_rate"]) == (["finished"], 0.2)


def test_restored_library_is_as_before() -> None:
    before = [lgb.train, lgb.engine.train, lgb.sklearn.train, lgb.cv]
    tb.autolog()
    tb.autolog(False)
    assert [lgb.train, lgb.engine.train, lgb.sklearn.train, lgb.cv] == before
