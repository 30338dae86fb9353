from __future__ import annotations

import argparse
import contextvars
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import journals
import trackbook as tb
from processes import own_process
from trackbook.api.process import Process
from trackbook.notebook import host
from trackbook.store.paths import project_names
from trackbook.tracking.project import Project
from trackbook.tracking.run import writer_of
from trackbook.types import RunRecord
from trackbook.user_warnings import TrackbookWarning

TIMEOUT = 60


@pytest.fixture(autouse=True)
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    """Give each test a `Process` of its own."""
    with own_process(monkeypatch) as made:
        yield made


def stored(folder: Path, project: str = "default") -> list[RunRecord]:
    """The runs as another process sees them."""
    store = Project(project, folder).store
    runs = store.runs()
    store.close()
    return runs


def points(folder: Path, project: str = "default") -> list[tuple[str, int, float]]:
    store = Project(project, folder).store
    (run,) = store.runs()
    rows = journals.points(store.read(run.id))
    store.close()
    return rows


def python(program: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *options, "-c", program], capture_output=True, text=True, check=False, timeout=TIMEOUT
    )


# --- the six lines ----------------------------------------------------------------------------------------------------


def test_init_log_and_finish(store_dir: Path) -> None:
    run = tb.init("digits", "first", config={"lr": 0.1})
    assert tb.run is run
    for step in range(3):
        assert tb.log({"train": {"loss": step}}) == {"train/loss": step}
    tb.finish()
    assert tb.run is None
    (record,) = stored(store_dir, "digits")
    assert (record.name, record.state, record.config) == ("first", "finished", {"lr": 0.1})
    assert points(store_dir, "digits") == [("train/loss", 0, 0.0), ("train/loss", 1, 1.0), ("train/loss", 2, 2.0)]


def test_a_run_that_never_logs_exists_from_its_start(store_dir: Path) -> None:
    tb.init()
    assert [run.state for run in stored(store_dir)] == ["running"]


def test_init_passes_all_options_to_the_run(store_dir: Path) -> None:
    tb.init("p", "n", group="g", tags=["a", "b"], notes="why", id="mine", total=9, step_by="run")
    (run,) = stored(store_dir, "p")
    assert (run.id, run.name, run.group, run.tags, run.notes) == ("mine", "n", "g", ("a", "b"), "why")
    assert (run.total, run.step_by) == (9, "run")


def test_a_run_without_a_name_has_a_readable_one_with_its_number() -> None:
    tb.init().finish()
    assert tb.init().name.endswith("-2")


def test_log_takes_a_step_and_prints_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    run = tb.init()
    tb.log({"loss": 1}, 7, print_to_console=True)
    tb.log({"loss": 2}, step=9)
    assert run.history()["step"].to_list() == [7, 9]
    assert capsys.readouterr().out == "{'loss': 1.0}\n"


def test_step_by_run_counts_calls() -> None:
    run = tb.init(step_by="run")
    tb.log({"loss": 1})
    tb.log({"acc": 1})
    assert run.history("acc")["step"].to_list() == [1]


def test_the_config_of_the_current_run_can_be_changed_after_the_first_log(store_dir: Path) -> None:
    tb.init(config=argparse.Namespace(lr=0.1))
    tb.log({"loss": 1})
    tb.config.lr = 0.2
    tb.config["model/num_parameters"] = 10
    tb.config.update({"depth": 3}, allow_val_change=True)
    tb.finish()
    (run,) = stored(store_dir)
    assert run.config == {"lr": 0.2, "model/num_parameters": 10, "depth": 3}


def test_dir_is_the_folder_of_the_run(tmp_path: Path, store_dir: Path) -> None:
    tb.init("digits", dir=tmp_path / "mine").finish()
    assert project_names(tmp_path / "mine") == ["digits"]
    assert not store_dir.exists()


@pytest.mark.parametrize(("notebook", "project"), [("lesson-3", "lesson-3"), (None, "default")])
def test_default_project_is_the_notebooks_name_or_default(
    monkeypatch: pytest.MonkeyPatch, notebook: str | None, project: str
) -> None:
    monkeypatch.setattr(host.Host, "name", lambda _: notebook)
    assert tb.init().project == project


ODD = 'it\'s "odd" [x] <script>alert(1)</script> ../\\ \0\n datum.value 損失 📉 __proto__ ' + "x" * 500


