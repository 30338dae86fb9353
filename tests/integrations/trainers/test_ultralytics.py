"""Ultralytics itself, which gets the one function that it needs of torchvision from here: that has no build for a torch without CUDA."""

from __future__ import annotations

import csv
import importlib.metadata
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

import trackbook as tb
from curves import ENDS, Raises, curves, only_run, states

TINY = {
    "nc": 1,
    "backbone": [[-1, 1, "Conv", [8, 3, 2]], [-1, 1, "Conv", [16, 3, 2]], [-1, 1, "Conv", [16, 3, 2]]],
    "head": [[[2], 1, "Detect", ["nc"]]],
}


@pytest.fixture(scope="module")
def ultralytics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    version = importlib.metadata.version
    vision: Any = ModuleType("torchvision")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("YOLO_CONFIG_DIR", str(tmp_path_factory.mktemp("settings")))
        for name, value in {"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false", "YOLO_VERBOSE": "false"}.items():
            patch.setenv(name, value)
        patch.setattr(importlib.metadata, "version", lambda name: "0.28" if name == "torchvision" else version(name))
        import ultralytics
        from ultralytics.utils import nms

        vision.ops = ModuleType("torchvision.ops")
        vision.ops.nms = nms.TorchNMS.nms  # which, as Ultralytics says, gives what torchvision's gives
        patch.setitem(sys.modules, "torchvision", vision)
        yield ultralytics


@pytest.fixture
def model(ultralytics: Any, tmp_path: Path) -> Any:
    """Return a detector of a few parameters, in a folder with six images of a white box on noise."""
    rng = np.random.default_rng(0)
    for number in range(6):
        part = "val" if number > 3 else "train"
        image, label = tmp_path / "images" / part / f"{number}.png", tmp_path / "labels" / part / f"{number}.txt"
        pixels = rng.integers(0, 255, (32, 32, 3), dtype=np.uint8)
        pixels[8:24, 8:24] = 255
        image.parent.mkdir(parents=True, exist_ok=True)
        label.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(image)
        label.write_text("0 0.5 0.5 0.5 0.5\n")
    data = {"path": str(tmp_path), "train": "images/train", "val": "images/val", "names": ["box"]}
    (tmp_path / "data.yaml").write_text(yaml.safe_dump(data))
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(TINY))
    return ultralytics.YOLO("tiny.yaml", task="detect")


def train(model: Any, **options: Any) -> Any:
    given = {"data": "data.yaml", "epochs": 2, "imgsz": 32, "batch": 2, "device": "cpu", "plots": False}
    model.train(**given | {"project": str(Path.cwd() / "out")} | options)
    return model.trainer


def results(file: Path) -> dict[str, dict[int, float]]:
    """Return the curves of a ``results.csv``."""
    rows = list(csv.DictReader(file.read_text().splitlines()))
    names = rows[0].keys() - {"epoch", "time"}
    return {name: {int(row["epoch"]) - 1: float(row[name]) for row in rows} for name in names}


def rounded(found: dict[str, dict[int, float]]) -> dict[str, dict[int, float]]:
    """Return curves with as many digits as ``results.csv`` has."""
    return {name: {step: float(f"{value:.6g}") for step, value in points.items()} for name, points in found.items()}


def ours(trainer: Any) -> list[Any]:
    functions = [one for event in trainer.callbacks.values() for one in event]
    return [one for one in functions if "trackbook" in getattr(one, "__module__", "")]


def test_train_is_logged_as_in_its_results(autolog: None, model: Any) -> None:
    trainer = train(model, epochs=3)
    run = only_run()
    assert rounded(curves(run)) == results(trainer.csv)
    assert {"train/box_loss", "metrics/mAP50(B)", "val/cls_loss", "lr/pg0"} <= curves(run).keys()
    assert list(curves(run)["train/box_loss"]) == [0, 1, 2]
    assert (run.config["epochs"], run.config["batch"], run.config["data"]) == (3, 2, "data.yaml")
    assert run.config["parameters"] == sum(one.numel() for one in trainer.model.parameters())
    assert (run.config["optimizer"], run.config["lr0"]) == ("AdamW", trainer.optimizer.param_groups[0]["initial_lr"])
    assert (states(), run.record.total, ours(trainer)) == (["finished"], 3, [])


