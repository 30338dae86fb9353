"""Scripts of other trackers that are followed while they log."""

from __future__ import annotations

from pathlib import Path

import pytest

import trackbook as tb
from peer_stores.scripts import run_script

SCRIPTS = {
    "wandb": """
import trackbook.compat.swanlab as swanlab
swanlab.sync_wandb()
import wandb
with wandb.init(project="theirs", name="followed", config={"lr": 0.1}, mode="offline", tags=["a"]) as run:
    for step in range(3):
        wandb.log({"loss": step / 2, "acc": 1})
    run.config.update({"late": 2})
""",
    "mlflow": """
import trackbook.compat.swanlab as swanlab
swanlab.sync_mlflow()
import mlflow
mlflow.set_tracking_uri("sqlite:///mlflow.db")
mlflow.set_experiment("theirs")
with mlflow.start_run(run_name="followed"):
    mlflow.log_params({"lr": 0.1, "late": 2})
    for step in range(3):
        mlflow.log_metrics({"loss": step / 2}, step=step)
        mlflow.log_metric("acc", 1, step)
""",
    "tensorboardX": """
import trackbook as tb, trackbook.compat.swanlab as swanlab
swanlab.sync_tensorboardX()
from tensorboardX import SummaryWriter
with tb.init(project="theirs", name="followed", config={"lr": 0.1, "late": 2}), SummaryWriter("logs") as writer:
    for step in range(3):
        writer.add_scalar("loss", step / 2, step)
        writer.add_scalars("more", {"x": 1}, step)
        writer.add_scalar("acc", 1, step)
""",
}


@pytest.mark.parametrize("tracker", list(SCRIPTS))
def test_followed_script_is_a_run_here_too(tracker: str, tmp_path: Path) -> None:
    assert "is not followed" not in run_script(SCRIPTS[tracker], tmp_path)
    run = tb.get_run("followed", "theirs")
    assert (run.state, run.config.to_json()) == ("finished", {"lr": 0.1, "late": 2})
    assert run.history("loss")["step", "value"].rows() == [(0, 0.0), (1, 0.5), (2, 1.0)]
    assert run.history("acc")["value"].to_list() == [1, 1, 1]
