from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import trackbook as tb
from curves import ENDS, Raises, curve, curves, only_run, states
from trackbook.integrations.keras import TrackbookCallback

X = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
Y = X.sum(axis=1, keepdims=True)


def model(rate: Any = 0.01) -> keras.Model:
    keras.utils.set_random_seed(1)
    made = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1)])
    made.compile(keras.optimizers.Adam(rate), loss="mse", metrics=["mae"])
    return made


def fit(made: keras.Model, epochs: int = 3, **options: Any) -> keras.callbacks.History:
    return made.fit(X, Y, epochs=epochs, batch_size=16, validation_split=0.25, verbose=0, **options)


def expected(history: keras.callbacks.History) -> dict[str, dict[int, float]]:
    return {metric: dict(zip(history.epoch, values, strict=True)) for metric, values in history.history.items()}


def test_fit_is_logged_as_in_its_history(autolog: None) -> None:
    history = fit(model())
    run = only_run()
    assert curves(run) == expected(history)
    assert list(curves(run)) == ["loss", "mae", "val_loss", "val_mae"]
    assert run.state == "finished"


def test_config_has_the_hyperparameters_as_keras_names_them(autolog: None) -> None:
    fit(made := model())
    config = only_run().config
    assert (config["optimizer"], config["loss"], config["epochs"], config["batch_size"]) == ("Adam", "mse", 3, 16)
    assert config["learning_rate"] == pytest.approx(0.01)
    assert config["parameters"] == made.count_params() == 49


def test_results_are_those_without_adapters() -> None:
    plain = fit(one := model()).history
    tb.autolog()
    assert fit(other := model()).history == plain
    tb.autolog(False)
    assert all(np.array_equal(a, b) for a, b in zip(one.get_weights(), other.get_weights(), strict=True))


def test_early_stopping_ends_the_curves(autolog: None) -> None:
    stopping = keras.callbacks.EarlyStopping("val_loss", patience=0, min_delta=100.0)
    history = fit(model(), 10, callbacks=[stopping])
    assert len(history.epoch) < 10
    assert curves(only_run()) == expected(history)


def test_learning_rate_that_changes_is_logged(autolog: None) -> None:
    schedule = keras.optimizers.schedules.ExponentialDecay(0.01, decay_steps=3, decay_rate=0.5)
    fit(made := model(schedule))
    rates = curves(only_run())["learning_rate"]
    assert rates == {epoch: pytest.approx(0.01 * 0.5 ** (epoch + 1)) for epoch in range(3)}
    assert rates[2] == pytest.approx(float(keras.ops.convert_to_numpy(made.optimizer.learning_rate)))


def test_rate_of_a_callback_is_logged_as_in_the_history(autolog: None) -> None:
    halving = keras.callbacks.LearningRateScheduler(lambda _, rate: rate / 2)
    history = fit(model(), callbacks=halving)
    assert curves(only_run())["learning_rate"] == curve(history.history["learning_rate"])


def test_fit_that_goes_on_keeps_its_epochs(autolog: None) -> None:
    with tb.init("p") as run:
        fit(made := model(), 2)
        history = fit(made, 4, initial_epoch=2)
    assert sorted(curves(run)["loss"]) == [0, 1, 2, 3]
    assert {step: curves(run)["loss"][step] for step in (2, 3)} == expected(history)["loss"]


@pytest.mark.parametrize(("error", "state"), ENDS)
def test_run_ends_as_the_fit(autolog: None, error: BaseException, state: str) -> None:
    with pytest.raises(type(error)):
        fit(model(), callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=Raises(error, 4))])
    assert states() == [state]
    assert sorted(curves(only_run())["loss"]) == [0]


def test_stop_button_ends_the_fit_after_the_epoch(autolog: None) -> None:
    with tb.init("p") as run:
        stop = keras.callbacks.LambdaCallback(on_train_batch_end=lambda *_, **__: run.stop())
        history = fit(model(), 10, callbacks=(stop,))
    assert history.epoch == [0]
    assert run.state == "interrupted"


def test_evaluate_is_logged_to_the_open_run(autolog: None) -> None:
    with tb.init("p") as run:
        fit(made := model(), 1)
        found = made.evaluate(X, Y, verbose=0, return_dict=True)
    assert curves(run)["evaluate/loss"] == {0: found["loss"]}
    made.evaluate(X, Y, verbose=0)
    assert len(states()) == 1


def test_callback_logs_the_same() -> None:
    history = fit(model(), callbacks=[TrackbookCallback()])
    assert curves(only_run()) == expected(history)
    assert (only_run().state, only_run().config["epochs"]) == ("finished", 3)


def test_callback_beside_autolog_logs_once(autolog: None) -> None:
    history = fit(model(), callbacks=[TrackbookCallback()])
    assert curves(only_run()) == expected(history)


def test_list_of_callbacks_made_by_the_user_is_left_alone(autolog: None) -> None:
    made = model()
    fit(made, callbacks=keras.callbacks.CallbackList([], add_history=True, model=made, epochs=3))
    assert tb.run is None
