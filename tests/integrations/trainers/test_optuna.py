from __future__ import annotations

from typing import Any

import numpy as np
import optuna
import pytest
from sklearn.neural_network import MLPClassifier

import trackbook as tb
from curves import ENDS, curve, curves, states
from trackbook.integrations.optuna import TrackbookCallback

optuna.logging.set_verbosity(optuna.logging.ERROR)


def study(**options: Any) -> optuna.Study:
    return optuna.create_study(study_name="s", sampler=optuna.samplers.RandomSampler(seed=0), **options)


def parabola(trial: optuna.Trial) -> float:
    x = trial.suggest_float("x", -2, 2)
    for step in range(3):
        trial.report(x**2 + step, step)
    if trial.number == 1:
        raise optuna.TrialPruned
    return x**2


def trials_of(run: tb.Run) -> list[tb.Run]:
    """The trials' runs, in the order of their numbers."""
    found = [tb.get_run(one, run.project) for one in tb.runs(run.project)["id"] if one != run.id]
    return sorted(found, key=lambda one: int(one.name.removeprefix("trial-")))


def check(run: tb.Run, made: optuna.Study) -> None:
    """Compare the runs with the study's trials."""
    complete = [one for one in made.trials if one.state.name == "COMPLETE"]
    assert curves(run)["value"] == {one.number: one.value for one in complete}
    best = np.minimum.accumulate([one.value for one in complete])
    assert [curves(run)["best_value"][one.number] for one in complete] == list(best)
    runs = trials_of(run)
    assert [dict(one.config) for one in runs] == [one.params for one in made.trials]
    assert [curves(one)["intermediate_value"] for one in runs] == [one.intermediate_values for one in made.trials]
    assert [curves(one).get("value") for one in runs] == [
        {0: one.value} if one.state.name == "COMPLETE" else None for one in made.trials
    ]
    assert [one.tags for one in runs] == [("pruned",) if one.state.name == "PRUNED" else () for one in made.trials]
    assert {one.group for one in runs} == {"s"}


def test_study_has_a_run_for_each_trial(autolog: None) -> None:
    with tb.init("p") as run:
        (made := study()).optimize(parabola, n_trials=4)
    check(run, made)
    assert {one.state for one in trials_of(run)} == {"finished"}
    assert tb.get_run().id == run.id
    assert (run.config["sampler"], run.config["directions"], run.config["n_trials"]) == (
        "RandomSampler",
        ["minimize"],
        4,
    )


def test_callback_records_the_same() -> None:
    with tb.init("p") as run:
        (made := study()).optimize(parabola, n_trials=4, callbacks=[TrackbookCallback()])
    check(run, made)


def test_trials_in_threads_have_their_own_runs(autolog: None) -> None:
    def objective(trial: optuna.Trial) -> float:
        x = trial.suggest_float("x", 0, 1)
        tb.log({"mine": x})
        return x

    with tb.init("p") as run:
        (made := study()).optimize(objective, n_trials=8, n_jobs=4)
    assert [curves(one)["mine"] for one in trials_of(run)] == [{0: one.params["x"]} for one in made.trials]
    assert "mine" not in curves(run)


def test_training_in_a_trial_is_logged_to_its_run(autolog: None) -> None:
    x = np.random.default_rng(0).normal(size=(40, 2))
    losses: list[list[float]] = []

    def objective(trial: optuna.Trial) -> float:
        network = MLPClassifier((2,), max_iter=3, alpha=trial.suggest_float("alpha", 0, 1)).fit(x, x[:, 0] > 0)
        losses.append(network.loss_curve_)
        return float(network.loss_)

    study().optimize(objective, n_trials=2)
    (parent,) = [
        tb.get_run(one) for one, group in zip(tb.runs()["id"], tb.runs()["group"], strict=True) if group is None
    ]
    assert [curves(one)["loss"] for one in trials_of(parent)] == [curve(one) for one in losses]
    assert "loss" not in curves(parent)


def test_several_objectives_have_a_value_each(autolog: None) -> None:
    with tb.init("p") as run:
        made = study(directions=["minimize", "maximize"])
        made.optimize(lambda trial: (trial.suggest_float("x", 0, 1), 2.0), n_trials=2)
    assert curves(run)["value_1"] == {0: 2.0, 1: 2.0}
    assert "best_value" not in curves(run)


@pytest.mark.parametrize(("error", "state"), ENDS)
def test_runs_end_as_their_trials(autolog: None, error: BaseException, state: str) -> None:
    def objective(trial: optuna.Trial) -> float:
        trial.suggest_float("x", 0, 1)
        if trial.number == 1:
            raise error
        return 1.0

    with pytest.raises(type(error)):
        study().optimize(objective, n_trials=3)
    assert sorted(states()) == sorted(["finished", state, state])


def test_failure_that_is_caught_fails_its_trial_alone(autolog: None) -> None:
    with tb.init("p") as run:
        study().optimize(lambda trial: 1 / trial.number, n_trials=2, catch=ZeroDivisionError)
    assert [one.state for one in trials_of(run)] == ["failed", "finished"]
    assert run.state == "finished"


def test_stop_button_ends_the_study(autolog: None) -> None:
    with tb.init("p") as run:
        run.stop()
        (made := study()).optimize(parabola, n_trials=50)
    assert len(made.trials) == 1


def test_restored_library_is_as_before() -> None:
    before = [optuna.Study.optimize, optuna.Trial.report]
    tb.autolog()
    tb.autolog(False)
    assert [optuna.Study.optimize, optuna.Trial.report] == before
