from __future__ import annotations

from typing import Any

import pytest
import torch
from fastai.callback.core import Callback
from fastai.callback.schedule import Learner
from fastai.data.core import DataLoaders
from fastai.data.load import DataLoader
from fastai.metrics import mae

import trackbook as tb
from curves import ENDS, Raises, curve, curves, only_run, states
from trackbook.integrations.fastai import TrackbookCallback

X = torch.randn(32, 4, generator=torch.Generator().manual_seed(0))
DATA = [(row, row.sum(0, keepdim=True)) for row in X]


def learner(**options: Any) -> Learner:
    torch.manual_seed(0)
    loaders = DataLoaders(DataLoader(DATA, 8), DataLoader(DATA, 8))
    made = Learner(loaders, torch.nn.Linear(4, 1), torch.nn.MSELoss(), metrics=mae, **options)
    made.remove_cbs([one for one in made.cbs if type(one).__name__ == "ProgressCallback"])
    return made


def check(run: tb.Run, made: Learner) -> None:
    rows = [list(one) for one in made.recorder.values]
    for number, name in enumerate(("train_loss", "valid_loss", "mae")):
        assert curves(run)[name] == curve(row[number] for row in rows)
    assert list(curves(run)["batch/lr"].values()) == [float(one) for one in made.recorder.lrs]
    assert list(curves(run)["batch/loss"].values()) == [float(one) for one in made.recorder.losses]


def test_fit_is_logged_as_in_its_recorder(autolog: None) -> None:
    (made := learner()).fit(3, 0.1)
    check(only_run(), made)
    config = only_run().config
    assert (config["n_epoch"], config["lr"], config["batch_size"], config["parameters"]) == (3, 0.1, 8, 5)
    assert states() == ["finished"]
    assert not any(isinstance(one, TrackbookCallback) for one in made.cbs)


def test_schedule_is_one_training(autolog: None) -> None:
    (made := learner()).fit_one_cycle(2, 0.1)
    check(only_run(), made)
    assert only_run().config["lr_max"] == 0.1


def test_callback_logs_the_same() -> None:
    (made := learner(cbs=[TrackbookCallback()])).fit(2, 0.1)
    check(only_run(), made)
    assert states() == ["finished"]


@pytest.mark.parametrize(("error", "state"), ENDS)
def test_run_ends_as_the_fit(autolog: None, error: BaseException, state: str) -> None:
    class Failing(Callback):
        raises = Raises(error, 5)

        def after_batch(self) -> None:
            self.raises()

    with pytest.raises(type(error)):
        learner().fit(2, 0.1, cbs=[Failing()])
    assert states() == [state]


def test_search_for_a_rate_is_not_followed(autolog: None) -> None:
    learner().lr_find(show_plot=False, num_it=8)
    assert tb.run is None


def test_stop_button_ends_the_fit(autolog: None) -> None:
    with tb.init("p") as run:
        run.stop()
        learner().fit(5, 0.1)
    assert len(curves(run)["batch/loss"]) == 1
