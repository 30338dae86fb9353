from __future__ import annotations

import keras
import numpy as np
import pytest
import torch

import trackbook as tb
from curves import curves


def train(model: torch.nn.Module, steps: int) -> list[dict[str, float]]:
    """Train, and return the norms of the gradients before each step."""
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    norms = []
    for step in range(steps):
        optimizer.zero_grad()
        model(torch.ones(2, 3) * step).pow(2).mean().backward()
        norms.append({name: float(one.grad.norm()) for name, one in model.named_parameters() if one.grad is not None})
        optimizer.step()
    return norms


def test_norms_of_gradients_are_logged_each_n_steps() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Linear(2, 1))
    with tb.init("p") as run:
        run.watch(model, every=2)
        norms = train(model, 5)
    logged = curves(run)
    for name in ("0.weight", "1.bias"):
        assert logged[f"gradients/{name}"] == {step: pytest.approx(norms[step][name]) for step in (0, 2, 4)}
    assert logged["gradients/norm"][4] == pytest.approx(float(np.linalg.norm(list(norms[4].values()))))
    assert not any(name.startswith("parameters") for name in logged)


def test_norms_of_parameters_are_those_before_the_step() -> None:
    model = torch.nn.Linear(3, 1)
    before = float(model.weight.norm())
    with tb.init("p") as run:
        run.watch(model, "all", every=1)
        train(model, 1)
    assert curves(run)["parameters/weight"] == {0: pytest.approx(before)}
    assert "gradients/bias" in curves(run)


def test_watching_ends_with_the_run_and_leaves_other_models_alone() -> None:
    from torch.optim.optimizer import _global_optimizer_pre_hooks as hooks

    before = dict(hooks)
    with tb.init("p") as run:
        run.watch(model := torch.nn.Linear(3, 1), every=1)
        train(torch.nn.Linear(3, 1), 3)
    assert curves(run) == {}
    assert dict(hooks) == before
    train(model, 1)


def test_gradients_of_a_keras_model_are_logged() -> None:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with tb.init("p") as run:
        run.watch(model, every=1)
        model.fit(np.ones((8, 2), "float32"), np.ones(8, "float32"), batch_size=4, epochs=1, verbose=0)
    assert sorted(curves(run)["gradients/norm"]) == [0, 1]
    assert "apply" not in vars(model.optimizer)


def test_watching_that_fails_is_said_once_and_training_goes_on() -> None:
    model = torch.nn.Embedding(4, 2, sparse=True)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with tb.init("p") as run:
        run.watch(model, every=1)
        model(torch.tensor([1])).sum().backward()
        with pytest.warns(tb.TrackbookWarning, match="no longer logs norms"):
            optimizer.step()
        optimizer.step()


def test_distributions_are_logged_each_few_times() -> None:
    model = torch.nn.Linear(3, 2)
    before = model.weight.detach().clone()
    with tb.init("p") as run:
        run.watch(model, "all", every=2, histograms=3)
        train(model, 8)
    found = run.media("parameters/weight/values")
    assert [each.step for each in found] == [0, 6]
    counts, edges = found[0].read()
    assert counts.sum() == 6
    assert (edges[0], edges[-1]) == pytest.approx((before.min().item(), before.max().item()))
    assert {each.metric for each in run.media()} == {
        f"{kind}/{name}/values" for kind in ("gradients", "parameters") for name in ("weight", "bias")
    }
    zeros, _ = run.media("gradients/bias/values")[0].read()
    assert zeros.sum() == 2


def test_values_that_are_not_finite_are_left_out_of_distributions() -> None:
    model = torch.nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        model.weight[:] = torch.tensor([[float("nan"), 3.0]])
    with tb.init("p") as run:
        run.watch(model, "parameters", every=1, histograms=True)
        torch.optim.SGD(model.parameters(), lr=0.1).step()
    counts, _ = run.media("parameters/weight/values")[0].read()
    assert counts.sum() == 1
