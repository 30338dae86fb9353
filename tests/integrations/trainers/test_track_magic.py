"""`%%track` above a training call without a loop in sight."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import xgboost
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

import trackbook as tb
from curves import curve, curves, states
from shells import Shell

X = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
Y = (X.sum(axis=1) > 0).astype("float32")


def model() -> keras.Model:
    keras.utils.set_random_seed(1)
    made = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])
    made.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return made


def cell(shell: Shell, code: str, head: str = "%%track") -> Any:
    named = {"GridSearchCV": GridSearchCV, "LogisticRegression": LogisticRegression, "xgboost": xgboost}
    shell.ip.user_ns.update(named | {"X": X, "Y": Y, "model": model})
    before = [keras.Model.fit, xgboost.train, GridSearchCV.fit]
    done = shell.run(head, code)
    assert before == [keras.Model.fit, xgboost.train, GridSearchCV.fit]
    return done


def test_fit_of_keras_is_drawn_as_in_its_history(shell: Shell) -> None:
    done = cell(
        shell, "history = model().fit(X, Y, epochs=3, validation_split=0.25, verbose=0); history.history['loss'][0]"
    )
    history = shell.ip.user_ns["history"].history
    assert curves(tb.get_run()) == {name: curve(values) for name, values in history.items()}
    assert done.result == history["loss"][0]
    assert tb.get_run().config["optimizer"] == "Adam"
    assert shell.states() == ["finished"]


def test_metrics_of_keras_may_be_named(shell: Shell) -> None:
    fit = "model().fit(X, Y, epochs=2, verbose=0)"
    cell(shell, fit, "%%track accuracy")
    assert len(curves(tb.get_run())["accuracy"]) == 2
    said = shell.said("%%track accuracy", fit)
    assert "accuracy" not in said
    said = shell.said("%%track loss", fit, "loss = 0.5")
    assert "'loss' mixes 'loss' with what the library logs" in said


def test_search_is_drawn_with_a_run_for_each_candidate(shell: Shell) -> None:
    cell(shell, "search = GridSearchCV(LogisticRegression(), {'C': [0.1, 1.0]}, cv=2).fit(X, Y)")
    assert len(tb.runs()) == 3
    assert set(states()) == {"finished"}
    assert curves(tb.get_run())["mean_test_score"] == curve(shell.ip.user_ns["search"].cv_results_["mean_test_score"])


def test_cell_whose_fit_fails_is_a_run_that_failed(shell: Shell) -> None:
    done = cell(shell, "model().fit(X, Y[:3], epochs=1, verbose=0)")
    assert isinstance(done.error_in_exec, ValueError)
    assert shell.states() == ["failed"]


def test_loop_and_fit_in_one_cell_are_both_drawn(shell: Shell) -> None:
    code = "made = model()\nlosses = []\nfor part in range(2):\n"
    code += "    loss = made.fit(X, Y, epochs=2, verbose=0).history['loss'][-1]\n    losses.append(loss)\n"
    cell(shell, code)
    found = curves(tb.get_run())
    assert list(found["loss"]) == list(found["accuracy"]) == [0, 1, 2, 3]
    assert found["losses"] == {0: found["loss"][1], 1: found["loss"][3]}
