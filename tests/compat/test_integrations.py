"""The calls that Transformers, Accelerate and Lightning make to trackers, after `install`. The libraries themselves are not needed."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import trackbook as tb
from trackbook.compat import install
from trackbook.compat.tracker_modules import TRACKERS
from trackbook.user_warnings import TrackbookWarning

ONCE = ["train_runtime", "train_loss"]  # what Transformers logs at the end
LOGS = [{"loss": 0.5, "grad_norm": 1.0}, {"eval_loss": 0.4}, {"train_runtime": 9.0, "train_loss": 0.45}]


class Model:
    """What a callback looks at in a model."""

    config = None
    peft_config = None

    def num_parameters(self) -> int:
        return 42


def rewritten(logs: dict[str, float]) -> dict[str, float]:
    return {
        f"eval/{name.removeprefix('eval_')}" if name.startswith("eval_") else f"train/{name}": value
        for name, value in logs.items()
        if name not in ONCE
    }


def is_available(name: str) -> bool:
    """As Accelerate asks."""
    if importlib.util.find_spec(name) is None:
        return False
    try:
        importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


@pytest.mark.parametrize("tracker", TRACKERS)
def test_tracker_is_available_while_it_is_installed(tracker: str) -> None:
    assert not is_available(tracker)
    install(tracker)
    assert is_available(tracker)


def transformers_wandb(log_model: bool) -> tb.Run:
    """Make the calls of Transformers' WandbCallback."""
    import wandb
    from wandb.sdk.lib.config_util import ConfigError

    assert hasattr(wandb, "run")
    if wandb.run is None:
        wandb.init(project="huggingface", name="out")
    wandb.termwarn("The `run_name` is currently set to the same value as `TrainingArguments.output_dir`.", repeat=False)
    wandb.config.update({"output_dir": "out", "learning_rate": 1e-4}, allow_val_change=True)
    if getattr(wandb, "define_metric", None):
        wandb.define_metric("train/global_step")
        wandb.define_metric("*", step_metric="train/global_step", step_sync=True)
    wandb.watch(Model(), log="all", log_freq=100)
    wandb.run._label(code="transformers_trainer")
    with contextlib.suppress(AttributeError, ConfigError):
        wandb.config["model/num_parameters"] = Model().num_parameters()
    for step, logs in enumerate(LOGS):
        for name in set(logs) & set(ONCE):
            wandb.run.summary[name] = logs[name]
        wandb.log({**rewritten(logs), "train/global_step": step})
    if log_model:
        numbers = {name: value for name, value in dict(wandb.summary).items() if not name.startswith("_")}
        artifact = wandb.Artifact(name=f"model-{wandb.run.name}", type="model", metadata=numbers)
        with artifact.new_file("model.txt", mode="wb") as file:
            file.write(b"layers")
        artifact.add_dir("out/checkpoint-2")
        wandb.run.log_artifact(artifact, aliases=["final_model"])
        wandb.log_artifact(artifact, aliases=["epoch_1"])
        assert wandb.run.get_url() is None
        assert wandb.config.get("model/num_parameters") == 42
    run = wandb.run
    wandb.finish()
    return run


