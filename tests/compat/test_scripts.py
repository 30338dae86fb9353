"""A page each of a wandb, a Trackio and a SwanLab script: it runs to its end, and what Trackbook records of it is right."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

import trackbook as tb
from tracker_scripts import HOWS, How, hearing, tracker_module

WANDB = """
from argparse import Namespace

wandb.login()
config = Namespace(epochs=3, lr=0.1)
with wandb.init(project="page", entity="team", config=config, tags=["baseline"], notes="first", job_type="train",
                settings=wandb.Settings(start_method="fork")) as run:
    assert wandb.run is run and wandb.config.epochs == 3
    wandb.config.update({"batch": 8})
    run.define_metric("val/*", step_metric="epoch")
    run.define_metric("val/acc", summary="max")
    wandb.watch(object(), log="all", log_freq=10)
    table = wandb.Table(columns=["id", "guess"])
    for epoch in range(config.epochs):
        wandb.log({"epoch": epoch, "train/loss": 1 / (epoch + 1)}, commit=False)
        wandb.log({"val/acc": epoch / 4, "note": "text", "examples": [wandb.Image([[0]], caption="x")]})
        table.add_data(epoch, "cat")
    run.log({"table": table, "weights": wandb.Histogram([1, 2, 3]), "curve": wandb.plot.roc_curve([0], [[1, 0]])})
    assert len(table.data) == 3
    wandb.alert(title="low", text="accuracy is low", level=wandb.AlertLevel.WARN)
    artifact = wandb.Artifact("model", type="model", metadata={"acc": 0.5})
    artifact.add_file("model.pt")
    with artifact.new_file("notes.txt") as file:
        file.write("words")
    run.log_artifact(artifact, aliases=["best"])
    wandb.save("*.pt")
    run.summary["best"] = 0.5
    run.summary.update({"done": True})
    run.tags = (*run.tags, "done")
(found,) = wandb.Api().runs("team/page")
history = found.history(pandas=False)
"""

TRACKIO = """
trackio.init(project="page", name="first", config={"lr": 0.1}, group="baseline", auto_log_gpu=True)
for step in range(3):
    trackio.log({"train": {"loss": 1 / (step + 1)}, "sample": trackio.Image("x.png", caption="x")})
    trackio.log_system({"load": step})
trackio.log({"text": trackio.Markdown("# words"), "chat": trackio.Trace([]), "hist": trackio.Histogram([1])})
trackio.alert("low", text="loss is low", level=trackio.AlertLevel.INFO)
trackio.save("*.py")
trackio.log_artifact("model.pt", name="model", type="model")
trackio.config.update({"seed": 1}, allow_val_change=True)
run = trackio.context_vars.current_run.get()
trackio.finish()
(found,) = trackio.Api().runs("page")
"""

SWANLAB = """
swanlab.login(api_key="x")
run = swanlab.init(project="page", workspace="team", experiment_name="first", description="words", config={"lr": 0.1},
                   mode="cloud", logdir=None)
for epoch in range(3):
    swanlab.log({"train/loss": 1 / (epoch + 1), "lr": "0.1"}, step=epoch, print_to_console=True)
    swanlab.log({"images": [swanlab.Image([[0]], caption="x")], "audio": swanlab.Audio([0], sample_rate=1)})
