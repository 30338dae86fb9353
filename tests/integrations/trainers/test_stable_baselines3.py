from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from stable_baselines3 import A2C, DQN
from stable_baselines3.common.logger import KVWriter, Logger

import trackbook as tb
from curves import ENDS, Raises, curves, only_run, states
from trackbook.integrations.stable_baselines3 import TrackbookCallback


class Walk(gymnasium.Env[Any, Any]):
    """Ten steps, each rewarded by the action."""

    observation_space = gymnasium.spaces.Box(-1, 1, (1,))
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, **_: Any) -> tuple[Any, dict[str, Any]]:
        self.left = 10
        return np.zeros(1, "float32"), {}

    def step(self, action: Any) -> Any:
        self.left -= 1
        return np.zeros(1, "float32"), float(action), self.left == 0, False, {}


class Seen(KVWriter):
    """An output of the user, which notes what the logger writes."""

    def __init__(self) -> None:
        self.seen: dict[str, dict[int, float]] = {}

    def write(self, key_values: dict[str, Any], key_excluded: Any, step: int = 0) -> None:
        for name, value in key_values.items():
            self.seen.setdefault(name, {})[step] = float(value)

    def close(self) -> None:
        """Nothing to close."""


def algorithm() -> tuple[A2C, Seen]:
    made, seen = A2C("MlpPolicy", Walk(), n_steps=5, seed=0, device="cpu", policy_kwargs={"net_arch": [4]}), Seen()
    made.set_logger(Logger(None, [seen]))
    return made, seen


def test_learning_is_logged_as_the_logger_writes_it(autolog: None) -> None:
    made, seen = algorithm()
    made.learn(100, log_interval=4)
    run = only_run()
    assert curves(run) == seen.seen
    assert {"rollout/ep_rew_mean", "train/policy_loss", "time/fps"} <= curves(run).keys()
    assert (run.state, run.config["algorithm"], run.config["n_steps"]) == ("finished", "A2C", 5)
    assert run.config["parameters"] == sum(one.numel() for one in made.policy.parameters())
    assert made.logger.output_formats == [seen]


def test_off_policy_learning_is_logged(autolog: None) -> None:
    made, seen = DQN("MlpPolicy", Walk(), learning_starts=10, device="cpu"), Seen()
    made.set_logger(Logger(None, [seen]))
    made.learn(60, log_interval=2)
    assert curves(only_run()) == seen.seen


def test_learning_that_goes_on_keeps_its_timesteps(autolog: None) -> None:
    made, seen = algorithm()
    with tb.init("p") as run:
        made.learn(40, log_interval=4)
        made.learn(40, log_interval=4, reset_num_timesteps=False)
    assert list(curves(run)["time/total_timesteps"].values()) == list(seen.seen["time/total_timesteps"].values())
    assert all(step == value for step, value in curves(run)["time/total_timesteps"].items())


@pytest.mark.parametrize(("error", "state"), ENDS)
def test_run_ends_as_the_learning(autolog: None, error: BaseException, state: str) -> None:
    made, seen = algorithm()
    with pytest.raises(type(error)):
        made.learn(100, Raises(error, 30), log_interval=4)
    assert states() == [state]
    assert made.logger.output_formats == [seen]


def test_callback_logs_the_same_beside_others() -> None:
    made, seen = algorithm()
    made.learn(100, [TrackbookCallback()], log_interval=4)
    assert curves(only_run()) == seen.seen
    assert states() == ["finished"]


def test_stop_button_ends_the_learning(autolog: None) -> None:
    made, _ = algorithm()
    with tb.init("p") as run:
        run.stop()
        made.learn(1000)
    assert made.num_timesteps < 10