@pytest.mark.parametrize("log_model", [False, True])
def test_transformers_report_to_wandb(log_model: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out/checkpoint-2").mkdir(parents=True)
    (tmp_path / "out/checkpoint-2/model.safetensors").write_text("layers")
    install("wandb")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", TrackbookWarning)
        transformers_wandb(log_model)
    run = tb.get_run("out", "huggingface")
    wide = run.history(wide=True)
    assert wide.columns == ["step", "train/loss", "train/grad_norm", "train/global_step", "eval/loss"]
    assert wide["step"].to_list() == [0, 1, 2]
    assert wide["eval/loss"].to_list() == [None, 0.4, None]
    assert run.config.to_json() == {"output_dir": "out", "learning_rate": 1e-4, "model/num_parameters": 42}
    assert run.summary["train_loss"] == 0.45
    assert run.record.defined == {"*": "train/global_step"}
    said = [str(warning.message) for warning in caught]
    assert [message.partition(" ")[0] for message in said] == ["define_metric()", "watch()"]
    if log_model:
        kept = tb.get_artifact("model-out:final_model", project="huggingface")
        assert sorted(entry.path for entry in kept.files()) == ["model.safetensors", "model.txt"]
        assert kept.version == tb.get_artifact("model-out:epoch_1", project="huggingface").version


def test_transformers_report_to_trackio() -> None:
    install("trackio")
    import trackio

    trackio.init(project="huggingface", name="out", space_id=None, resume="allow", private=None, bucket_id=None)
    trackio.config.update({"output_dir": "out"}, allow_val_change=True)
    trackio.config["model/num_parameters"] = 42
    for step, logs in enumerate(LOGS):
        trackio.log({**rewritten(logs), "train/global_step": step})
    trackio.finish()
    trackio.init(project="huggingface", name="out", resume="allow").finish()
    run = tb.get_run("out", "huggingface")
    assert run.history("train/global_step")["step"].to_list() == [0, 1, 2]
    assert run.config.to_json() == {"output_dir": "out", "model/num_parameters": 42}
    assert tb.runs("huggingface").height == 1


def test_transformers_report_to_swanlab() -> None:
    install("swanlab")
    import swanlab

    assert swanlab.get_run() is None
    swanlab.init(experiment_name="out", project=None)
    swanlab.config["FRAMEWORK"] = "transformers"
    swanlab.config.update({"model_num_parameters": 42})
    for step, logs in enumerate(LOGS):
        for name in set(logs) & set(ONCE):
            swanlab.log({f"single_value/{name}": logs[name]}, step=step)
        swanlab.log({**rewritten(logs), "train/global_step": step}, step=step)
    run = swanlab.get_run()
    assert run.public.cloud.exp_url is None
    swanlab.finish()
    assert run.history("eval/loss")["step"].to_list() == [1]
    assert run.summary["single_value/train_loss"] == 0.45


@pytest.mark.parametrize("tracker", TRACKERS)
def test_accelerate_log_with(tracker: str) -> None:
    install(tracker)
    module: Any = importlib.import_module(tracker)
    run = module.init(project="accelerated")
    module.config.update({"lr": 0.1}, allow_val_change=True)
    run.log({"loss": 0.5}, step=3)
    run.log({"images": [module.Image(np.full((2, 2), image, np.uint8)) for image in (1, 2)]}, step=3)
    run.log({"table": module.Table(columns=["a"], data=[[1]], dataframe=None)}, step=None)
    run.finish()
    recorded = tb.get_run(project="accelerated")
    assert recorded.history()["metric", "step", "value"].rows() == [("loss", 3, 0.5)]
    assert recorded.config.to_json() == {"lr": 0.1}
    assert [(each.metric, each.item) for each in recorded.media()] == [("images", 0), ("images", 1), ("table", 0)]


def test_lightning_logger(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The calls of WandbLogger."""
    install("wandb")
    import wandb
    from wandb.sdk.lib import RunDisabled
    from wandb.wandb_run import Run

    monkeypatch.setenv("WANDB_MODE", "dryrun")
    wandb.require("service")
    folder = str(tmp_path / "here")
    with pytest.warns(TrackbookWarning, match="init\\(\\) ignores anonymous"):
        run = wandb.init(name=None, project="lightning_logs", dir=folder, id=None, resume="allow", anonymous="allow")
    assert not hasattr(wandb, "_attach")
    assert isinstance(run, (Run, RunDisabled))
    run.define_metric("trainer/global_step")
    with pytest.warns(TrackbookWarning, match="step_sync"):
        run.define_metric("*", step_metric="trainer/global_step", step_sync=True)
    run._label(code="lightning_logger")
    assert run._attach_id is None
    assert pickle.loads(pickle.dumps(run)) is run
    run.config.update({"lr": 0.1}, allow_val_change=True)
    run.log({"loss": 0.5, "trainer/global_step": 7})
    run.finish()
    assert [path.name for path in (tmp_path / "here").glob("*.db")] == ["lightning_logs.trackbook.db"]
    assert run.record.defined == {"*": "trainer/global_step"}


def test_trackios_context_tells_what_is_current() -> None:
    install("trackio")
    import trackio.context_vars
    from trackio import context_vars

    assert context_vars is trackio.context_vars
    assert context_vars.current_run.get() is None
    run = trackio.init(project="p")
    assert context_vars.current_run.get() is run
    assert context_vars.current_project.get() == "p"
    assert context_vars.current_space_id.get() is None
    assert run._space_id is None