swanlab.log({"text": swanlab.Text("words"), "roc": swanlab.roc_curve([0], [1]), "bars": swanlab.echarts.Bar()})
swanlab.log_image("more", [[0]])
swanlab.config.update({"seed": 1})
swanlab.sync_wandb()
swanlab.finish()
"""


def run_page(code: str, tracker: str, how: How) -> tuple[dict[str, Any], list[str]]:
    names: dict[str, Any] = {tracker: tracker_module(tracker, how)}
    with hearing() as heard:
        exec(code, names)
    return names, heard


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("model.pt").write_text("weights")
    PIL.Image.new("L", (2, 2)).save("x.png")
    monkeypatch.setitem(sys.modules, "pyecharts", None)


@pytest.mark.parametrize("how", ["dialect", "installed"])
def test_page_of_wandb(how: How) -> None:
    names, heard = run_page(WANDB, "wandb", how)
    run = names["run"]
    assert tb.alerts("page").select("title", "text", "level").rows() == [("low", "accuracy is low", "warn")]
    assert run.state == "finished"
    assert (run.notes, run.tags) == ("first", ("baseline", "done"))
    assert run.config.to_json() == {"epochs": 3, "lr": 0.1, "batch": 8}
    assert {name: run.summary[name] for name in ("val/acc", "best", "done")} == {
        "val/acc": 0.5,
        "best": 0.5,
        "done": True,
    }
    assert (run.record.defined, run.record.goals) == ({"val/*": "epoch"}, {"val/acc": "max"})
    assert names["history"].to_dict(as_series=False) == {
        "_step": [0, 1, 2],
        "epoch": [0, 1, 2],
        "train/loss": [1, 1 / 2, 1 / 3],
        "val/acc": [0, 0.25, 0.5],
    }
    for begins in (
        "login() does nothing",
        "init() ignores entity, job_type, settings: ",
        "watch() takes a torch.nn.Module",
        "metric 'note'",
    ):
        assert len([sentence for sentence in heard if sentence.startswith(begins)]) == 1, begins
    assert len(heard) == 4, heard
    assert Counter(each.metric for each in run.media()) == {"examples": 3, "table": 1, "weights": 1, "curve": 1}
    assert [each.step for each in run.media("examples")] == [0, 1, 2]
    assert run.media("table")[0].read().rows() == [(epoch, "cat") for epoch in range(3)]
    assert tb.list_artifacts("page").select("artifact", "aliases", "files").rows() == [
        ("model:v0", ["latest", "best"], 2)
    ]
    assert tb.get_artifact("model:best", "page").read("notes.txt") == b"words"
    assert run.files()["path"].to_list() == ["model.pt"]


@pytest.mark.parametrize("how", HOWS)
def test_page_of_trackio(how: How) -> None:
    names, heard = run_page(TRACKIO, "trackio", how)
    run = names["run"]
    assert tb.alerts("page").select("title", "text", "level").rows() == [("low", "loss is low", "info")]
    assert (run.name, run.group, run.state) == ("first", "baseline", "finished")
    assert run.history()["metric", "step", "value"].rows() == [
        ("train/loss", step, 1 / (step + 1)) for step in range(3)
    ]
    assert run.system()["value"].to_list() == [0, 1, 2]
    assert run.config.to_json() == {"lr": 0.1, "seed": 1}
    assert names["found"].id == run.id
    kinds = [sentence.partition(" ")[0] for sentence in heard if "auto_log_gpu" not in sentence]
    assert kinds == []
    assert [each.metric for each in run.media()] == ["sample"] * 3 + ["text", "chat", "hist"]


@pytest.mark.parametrize("how", HOWS)
def test_page_of_swanlab(how: How, capsys: pytest.CaptureFixture[str]) -> None:
    names, heard = run_page(SWANLAB, "swanlab", how)
    run = names["run"]
    assert (run.name, run.notes, run.state) == ("first", "words", "finished")
    assert run.history("train/loss")["value"].to_list() == [1, 1 / 2, 1 / 3]
    assert run.history("lr")["value"].to_list() == [0.1, 0.1, 0.1]
    assert capsys.readouterr().out.splitlines()[0] == "{'train/loss': 1.0, 'lr': 0.1}"
    kinds = [sentence.partition(" ")[0] for sentence in heard]
    assert kinds == ["login()", "init()", "a"]
    assert "needs pyecharts: pip install pyecharts" in heard[2]
    assert Counter(each.metric for each in run.media()) == {"images": 3, "audio": 3, "text": 1, "roc": 1, "more": 1}
