from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
from pytorch_lightning.loggers import CSVLogger

import trackbook as tb
from curves import ENDS, Raises, curves, only_run, states
from trackbook.integrations.lightning import TrackbookLogger

DATA = torch.utils.data.TensorDataset(torch.randn(32, 4, generator=torch.Generator().manual_seed(0)))


class Module(pl.LightningModule):
    def __init__(self, rate: float = 0.1) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.layer = torch.nn.Linear(4, 1)
        self.raises = Raises(ValueError(), 10**9)

    def training_step(self, batch: Any) -> torch.Tensor:
        self.raises()
        loss = self.layer(batch[0]).pow(2).mean()
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch: Any) -> None:
        self.log("val_loss", self.layer(batch[0]).pow(2).mean())

    def test_step(self, batch: Any) -> None:
        self.log("test_loss", self.layer(batch[0]).pow(2).mean())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), self.hparams["rate"])


class Seen(CSVLogger):
    """A logger of the user, which notes what Lightning tells it."""

    def __init__(self) -> None:
        super().__init__("csv")
        self.seen: dict[str, dict[int, float]] = {}

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        for name, value in metrics.items():
            self.seen.setdefault(name, {}).setdefault(step or 0, value)
        super().log_metrics(metrics, step)


def trainer(logger: Any, **options: Any) -> pl.Trainer:
    given: dict[str, Any] = {
        "max_epochs": 2,
        "accelerator": "cpu",
        "log_every_n_steps": 2,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "logger": logger,
        "enable_checkpointing": False,
    }
    return pl.Trainer(**given | options)


def fit(made: pl.Trainer, model: Module | None = None, **options: Any) -> None:
    loader = torch.utils.data.DataLoader(DATA, 4)
    made.fit(model or Module(), loader, loader, **options)


def test_fit_is_logged_as_lightning_tells_any_logger(autolog: None) -> None:
    fit(made := trainer(seen := Seen()))
    run = only_run()
    assert curves(run) == seen.seen
    assert {"train_loss", "val_loss", "epoch"} == curves(run).keys()
    assert run.config == {"rate": 0.1, "parameters": 5, "model": "Module", "max_epochs": 2}
    assert (run.state, made.loggers) == ("finished", [seen])


def test_fit_without_a_logger_is_logged_and_writes_where_it_did(autolog: None, tmp_path: Path) -> None:
    checkpoint = ModelCheckpoint()
    fit(made := trainer(False, enable_checkpointing=True, callbacks=[checkpoint], default_root_dir=tmp_path / "root"))
    assert len(curves(only_run())["train_loss"]) == 8
    assert Path(checkpoint.best_model_path).parent == tmp_path / "root" / "checkpoints"
    assert made.loggers == []


def test_logger_logs_the_same_and_takes_a_later_test() -> None:
    fit(made := trainer([seen := Seen(), TrackbookLogger()]), model := Module())
    assert curves(only_run()) == seen.seen
    assert states() == ["finished"]
    (found,) = made.test(model, torch.utils.data.DataLoader(DATA, 4), verbose=False)
    assert curves(only_run())["test_loss"] == {16: pytest.approx(found["test_loss"])}
    assert states() == ["finished"]


def test_logger_beside_autolog_logs_once(autolog: None) -> None:
    fit(trainer([seen := Seen(), TrackbookLogger()]))
    assert curves(only_run()) == seen.seen


def test_early_stopping_ends_the_curves(autolog: None) -> None:
    fit(trainer(seen := Seen(), max_epochs=20, callbacks=[EarlyStopping("val_loss", min_delta=100.0, patience=1)]))
    assert curves(only_run()) == seen.seen
    assert len(curves(only_run())["val_loss"]) == 2


def test_resumed_fit_keeps_its_steps(autolog: None) -> None:
    with tb.init("p") as run:
        fit(first := trainer(False))
        first.save_checkpoint("first.ckpt")
        fit(trainer(seen := Seen(), max_epochs=3), ckpt_path="first.ckpt")
    assert list(curves(run)["val_loss"]) == [7, 15, 23]
    assert curves(run)["val_loss"][23] == seen.seen["val_loss"][23]


def test_run_ends_as_a_fit_that_fails(autolog: None) -> None:
    model = Module()
    model.raises = Raises(ValueError("diverged"), 5)
    with pytest.raises(ValueError, match="diverged"):
        fit(trainer(False), model)
    assert states() == ["failed"]


def test_run_ends_as_a_fit_that_is_interrupted(autolog: None) -> None:
    model = Module()
    model.raises = Raises(KeyboardInterrupt(), 5)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        fit(trainer(False), model)
    assert states() == ["interrupted"]


@pytest.mark.parametrize(("error", "state"), ENDS)
def test_run_of_a_logger_ends_as_the_fit(error: BaseException, state: str) -> None:
    model = Module()
    model.raises = Raises(error, 5)
    with pytest.raises((type(error), SystemExit)):
        fit(trainer(TrackbookLogger()), model)
    assert states() == [state]


def test_restored_library_is_as_before() -> None:
    before = [pl.Trainer.fit, pl.Trainer.validate, pl.Trainer.test]
    tb.autolog()
    tb.autolog(False)
    assert [pl.Trainer.fit, pl.Trainer.validate, pl.Trainer.test] == before