def test_settings_of_the_optimizer_are_those_of_the_user(autolog: None, model: Any) -> None:
    train(model, epochs=1, optimizer="SGD", lr0=0.02)
    assert (only_run().config["optimizer"], only_run().config["lr0"]) == ("SGD", 0.02)


@pytest.mark.parametrize(("error", "state"), ENDS)
def test_run_ends_as_the_training(autolog: None, model: Any, error: BaseException, state: str) -> None:
    model.add_callback("on_train_batch_end", Raises(error, 3))
    with pytest.raises(type(error)):
        train(model)
    assert states() == [state]
    assert rounded(curves(only_run())) == results(model.trainer.csv)
    assert (list(curves(only_run())["train/box_loss"]), ours(model.trainer)) == ([0], [])


def test_stop_button_ends_the_training_after_its_epoch(autolog: None, model: Any) -> None:
    with tb.init("p") as run:
        run.stop()
        train(model, epochs=5)
    assert list(curves(run)["train/box_loss"]) == [0]
    assert model.trainer.best.exists()


def test_early_stopping_ends_the_curves(autolog: None, model: Any) -> None:
    def reach_the_best(trainer: Any) -> None:
        trainer.stopper.best_fitness = 1.0

    model.add_callback("on_pretrain_routine_end", reach_the_best)
    trainer = train(model, epochs=9, patience=2)
    assert rounded(curves(only_run())) == results(trainer.csv)
    assert list(curves(only_run())["train/box_loss"]) == [0, 1]


def test_resumed_training_goes_on_at_its_epoch(autolog: None, model: Any, ultralytics: Any) -> None:
    model.add_callback("on_train_batch_end", Raises(KeyboardInterrupt(), 3))
    with tb.init("p") as run:
        with pytest.raises(KeyboardInterrupt):
            train(model, epochs=3)
        again = ultralytics.YOLO(model.trainer.last)
        again.train(resume=True)
    assert list(curves(run)["train/box_loss"]) == [0, 1, 2]
    assert rounded(curves(run)) == results(again.trainer.csv)


def test_second_training_goes_on_after_the_first(autolog: None, model: Any) -> None:
    with tb.init("p") as run:
        first = results(train(model).csv)["lr/pg0"]
        second = results(train(model).csv)["lr/pg0"]
    assert rounded(curves(run))["lr/pg0"] == first | {step + 2: value for step, value in second.items()}


def test_callback_logs_the_same_for_each_training(model: Any) -> None:
    from trackbook.integrations.ultralytics import TrackbookCallback

    callback = TrackbookCallback()
    callback.add_to(model)
    found = results(train(model, epochs=1).csv)
    assert rounded(curves(only_run())) == found
    train(model, epochs=1)
    assert states() == ["finished", "finished"]
    callback.remove_from(model)
    train(model, epochs=1)
    assert len(states()) == 2


@pytest.mark.parametrize(("error", "state"), ENDS)
def test_run_of_a_callback_ends_as_the_training(model: Any, error: BaseException, state: str) -> None:
    from trackbook.integrations.ultralytics import TrackbookCallback

    TrackbookCallback().add_to(model)
    model.add_callback("on_train_batch_end", Raises(error, 3))
    with pytest.raises(type(error)):
        train(model)
    assert states() == [state]
    assert list(curves(only_run())["train/box_loss"]) == [0]


def test_callback_beside_autolog_logs_once(autolog: None, model: Any) -> None:
    from trackbook.integrations.ultralytics import TrackbookCallback

    TrackbookCallback().add_to(model)
    trainer = train(model)
    assert rounded(curves(only_run())) == results(trainer.csv)


def test_training_in_other_processes_is_logged_from_its_results(
    autolog: None, model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tb.autolog(False)
    alone = train(model)
    tb.autolog()
    written = alone.csv.rename("written.csv")

    def elsewhere(trainer: Any) -> None:
        """Write what processes of several GPUs write, and call no callback."""
        shutil.copy(written, trainer.csv)
        shutil.copy(alone.last, trainer.last)

    monkeypatch.setattr(type(alone), "_do_train", elsewhere)
    monkeypatch.setattr(type(alone), "run_callbacks", lambda *_: None)
    train(model)
    assert rounded(curves(only_run())) == results(written)
    assert (states(), only_run().config["epochs"]) == (["finished"], 2)