def test_names_of_any_text_are_kept(store_dir: Path) -> None:
    run = tb.init(ODD, ODD, group=ODD, tags=[ODD], notes=ODD, id=ODD, config={ODD: ODD})
    tb.log({ODD: 1, "__proto__": 2, "constructor": {"name": 3}})
    assert run.history(wide=True).columns == ["step", ODD, "__proto__", "constructor/name"]
    tb.finish()
    (record,) = stored(store_dir, ODD)
    assert (record.id, record.name, record.group, record.tags, record.notes) == (ODD, ODD, ODD, (ODD,), ODD)
    assert record.config == {ODD: ODD}
    assert project_names(store_dir) == [ODD]
    assert tb.runs(ODD)[f"summary.{ODD}"].to_list() == [1.0]


# --- what is wrong is said --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call", [lambda: tb.log({"a": 1}), lambda: tb.track([1]), lambda: tb.config.lr], ids=["log", "track", "config"]
)
def test_call_before_init_is_a_runtime_error_with_the_remedy(call: Any) -> None:
    with pytest.raises(RuntimeError, match=r"needs a run, and no run is open; call trackbook\.init\(\.\.\.\) first"):
        call()


def test_log_after_finish_names_the_last_run() -> None:
    tb.init(name="first")
    tb.finish("failed")
    with pytest.raises(
        RuntimeError, match=r"no run is open \(the last one, 'first', has failed\); call trackbook\.init"
    ):
        tb.log({"a": 1})


