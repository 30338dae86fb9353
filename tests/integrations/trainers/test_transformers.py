from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers
from transformers import (
    EarlyStoppingCallback,
    GPT2Config,
    GPT2LMHeadModel,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

import trackbook as tb
from curves import ENDS, Raises, curves, only_run, states
from trackbook.integrations.transformers_trainer import TrackbookCallback

TOKENS = torch.randint(0, 20, (24, 8), generator=torch.Generator().manual_seed(0))
DATA = [{"input_ids": row, "labels": row} for row in TOKENS]


def trainer(callbacks: list[Any] | None = None, **options: Any) -> Trainer:
    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config(vocab_size=20, n_positions=8, n_embd=8, n_layer=1, n_head=1))
    given = {
        "output_dir": "out",
        "num_train_epochs": 2,
        "per_device_train_batch_size": 4,
        "logging_steps": 2,
        "eval_strategy": "steps",
        "eval_steps": 4,
        "save_strategy": "no",
        "learning_rate": 1e-2,
        "report_to": "none",
        "use_cpu": True,
        "disable_tqdm": True,
    } | options
    return Trainer(model, TrainingArguments(**given), train_dataset=DATA, eval_dataset=DATA[:4], callbacks=callbacks)


def expected(made: Trainer) -> dict[str, dict[int, float]]:
    """The library's own log, named as other trackers name it."""
    found: dict[str, dict[int, float]] = {}
    for entry in made.state.log_history:
        for key, value in entry.items():
            if key != "step":
                name = f"eval/{key[5:]}" if key.startswith("eval_") else f"train/{key}"
                found.setdefault(name, {}).setdefault(entry["step"], value)
    return found


def whole(run: tb.Run, made: Trainer) -> dict[str, dict[int, float]]:
    """The curves of a run, with the one number that Transformers' own printing may take away from later callbacks."""
    return {"train/total_flos": expected(made)["train/total_flos"]} | curves(run)


@pytest.fixture(autouse=True)
def quiet() -> None:
    transformers.logging.set_verbosity_error()


def test_training_is_logged_as_in_its_log_history(autolog: None) -> None:
    made = trainer()
    made.train()
    run = only_run()
    assert whole(run, made) == expected(made)
    assert {
        "train/loss",
        "train/learning_rate",
        "train/grad_norm",
        "eval/loss",
        "train/train_samples_per_second",
    } <= curves(run).keys()
    assert list(curves(run)["train/loss"]) == [2, 4, 6, 8, 10, 12]
    assert run.state == "finished"
    assert not any(isinstance(one, TrackbookCallback) for one in made.callback_handler.callbacks)


def test_config_has_the_main_arguments_and_what_differs(autolog: None) -> None:
    made = trainer(weight_decay=0.1, label_smoothing_factor=0.0)
    made.train()
    config = only_run().config
    assert (config["learning_rate"], config["num_train_epochs"], config["weight_decay"]) == (1e-2, 2, 0.1)
    assert (config["model_type"], config["parameters"]) == ("gpt2", sum(one.numel() for one in made.model.parameters()))
    assert "output_dir" not in config
    assert "label_smoothing_factor" not in config


def test_report_to_trackbook_is_known() -> None:
    import trackbook.integrations.transformers  # noqa: F401

    made = trainer(report_to="trackbook")
    made.train()
    assert whole(only_run(), made) == expected(made)
    assert states() == ["finished"]


def test_report_to_beside_autolog_logs_once(autolog: None) -> None:
    made = trainer(report_to=["trackbook"])
    made.train()
    assert whole(only_run(), made) == expected(made)


def test_evaluation_after_the_training_is_added() -> None:
    made = trainer([TrackbookCallback()], eval_strategy="no")
    made.train()
    found = made.evaluate()
    assert curves(only_run())["eval/loss"] == {12: found["eval_loss"]}
    assert states() == ["finished"]


def test_evaluation_goes_to_the_open_run(autolog: None) -> None:
    with tb.init("p") as run:
        found = trainer().evaluate()
    assert curves(run)["eval/loss"] == {0: found["eval_loss"]}


def test_early_stopping_ends_the_curves(autolog: None) -> None:
    made = trainer(
        [EarlyStoppingCallback(1, early_stopping_threshold=100.0)],
        load_best_model_at_end=True,
        metric_for_best_model="loss",
        save_strategy="steps",
        save_steps=4,
    )
    made.train()
    assert max(curves(only_run())["train/loss"]) == 8
    assert whole(only_run(), made) == expected(made)


def test_resumed_training_keeps_its_steps(autolog: None) -> None:
    with tb.init("p") as run:
        trainer(max_steps=6, save_strategy="steps", save_steps=6).train()
        made = trainer(max_steps=12, save_strategy="no")
        made.train(resume_from_checkpoint="out/checkpoint-6")
    assert list(curves(run)["train/loss"]) == [2, 4, 6, 8, 10, 12]
    assert curves(run)["train/loss"] == expected(made)["train/loss"]


@pytest.mark.parametrize(("error", "state"), ENDS)
def test_run_ends_as_the_training(autolog: None, error: BaseException, state: str) -> None:
    class Failing(TrainerCallback):
        raises = Raises(error, 5)

        def on_step_end(self, *given: Any, **named: Any) -> None:
            self.raises()

    with pytest.raises(type(error)):
        trainer([Failing()]).train()
    assert states() == [state]
    assert list(curves(only_run())["train/loss"]) == [2, 4]


def test_stop_button_ends_the_training(autolog: None) -> None:
    with tb.init("p") as run:
        run.stop()
        made = trainer()
        made.train()
    assert made.state.global_step == 1


def test_names_known_to_transformers_are_as_before() -> None:
    from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK

    INTEGRATION_TO_CALLBACK.pop("trackbook", None)
    before = [dict(INTEGRATION_TO_CALLBACK), Trainer.train, Trainer.evaluate]
    tb.autolog()
    assert INTEGRATION_TO_CALLBACK["trackbook"] is TrackbookCallback
    tb.autolog(False)
    assert [INTEGRATION_TO_CALLBACK, Trainer.train, Trainer.evaluate] == before
