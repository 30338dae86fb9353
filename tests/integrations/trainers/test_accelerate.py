from __future__ import annotations

import torch
from accelerate import Accelerator

import trackbook as tb
from curves import curves, only_run, states
from trackbook.integrations.accelerate import TrackbookTracker


def train(accelerator: Accelerator) -> list[float]:
    accelerator.init_trackers("ignored", config={"lr": 0.1})
    model = torch.nn.Linear(2, 1)
    model, optimizer = accelerator.prepare(model, torch.optim.SGD(model.parameters(), 0.1))
    losses = []
    for step in range(3):
        loss = model(torch.ones(4, 2)).pow(2).mean()
        accelerator.backward(loss)
        optimizer.step()
        losses.append(loss.item())
        accelerator.log({"loss": loss.item(), "phase": "warm-up"}, step=step * 10)
    accelerator.end_training()
    return losses


def test_tracker_logs_what_the_accelerator_is_given() -> None:
    losses = train(Accelerator(cpu=True, log_with=[TrackbookTracker(project="p", name="linear")]))
    run = only_run("p")
    assert curves(run) == {"loss": dict(zip((0, 10, 20), losses, strict=True))}
    assert (run.name, run.config, run.state) == ("linear", {"lr": 0.1}, "finished")


def test_run_of_the_user_stays_open() -> None:
    run = tb.init("p")
    accelerator = Accelerator(cpu=True, log_with=[TrackbookTracker(run)])
    train(accelerator)
    assert run.state == "running"
    run.finish()
    assert len(curves(run)["loss"]) == 3
    assert len(states()) == 1