def test_finish_with_no_run_open_does_nothing() -> None:
    tb.finish()
    assert tb.run is None


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"project": ""}, ValueError, "project is empty"),
        ({"project": 7}, TypeError, "project 7 is"),
        ({"project": "\ud800"}, ValueError, "half a surrogate pair"),
        ({"name": 7}, TypeError, "run name 7 is"),
        ({"id": 7}, TypeError, "run id 7 is"),
        ({"id": "  "}, ValueError, "run id .* is blank"),
        ({"group": 7}, TypeError, "group 7 is"),
        ({"notes": ["a"]}, TypeError, r"notes \['a'\] is"),
        ({"notes": "\ud800"}, ValueError, "half a surrogate pair"),
        ({"tags": [""]}, ValueError, "tag is empty"),
        ({"tags": 3}, TypeError, "tags=3 is not a list of strings"),
        ({"total": 2.5}, ValueError, "total=2.5 is not a whole number"),
        ({"total": "9"}, TypeError, "total='9' is"),
        ({"mode": "lokal"}, ValueError, "mode is one of 'local', 'disabled'"),
        ({"resume": "maybe"}, ValueError, "resume is one of 'never', 'allow', 'must'"),
        ({"reinit": "again"}, ValueError, "reinit is one of 'finish_previous', 'create_new'"),
        ({"step_by": "epoch"}, ValueError, "step_by is one of 'metric', 'run'"),
        ({"resume": "must", "name": "x"}, ValueError, "has no run with name 'x'"),
        ({"resume": "must"}, ValueError, "say which one by name=... or id=..."),
        ({"resume_from": 5}, ValueError, "say which one by name=... or id=..."),
    ],
)
def test_init_with_a_bad_argument_opens_no_run(
    store_dir: Path, arguments: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        tb.init(**arguments)
    assert tb.run is None
    assert not store_dir.exists()


@pytest.mark.parametrize("arguments", [{"mode": "lokal"}, {"name": 7}, {"total": -1}])
def test_a_wrong_argument_leaves_the_open_run_alone(arguments: dict[str, Any]) -> None:
    run = tb.init()
    with pytest.raises((TypeError, ValueError)):
        tb.init(**arguments)
    assert tb.run is run


def test_no_config_stops_training(store_dir: Path) -> None:
    with pytest.warns(TrackbookWarning, match="config is an object of type str, and recorded as"):
        tb.init(config="lr=0.1")
    assert [run.config for run in stored(store_dir)] == [{"config": "lr=0.1"}]


def test_a_total_of_numpys_kind_is_kept(store_dir: Path) -> None:
    import numpy as np

    tb.init(total=np.int64(7))
    assert [run.total for run in stored(store_dir)] == [7]


# --- keywords of other trackers ---------------------------------------------------------------------------------------


def test_keywords_of_other_trackers_are_translated(tmp_path: Path) -> None:
    run = tb.init(experiment_name="first", description="why", logdir=tmp_path / "logs", mode="cloud", reinit=True)
    assert (run.name, run.notes) == ("first", "why")
    assert project_names(tmp_path / "logs") == ["default"]


def test_unsupported_keywords_are_ignored_with_one_warning() -> None:
    with pytest.warns(tb.TrackbookWarning) as warned:
        tb.init(entity="me", workspace="lab", job_type="train", dataset_id="me/x", settings={}, experiment_name="first")
    (said,) = [str(warning.message) for warning in warned]
    assert "init() ignores entity, workspace, job_type, dataset_id, settings:" in said
    assert warned[0].filename == __file__
    assert tb.run is not None


def test_misspelt_keyword_gets_a_suggestion() -> None:
    with pytest.warns(tb.TrackbookWarning, match=r"ignores projct, entity: .* them; did you mean project\?"):
        tb.init(projct="x", entity="me")


# --- several runs -----------------------------------------------------------------------------------------------------


def test_second_init_finishes_the_first_run_with_a_warning() -> None:
    first = tb.init(name="first")
    with pytest.warns(tb.TrackbookWarning, match=r"run 'first' was still open and is finished now; .*create_new"):
        second = tb.init()
    assert (first.state, second.state) == ("finished", "running")
    tb.log({"a": 1})
    assert len(second.history()) == 1


def test_refused_init_leaves_the_open_run_open() -> None:
    first = tb.init(name="first")
    for wrong in ({"capture": "consle"}, {"resume_from": "x"}, {"system_seconds": -1}):
        with pytest.raises((TypeError, ValueError), match=next(iter(wrong))):
            tb.init(**wrong)  # type: ignore[arg-type]
    assert first.state == "running"


def test_runs_side_by_side_each_get_their_own() -> None:
    first = tb.init(name="first")
    second = tb.init(name="second", reinit="create_new")
    first.log({"a": 1})
    tb.log({"a": 2})
    second.log({"a": 3})
    assert first.history()["value"].to_list() == [1]
    assert second.history()["value"].to_list() == [2, 3]


def test_when_the_newest_run_ends_the_one_before_is_current() -> None:
    first = tb.init(name="first")
    tb.init(name="second", reinit="create_new").finish()
    assert tb.run is first


def test_a_context_keeps_its_own_current_run() -> None:
    first = tb.init(name="first")
    context = contextvars.copy_context()
    second = context.run(tb.init, name="second", reinit="create_new")
    tb.log({"a": 1})
    context.run(tb.log, {"a": 2})
    assert first.history()["value"].to_list() == [1]
    assert second.history()["value"].to_list() == [2]


def in_thread(function: Any, *arguments: Any) -> Any:
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(function(*arguments)))
    thread.start()
    thread.join(TIMEOUT)
    return results[0]


def test_another_thread_logs_to_the_open_run() -> None:
    run = tb.init()
    assert in_thread(tb.log, {"a": 1}) == {"a": 1.0}
    assert len(run.history()) == 1


def test_run_opened_by_another_thread_is_current() -> None:
    run = in_thread(tb.init)
    assert tb.run is run


def test_another_thread_can_finish_the_run() -> None:
    run = tb.init()
    in_thread(tb.finish)
    assert run.state == "finished"
    assert tb.run is None


def test_a_with_block_ends_its_run_and_no_other() -> None:
    outer = tb.init(name="outer")
    with pytest.raises(ValueError), tb.init(name="inner", reinit="create_new") as inner:
        raise ValueError
    assert (inner.state, outer.state) == ("failed", "running")


# --- resumed ----------------------------------------------------------------------------------------------------------


def test_run_resumed_by_id_continues_its_steps() -> None:
    tb.init(id="mine", config={"lr": 0.1})
    tb.log({"loss": 1}, step=9)
    tb.finish("failed")
    run = tb.init(id="mine", resume="must", config={"depth": 3})
    tb.log({"loss": 2})
    assert run.history("loss")["step"].to_list() == [9, 10]
    assert (run.state, dict(run.config)) == ("running", {"lr": 0.1, "depth": 3})
    assert len(tb.runs()) == 1


