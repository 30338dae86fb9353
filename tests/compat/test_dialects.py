"""What each dialect changes: steps, values that are not numbers, resuming, positional arguments, variables."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import trackbook as tb
from trackbook.user_warnings import TrackbookWarning
from tracker_scripts import hearing


def speak(tracker: str) -> Any:
    return importlib.import_module(f"trackbook.compat.{tracker}")


@pytest.mark.parametrize(("tracker", "steps"), [("wandb", [1]), ("trackio", [1]), ("swanlab", [0])])
def test_steps_are_counted_as_the_tracker_counts(tracker: str, steps: list[int]) -> None:
    module = speak(tracker)
    with module.init(project="p") as run:
        module.log({"a": 1})
        module.log({"b": 1})
    assert run.history("b")["step"].to_list() == steps


@pytest.mark.parametrize("tracker", ["wandb", "trackio"])
def test_text_and_none_are_left_out(tracker: str) -> None:
    module = speak(tracker)
    run = module.init(project="p")
    with hearing() as heard:
        assert module.log({"loss": 0.5, "phase": "warmup", "best": None}) == {"loss": 0.5}
        assert module.log({"loss": 0.4, "phase": "warmup"}) == {"loss": 0.4}
    assert [sentence.partition(":")[0] for sentence in heard] == [
        "metric 'phase'",
        "metric 'best' is None; leave it out of the call, or log float('nan'); it is left out (said once a metric)",
    ]
    assert run.history()["metric"].to_list() == ["loss", "loss"]


def test_defaults_can_be_chosen_otherwise() -> None:
    with speak("wandb").init(project="p", step_by="metric", on_bad_value="raise") as run:
        with pytest.raises(TypeError):
            run.log({"a": None})
        run.log({"a": 1})
        run.log({"b": 1})
    assert run.history("b")["step"].to_list() == [0]


@pytest.mark.parametrize(("tracker", "same"), [("wandb", False), ("swanlab", False), ("trackio", True)])
def test_name_resumes_a_run_only_in_trackio(tracker: str, same: bool) -> None:
    module = speak(tracker)
    first = module.init(project="p", name="r")
    first.finish()
    second = module.init(project="p", name="r", resume="allow")
    assert (second.id == first.id) is same


@pytest.mark.parametrize("tracker", ["wandb", "swanlab", "trackio"])
def test_id_resumes_a_run(tracker: str) -> None:
    module = speak(tracker)
    module.init(project="p", id="abc").finish()
    assert module.init(project="p", id="abc", resume="must").id == "abc"
    assert tb.runs("p").height == 1


@pytest.mark.parametrize("tracker", ["wandb", "swanlab", "trackio"])
def test_run_that_must_be_there_is_an_error(tracker: str) -> None:
    with pytest.raises(ValueError, match="nope"):
        speak(tracker).init(project="p", name="nope", resume="must")


def test_wandbs_older_form_of_resuming() -> None:
    wandb = speak("wandb")
    wandb.init(project="p", resume="abc").finish()
    assert wandb.init(project="p", resume="abc").id == "abc"


def test_wandb_resumes_from_a_step() -> None:
    wandb = speak("wandb")
    with wandb.init(project="p", id="abc") as run:
        for value in range(5):
            run.log({"a": value})
    with wandb.init(project="p", resume_from="abc?_step=1") as run:
        run.log({"a": 9})
    assert run.history()["value"].to_list() == [0, 1, 9]


@pytest.mark.parametrize(
    ("tracker", "given"),
    [
        ("trackio", ("p", "r", "g")),
        ("wandb", (None, "p", None, None, "r")),
        ("swanlab", ("p", None, "r")),
    ],
)
def test_arguments_without_keywords(tracker: str, given: tuple[Any, ...]) -> None:
    run = speak(tracker).init(*given)
    assert (run.project, run.name) == ("p", "r")


def test_arguments_without_keywords_are_counted() -> None:
    with pytest.raises(TypeError, match="at most 4 arguments without a keyword"):
        speak("trackio").init(1, 2, 3, 4, 5)
    with pytest.raises(TypeError, match="got project twice"):
        speak("trackio").init("p", project="q")


def test_variables_of_wandb(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PROJECT": "p", "NAME": "r", "RUN_GROUP": "g", "NOTES": "n", "RUN_ID": "abc"}.items():
        monkeypatch.setenv(f"WANDB_{name}", value)
    run = speak("wandb").init()
    assert (run.project, run.name, run.group, run.notes, run.id) == ("p", "r", "g", "n", "abc")
    run.finish()
    with speak("wandb").init(project="q", name=None, id="def") as run:
        assert (run.project, run.name) == ("q", "r")
    assert speak("trackio").init("p").name != "r"


@pytest.mark.parametrize(("tracker", "variable"), [("wandb", "WANDB_MODE"), ("swanlab", "SWANLAB_MODE")])
def test_variable_that_disables(tracker: str, variable: str, monkeypatch: pytest.MonkeyPatch, store_dir: Path) -> None:
    monkeypatch.setenv(variable, "disabled")
    run = speak(tracker).init(project="p")
    run.log({"a": 1})
    assert run.disabled
    run.finish()
    assert not store_dir.exists()


def test_keywords_of_trackio() -> None:
    with pytest.warns(TrackbookWarning, match="init\\(\\) ignores auto_log_cpu") as caught:
        speak("trackio").init("p", embed=False, auto_log_gpu=True, auto_log_cpu=False, gpu_log_interval=5.0)
    assert len(caught) == 1


def test_wandbs_force_is_not_ours() -> None:
    wandb = speak("wandb")
    run = wandb.init(project="p", id="abc")
    with pytest.raises((ValueError, RuntimeError)):
        wandb.init(project="p", id="abc", resume="allow", reinit="create_new", force=True)
    assert not run.ended


@pytest.mark.parametrize(
    ("state", "recorded"), [("success", "finished"), ("crashed", "failed"), ("aborted", "interrupted")]
)
def test_swanlabs_states(state: str, recorded: str) -> None:
    swanlab = speak("swanlab")
    run = swanlab.init(project="p")
    swanlab.finish(swanlab.State(state), error="what happened")
    assert (run.state, run.record.error) == (recorded, "what happened")


def test_trackio_deletes_a_project() -> None:
    trackio = speak("trackio")
    trackio.init("p").finish()
    assert trackio.delete_project("p", force=True)
    assert not trackio.delete_project("p", force=True)
    trackio.init("q").finish()
    with pytest.raises(ValueError, match="force=True"):
        trackio.delete_project("q")


def test_trackio_records_system_metrics_by_time() -> None:
    trackio = speak("trackio")
    with pytest.raises(RuntimeError, match="needs a run"):
        trackio.log_system({"gpu": 1})
    run = trackio.init("p")
    run.log({"loss": 1})
    trackio.log_system({"gpu": 0.5})
    run.log_system({"gpu": {"0": 0.25}})
    run.log({"loss": 2})
    trackio.log_system({"gpu": 0.75})
    trackio.finish()
    assert run.system()["metric", "value"].rows() == [("gpu", 0.5), ("gpu", 0.75), ("gpu/0", 0.25)]
    assert run.history()["metric", "step"].rows() == [("loss", 0), ("loss", 1)]


def test_show_waits_in_a_script(monkeypatch: pytest.MonkeyPatch) -> None:
    trackio = speak("trackio")
    monkeypatch.delattr(sys, "ps1", raising=False)  # IPython sets it, which other tests have used
    calls: list[dict[str, Any]] = []
    monkeypatch.setattr(
        trackio, "show_boards", lambda project, **options: calls.append({"project": project, **options})
    )
    trackio.show("p", open_browser=False, server_port=9000)
    trackio.show(block_thread=False)
    with pytest.warns(TrackbookWarning, match="show\\(\\) ignores theme"):
        trackio.show(theme="soft", host="0.0.0.0")
    assert calls == [
        {"project": "p", "host": "127.0.0.1", "port": 9000, "open_browser": False, "block": True},
        {"project": None, "host": "127.0.0.1", "port": None, "open_browser": None, "block": False},
        {"project": None, "host": "0.0.0.0", "port": None, "open_browser": None, "block": True},
    ]


def test_run_of_a_dialect_is_a_run_of_trackbook() -> None:
    wandb: ModuleType = speak("wandb")
    with wandb.init(project="p") as run:
        assert type(run) is tb.Run
        assert wandb.run is run is tb.run


def test_watch_takes_wandbs_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    wandb = speak("wandb")
    with pytest.raises(RuntimeError, match="needs a run"):
        wandb.watch("model")
    wandb.init(project="p")
    calls: list[Any] = []
    monkeypatch.setattr(tb.Run, "watch", lambda _, *given, **named: calls.append((given, named)))
    wandb.watch("model", object(), log="all", log_freq=100, idx=1)
    wandb.watch(["a", "b"])
    assert calls == [
        (("model", "all"), {"log_freq": 100, "idx": 1}),
        (("a", "gradients"), {"log_freq": None}),
        (("b", "gradients"), {"log_freq": None}),
    ]


def test_model_that_cannot_be_watched_does_not_stop_training() -> None:
    wandb = speak("wandb")
    wandb.init(project="p")
    with pytest.warns(TrackbookWarning, match=r"takes a torch\.nn\.Module"):
        wandb.watch({})


def test_keywords_of_unknown_calls_are_anything() -> None:
    wandb = speak("wandb")
    with pytest.warns(TrackbookWarning, match="is unknown to trackbook"):
        wandb.profile(name="x", path="y", self=1)
    with pytest.warns(TrackbookWarning, match="is unknown to trackbook"):
        wandb.Fancy(name="x", self=1)
    run = wandb.init(project="p")
    with pytest.warns(TrackbookWarning, match="at once"):
        done = wandb.async_log(lambda run, func: {"a": run + func}, run=1, func=2)
    assert done.result() == {"a": 3.0}
    assert run.history()["value"].to_list() == [3.0]
