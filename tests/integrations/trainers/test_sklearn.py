from __future__ import annotations

import numpy as np
import pytest
import sklearn.neural_network
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, HalvingRandomSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

import trackbook as tb
from curves import ENDS, Raises, curve, curves, only_run, states
from trackbook.integrations.sklearn import EACH_EPOCH

X = np.random.default_rng(0).normal(size=(200, 4))
Y = (X[:, 0] + X[:, 1] > 0).astype(int)


def test_grid_search_has_a_run_for_each_candidate(autolog: None) -> None:
    with tb.init("p") as run:
        search = GridSearchCV(LogisticRegression(), {"C": [0.01, 1.0], "fit_intercept": [True, False]}, cv=3).fit(X, Y)
    results = search.cv_results_
    assert curves(run)["mean_test_score"] == curve(results["mean_test_score"])
    assert curves(run)["best_score"] == {0: search.best_score_}
    candidates = [tb.get_run(one) for one in tb.runs("p")["id"] if one != run.id]
    assert [dict(one.config) for one in candidates] == results["params"]
    assert [one.summary["mean_test_score"] for one in candidates] == list(results["mean_test_score"])
    assert [one.summary["split2_test_score"] for one in candidates] == list(results["split2_test_score"])
    assert {one.group for one in candidates} == {f"GridSearchCV {run.name}"}
    assert run.config["best_params"] == search.best_params_
    assert (run.config["estimator"], run.config["cv"]) == ("LogisticRegression", 3)


def test_halving_search_follows_a_candidate_through_its_iterations(autolog: None) -> None:
    with tb.init("p") as run:
        search = HalvingRandomSearchCV(LogisticRegression(), {"C": [0.01, 0.1, 1.0, 10.0]}, cv=2, random_state=0).fit(
            X, Y
        )
    candidates = [tb.get_run(one) for one in tb.runs("p")["id"] if one != run.id]
    assert len(candidates) == len({params["C"] for params in search.cv_results_["params"]})
    longest = max(candidates, key=lambda one: len(curves(one)["mean_test_score"]))
    rows = [n for n, params in enumerate(search.cv_results_["params"]) if params == dict(longest.config)]
    assert len(rows) > 1
    assert list(curves(longest)["n_resources"].values()) == [search.cv_results_["n_resources"][n] for n in rows]
    scores = [search.cv_results_["mean_test_score"][n] for n in rows]
    np.testing.assert_array_equal(list(curves(longest)["mean_test_score"].values()), scores)


def test_search_without_a_run_makes_its_own(autolog: None) -> None:
    GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2).fit(X, Y)
    assert states() == ["finished"] * 3


def test_search_of_networks_is_not_followed_inside(autolog: None) -> None:
    network = MLPClassifier(max_iter=2, hidden_layer_sizes=(2,), early_stopping=False)
    with tb.init("p") as run:
        GridSearchCV(network, {"alpha": [0.1, 1.0]}, cv=2, n_jobs=2).fit(X, Y)
    assert "loss" not in curves(run)
    assert len(tb.runs("p")) == 3


def test_network_is_logged_with_its_curves(autolog: None) -> None:
    network = MLPClassifier((3,), max_iter=6, early_stopping=True, random_state=0, learning_rate_init=0.1).fit(X, Y)
    run = only_run()
    assert curves(run) == {"loss": curve(network.loss_curve_), "validation_score": curve(network.validation_scores_)}
    assert run.config["learning_rate_init"] == 0.1
    assert run.config["parameters"] == 4 * 3 + 3 + 3 + 1


def test_network_is_logged_while_it_is_fitted(autolog: None, monkeypatch: pytest.MonkeyPatch) -> None:
    known: list[int] = []
    shuffled = sklearn.neural_network._multilayer_perceptron.shuffle
    with tb.init("p") as run:
        monkeypatch.setattr(
            "sklearn.neural_network._multilayer_perceptron.shuffle",
            lambda *given, **named: known.append(len(curves(run).get("loss", ()))) or shuffled(*given, **named),
        )
        network = MLPClassifier((3,), max_iter=4, random_state=0).fit(X, Y)
    assert known == [0, 1, 2, 3]
    assert EACH_EPOCH not in vars(network)