def test_run_that_is_not_there_to_be_resumed_makes_no_folder(tmp_path: Path) -> None:
    folder = tmp_path / "none"
    with pytest.raises(ValueError, match="no run with name 'a'"):
        tb.init("p", "a", resume="must", dir=folder)
    assert not folder.exists()


def test_resume_allow_continues_the_run_of_the_name() -> None:
    first = tb.init(name="first")
    tb.log({"loss": 1})
    with pytest.warns(tb.TrackbookWarning, match="was still open"):
        again = tb.init(name="first", resume="allow")
    tb.log({"loss": 2})
    assert again.id == first.id
    assert again.history("loss")["value"].to_list() == [1, 2]


def test_an_id_that_is_taken_is_a_value_error() -> None:
    tb.init(id="mine").finish()
    with pytest.raises(ValueError, match="has a run with id 'mine' already"):
        tb.init(id="mine")


# --- disabled ---------------------------------------------------------------------------------------------------------


def test_disabled_run_works_and_keeps_nothing(store_dir: Path) -> None:
    run = tb.init(mode="disabled", config={"lr": 0.1}, total=2)
    for _ in tb.track([1, 2]):
        assert tb.log({"a": {"b": "1"}}) == {"a/b": 1.0}
    tb.config.lr = 0.2
    assert run.name
    assert run.history().is_empty()
    assert dict(run.summary) == {}
    tb.finish()
    assert run.state == "finished"
    assert not store_dir.exists()


def test_disabled_run_still_raises_errors() -> None:
    tb.init(mode="disabled")
    with pytest.raises(TypeError, match="metric 'a'"):
        tb.log({"a": "high"})


# --- progress ---------------------------------------------------------------------------------------------------------


def test_track_uses_the_length_of_an_iterable() -> None:
    run = tb.init()
    assert list(tb.track("abc")) == ["a", "b", "c"]
    assert (run.done, run.total) == (3, 3)


def test_total_of_track_overrides_the_length() -> None:
    run = tb.init()
    assert list(tb.track("abc", total=9)) == ["a", "b", "c"]
    assert (run.done, run.total) == (3, 9)


def test_track_without_a_length_uses_the_given_total() -> None:
    run = tb.init(total=5)
    assert list(tb.track(iter("ab"))) == ["a", "b"]
    assert (run.done, run.total) == (2, 5)
    assert list(tb.track(iter("ab"), total=2)) == ["a", "b"]
    assert (run.done, run.total) == (2, 2)


# --- the table of runs ------------------------------------------------------------------------------------------------


def test_runs_defaults_to_the_last_project() -> None:
    tb.init("p", name="a").finish()
    tb.init("q", name="b", config={"lr": 0.1})
    tb.log({"loss": 0.5})
    assert tb.runs().select("name", "state", "points", "config.lr", "summary.loss").rows() == [
        ("b", "running", 1, 0.1, 0.5)
    ]
    assert tb.runs("p").select("name", "state").rows() == [("a", "finished")]


def test_runs_of_an_unknown_project_lists_the_known_projects(store_dir: Path) -> None:
    with pytest.raises(ValueError, match=r"there is no project 'nowhere' in .*; there is none at all"):
        tb.runs("nowhere")
    assert not store_dir.exists()
    tb.init(project="digits").finish()
    with pytest.raises(ValueError, match="there are 'digits'"):
        tb.runs("elsewhere")


def test_wandbs_keywords_of_log_and_finish_are_taken() -> None:
    run = tb.init()
    tb.log({"loss": 1.0}, commit=False)
    tb.finish(exit_code=1, quiet=True)
    assert (run.state, len(run.history())) == ("failed", 1)


def test_run_and_config_are_offered_for_completion() -> None:
    assert {"run", "config", "log"} <= set(dir(tb))


# --- failing disks ----------------------------------------------------------------------------------------------------


def test_training_continues_when_nothing_can_be_written(store_dir: Path) -> None:
    store_dir.write_text("a file where the folder should be")
    run = tb.init()
    (notice,) = writer_of(run).store.notices
    assert "Cannot write" in notice

    def train() -> None:
        for step in range(3):
            tb.log({"loss": step})
        tb.finish()

    with pytest.warns(tb.TrackbookWarning, match="Cannot write") as warned:
        train()
    assert ["Nothing is lost while" in str(each.message) for each in warned] == [True, False]
    assert "3 points of run" in str(warned[-1].message)  # once the run has ended
    assert run.history("loss")["value"].to_list() == [0, 1, 2]
    assert store_dir.read_text() == "a file where the folder should be"


# --- the end of the process -------------------------------------------------------------------------------------------


def test_at_exit_a_failing_end_does_not_stop_the_others(process: Process, store_dir: Path) -> None:
    def fail(run: tb.Run) -> None:
        raise RuntimeError("on end")

    writer_of(tb.init(name="first")).on_end.append(fail)
    tb.init(name="second", reinit="create_new").log({"loss": 1})
    with pytest.raises(RuntimeError, match="on end"):
        process.close()
    assert {run.name: run.state for run in stored(store_dir)} == {"first": "finished", "second": "finished"}


def test_a_script_that_never_calls_finish_loses_nothing(store_dir: Path) -> None:
    done = python("import trackbook as tb; tb.init()\nfor i in range(5000): tb.log({'loss': i})")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [run.state for run in stored(store_dir)] == ["finished"]
    assert points(store_dir) == [("loss", i, float(i)) for i in range(5000)]


def test_a_script_that_dies_of_an_exception_has_failed_and_loses_nothing(store_dir: Path) -> None:
    done = python("import trackbook as tb; tb.init(); tb.log({'loss': 1}); raise ValueError('bad batch')")
    assert done.stderr.endswith("ValueError: bad batch\n")
    assert [(run.state, run.error) for run in stored(store_dir)] == [("failed", "ValueError: bad batch")]
    assert points(store_dir) == [("loss", 0, 1.0)]


@pytest.mark.skipif(sys.platform == "win32", reason="a signal to oneself is no Ctrl-C on Windows")
def test_script_stopped_by_ctrl_c_is_interrupted(store_dir: Path) -> None:
    python(
        f"import os, trackbook as tb; tb.init(); tb.log({{'loss': 1}}); os.kill(os.getpid(), {signal.SIGINT:d}); [0] * 9"
    )
    assert [run.state for run in stored(store_dir)] == ["interrupted"]
    assert points(store_dir) == [("loss", 0, 1.0)]


def test_a_fresh_process_reads_what_another_wrote(store_dir: Path) -> None:
    tb.init("digits", "first", config={"lr": 0.1, "model": {"depth": 3}})
    tb.log({"loss": 0.5, "損失": float("nan")})
    tb.finish()
    done = python(
        "import trackbook as tb; row, = tb.runs('digits').to_dicts(); print(row['name'], row['state'], row['config.lr'])\n"
        "run = tb.init('digits', 'first', resume='must'); print(run.history(wide=True).rows(), run.config)"
    )
    assert done.stderr == ""
    assert done.stdout == "first finished 0.1\n[(0, 0.5, nan)] {'lr': 0.1, 'model': {'depth': 3}}\n"


def test_a_running_run_is_read_while_another_process_writes_it(store_dir: Path) -> None:
    program = (
        "import trackbook as tb; tb.init('digits', 'there'); print('ready', flush=True); input(); tb.log({'loss': 1})"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        assert tb.runs("digits").select("name", "state", "points").rows() == [("there", "running", 0)]
        other.communicate("\n", timeout=TIMEOUT)
    assert tb.runs("digits").select("name", "state", "points").rows() == [("there", "finished", 1)]


def test_empty_names_count_as_missing() -> None:
    run = tb.init(name="", id="", group="", notes="")
    assert (run.name != "", run.id != "", run.group, run.notes) == (True, True, None, None)
    run.finish()


@pytest.mark.parametrize("reinit", [True, "finish_previous"])
def test_reinit_that_asks_for_it_finishes_the_open_run_without_a_word(reinit: Any) -> None:
    first = tb.init("p")
    with tb.init("p", reinit=reinit):
        assert first.state == "finished"


def test_reinit_can_return_the_open_run() -> None:
    first = tb.init()
    assert tb.init(reinit="return_previous") is first
    first.finish()


def test_keywords_that_are_none_give_no_warning() -> None:
    tb.init(space_id=None, entity=None).finish()


@pytest.mark.parametrize("given", [{"project": " "}, {"project": "p", "name": "\t"}, {"project": "p", "group": " "}])
def test_blank_names_are_refused(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"is blank; give one, such as 'digits'"):
        tb.init(**given)