def test_fit_that_goes_on_with_a_network_continues_its_curve(autolog: None) -> None:
    network = MLPClassifier((3,), max_iter=3, warm_start=True, random_state=0)
    with tb.init("p") as run:
        network.fit(X, Y)
        network.fit(X, Y)
    assert curves(run)["loss"] == curve(network.loss_curve_)
    assert len(network.loss_curve_) == 6


def test_stop_button_ends_the_fit_of_a_network(autolog: None) -> None:
    with tb.init("p") as run:
        run.stop()
        network = MLPClassifier((3,), max_iter=50).fit(X, Y)
    assert len(network.loss_curve_) == 1
    assert run.state == "interrupted"


def test_network_of_another_solver_has_its_last_loss(autolog: None) -> None:
    network = MLPClassifier((3,), max_iter=4, solver="lbfgs", random_state=0).fit(X, Y)
    assert curves(only_run()) == {"loss": {0: network.loss_}}
    assert not hasattr(network, "partial_fit")


def test_loop_of_partial_fits_is_a_curve_of_the_open_run(autolog: None) -> None:
    network = MLPClassifier((3,), random_state=0)
    network.partial_fit(X, Y, classes=[0, 1])
    with tb.init("p") as run:
        losses = [network.partial_fit(X, Y).loss_ for _ in range(3)]
    assert curves(run) == {"loss": curve(losses)}
    assert len(tb.runs("p")) == 1


def test_boosting_is_logged_stage_by_stage(autolog: None) -> None:
    seen: list[int] = []
    model = GradientBoostingClassifier(n_estimators=6, subsample=0.8, max_depth=1)
    model.fit(X, Y, monitor=lambda stage, *_: bool(seen.append(stage)) or stage == 3)
    assert seen == [0, 1, 2, 3]
    assert curves(only_run()) == {
        "train_score": curve(model.train_score_[:4]),
        "oob_improvement": curve(model.oob_improvement_[:4]),
    }


def test_histogram_boosting_is_logged_with_its_scores(autolog: None) -> None:
    model = HistGradientBoostingClassifier(max_iter=7, early_stopping=True, n_iter_no_change=2).fit(X, Y)
    logged = curves(only_run())
    assert logged["train_score"] == curve(model.train_score_)
    assert logged["validation_score"] == curve(model.validation_score_)
    assert logged["n_iter"] == {0: model.n_iter_}


@pytest.mark.parametrize(("error", "state"), ENDS)
def test_run_ends_as_the_fit(autolog: None, error: BaseException, state: str) -> None:
    with pytest.raises(type(error)):
        GradientBoostingClassifier(n_estimators=6).fit(X, Y, monitor=lambda *told: not Raises(error, 2 - told[0])())
    assert states() == [state]


def test_stop_button_ends_boosting(autolog: None) -> None:
    with tb.init("p") as run:
        run.stop()
        GradientBoostingClassifier(n_estimators=50).fit(X, Y)
    assert sorted(curves(run)["train_score"]) == [0]


def test_estimators_without_a_curve_make_no_runs(autolog: None) -> None:
    LogisticRegression().fit(StandardScaler().fit_transform(X), Y)
    tb.init("p").finish()
    assert len(tb.runs()) == 1


def test_restored_library_is_as_before() -> None:
    before = [
        vars(MLPClassifier)["partial_fit"].fn,
        MLPClassifier.fit,
        GridSearchCV.fit,
        GradientBoostingClassifier.fit,
    ]
    tb.autolog()
    assert MLPClassifier.fit is not before[1]
    tb.autolog(False)
    assert [
        vars(MLPClassifier)["partial_fit"].fn,
        MLPClassifier.fit,
        GridSearchCV.fit,
        GradientBoostingClassifier.fit,
    ] == before
