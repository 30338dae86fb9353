from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import trackbook as tb
import webhooks
from journals import abandoned
from processes import own_process
from trackbook.api import projects
from trackbook.api.process import process
from trackbook.notebook import host


def a_run(name: str = "first", project: str = "p", values: tuple[float, ...] = (3.0, 2.0, 1.0)) -> tb.Run:
    with tb.init(project=project, name=name, config={"lr": 0.1}) as run:
        for value in values:
            tb.log({"loss": value})
    return run


def names(project: str = "p") -> list[str]:
    return tb.runs(project)["name"].to_list()


def test_a_run_is_found_by_its_id_and_by_its_name() -> None:
    run = a_run()
    assert [tb.get_run(run.id, "p").id, tb.get_run("first", "p").id] == [run.id, run.id]


def test_of_several_runs_of_one_name_the_latest_is_found() -> None:
    a_run()
    latest = a_run()
    assert tb.get_run("first", "p").id == latest.id


def test_get_run_defaults_to_the_current_or_last_run() -> None:
    with tb.init(project="p") as run:
        assert tb.get_run() is run
    assert tb.get_run() is run


def test_the_last_run_of_a_project_is_found() -> None:
    a_run(project="p")
    a_run("second", project="q")
    assert tb.get_run(project="p").name == "first"


def test_missing_run_is_an_error_that_lists_existing_runs() -> None:
    a_run()
    with pytest.raises(ValueError, match="project 'p' has no run 'fist'; did you mean 'first'"):
        tb.get_run("fist", "p")


def test_a_project_without_runs_has_no_last_run() -> None:
    with pytest.raises(ValueError, match="project 'empty' has no runs"):
        tb.get_run(project="empty")


def test_last_run_may_be_recovered_from_a_journal(store_dir: Path) -> None:
    abandoned(store_dir / "p.journals", [(0, 0, 0.5)], started=1.0)
    run = tb.get_run(project="p")
    assert (run.id, run.state, run.summary["a"]) == ("r1", "lost", 0.5)


def test_project_of_a_later_version_is_not_taken_for_empty(store_dir: Path, tmp_path: Path) -> None:
    a_run()
    project = process().project("p")
    process().forget_project(project)
    process().pump.stop()  # a tick under way would open the file again
    project.store.close()
    with contextlib.closing(sqlite3.connect(store_dir / "p.trackbook.db")) as db, db:
        db.execute("update meta set value = '99' where key = 'schema_version'")
    content = (store_dir / "p.trackbook.db").read_bytes()
    for act in (
        lambda: tb.get_run("first", "p"),
        lambda: tb.get_run(project="p"),
        lambda: tb.runs("p"),
        lambda: tb.sql("select * from points", "p"),
        lambda: tb.export("p", tmp_path / "out"),
        lambda: tb.delete_project("p", force=True),
    ):
        with pytest.raises(OSError, match="pip install --upgrade trackbook"):
            act()
    assert (store_dir / "p.trackbook.db").read_bytes() == content


def test_ended_run_reads_like_an_open_one() -> None:
    a_run()
    run = tb.get_run("first", "p")
    assert run.history()["value"].to_list() == [3.0, 2.0, 1.0]
    assert (run.summary["loss"], run.summary.min["loss"], run.config.lr, run.state) == (1.0, 1.0, 0.1, "finished")


def test_ended_run_takes_no_points() -> None:
    a_run()
    with pytest.raises(RuntimeError, match="has finished and takes no more points"):
        tb.get_run("first", "p").log({"loss": 1})


def test_tags_and_notes_can_be_edited_later() -> None:
    a_run()
    run = tb.get_run("first", "p")
    run.tags, run.notes = ["best"], "the one"
    again = tb.get_run("first", "p")
    assert (again.tags, again.notes, again.state) == (("best",), "the one", "finished")


def test_a_run_is_renamed() -> None:
    a_run()
    tb.rename_run("first", "baseline", "p")
    assert names() == ["baseline"]


def test_moved_run_keeps_all_its_data() -> None:
    moved = a_run()
    tb.move_run("first", "q", "p")
    run = tb.get_run(moved.id, "q")
    assert (names("p"), run.config.lr) == ([], 0.1)
    assert run.history()["value"].to_list() == [3.0, 2.0, 1.0]


def test_run_is_not_moved_over_another() -> None:
    tb.init(project="p", id="same").finish()
    tb.init(project="q", id="same").finish()
    with pytest.raises(ValueError, match="project 'q' has a run with id 'same' already"):
        tb.move_run("same", "q", "p")
    assert len(names("p")) == 1


def test_deleting_without_a_prompt_needs_force() -> None:
    a_run()
    with pytest.raises(ValueError, match="Nobody can answer here: pass force=True"):
        tb.delete_run("first", "p")
    assert tb.delete_run("first", "p", force=True)
    assert names() == []


@pytest.mark.parametrize(("answer", "left"), [("y", []), ("", ["first"]), ("no", ["first"])])
def test_deleting_asks_first(monkeypatch: pytest.MonkeyPatch, answer: str, left: list[str]) -> None:
    a_run()
    monkeypatch.setattr(projects.sys, "stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("builtins.input", lambda _: answer)
    tb.delete_run("first", "p")
    assert names() == left


@pytest.mark.parametrize(
    "act", [lambda: tb.delete_run("first", "p", force=True), lambda: tb.move_run("first", "q", "p")]
)
def test_run_being_written_is_not_deleted(act: object) -> None:
    with tb.init(project="p", name="first"), pytest.raises(ValueError, match="is still running"):
        act()  # type: ignore[operator]
    assert names() == ["first"]


def test_get_run_accepts_a_run() -> None:
    run = a_run(project="p")
    assert tb.get_run(run, "p").id == run.id
    tb.rename_run(run, "second", "p")
    tb.move_run(run, "q", "p")
    assert names("q") == ["second"]
    assert tb.delete_run(run, "q", force=True)
    assert names("q") == []


def test_missing_project_cannot_be_deleted() -> None:
    a_run(project="p")
    with pytest.raises(ValueError, match=r"there is no project 'q' in .*; there are 'p'$"):
        tb.delete_project("q", force=True)


def test_missing_project_is_refused_with_the_one_that_was_meant() -> None:
    a_run(project="sweep")
    with pytest.raises(ValueError, match=r"there is no project 'swep' in .*; did you mean 'sweep'\?$"):
        tb.runs("swep")


@pytest.mark.parametrize("read", [tb.runs, tb.alerts, lambda: tb.sql("select * from points")])
def test_reading_without_a_project_names_those_that_there_are(
    read: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    a_run(project="sweep")
    with (
        own_process(monkeypatch),
        pytest.raises(ValueError, match=r"there is no project 'default' in .*; there are 'sweep'$"),
    ):
        read()


def test_before_the_first_run_of_all_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with own_process(monkeypatch):
        assert tb.runs().height == 0


def test_a_project_is_deleted_with_its_file(store_dir: Path) -> None:
    a_run(project="p")
    a_run(project="q")
    assert tb.delete_project("p", force=True)
    assert [path.name for path in store_dir.iterdir() if path.name.startswith("p.")] == []
    assert names("q") == ["first"]


def test_deleted_project_can_be_started_again() -> None:
    a_run()
    tb.delete_project("p", force=True)
    a_run("anew")
    assert names() == ["anew"]


def test_rewound_run_continues_from_its_step() -> None:
    a_run(values=(5.0, 4.0, 3.0, 2.0))
    with tb.init(project="p", name="first", resume_from=1) as run:
        tb.log({"loss": 9.0})
    assert run.history().select("step", "value").rows() == [(0, 5.0), (1, 4.0), (2, 9.0)]
    assert run.summary.min["loss"] == 4.0


def test_rewound_points_stay_deleted_after_reopening() -> None:
    a_run(values=(5.0, 4.0, 3.0, 2.0))
    tb.init(project="p", name="first", resume_from=0).finish()
    assert tb.get_run("first", "p").history()["value"].to_list() == [5.0]


@pytest.mark.parametrize("variable", ["RANK", "SLURM_PROCID", "LOCAL_RANK"])
@pytest.mark.filterwarnings("ignore:this is task 3 of an srun job")
def test_only_rank_0_of_a_distributed_job_records(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "3")
    slurm = variable == "SLURM_PROCID"  # whose tasks may be runs on their own
    with pytest.warns(tb.TrackbookWarning, match="task 3 of an srun job") if slurm else contextlib.nullcontext():
        a_run("silent")
    monkeypatch.setenv(variable, "0")
    a_run("recorded")
    assert names() == ["recorded"]


@pytest.mark.parametrize("mode", ["disabled", "local"])
def test_run_that_is_not_recorded_keeps_and_sends_nothing(
    store_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    kept = tmp_path / "weights.txt"
    kept.write_text("1.5")
    with webhooks.service() as receiver:
        if mode == "local":
            monkeypatch.setenv("RANK", "1")
        with tb.init("p", mode=mode, webhook_url=receiver.url) as run:
            run.log({"loss": 1.0, "picture": tb.Image(np.zeros((4, 4, 3), "uint8"))})
            run.alert("of a run that is not recorded")
            run.save(kept)
            run.log_artifact(kept)
            with pytest.raises(RuntimeError, match="is not recorded"):
                run.share()
            assert (run.mode, repr(run).endswith("running, not recorded>")) == ("disabled", True)
        monkeypatch.setenv("RANK", "0")
        assert not store_dir.exists()
        with tb.init("p", webhook_url=receiver.url) as run:
            run.alert("recorded")
        assert receiver.arrived.acquire(timeout=60)
    assert [message["title"] for message in receiver.got] == ["recorded"]


def test_notebook_with_a_rank_is_told_that_it_records_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "2")
    monkeypatch.setattr(type(host.current()), "is_notebook", True)
    with pytest.warns(tb.TrackbookWarning, match=r"this is rank 2 .* nothing of this run is kept; unset RANK"):
        tb.init("p", display=False).finish()


def test_all_ranks_record_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "3")
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "7")
    for name in ("ddp", None):
        tb.init(project="p", name=name, all_ranks=True).finish()
    groups = dict(tb.runs("p").select("name", "group").iter_rows())
    assert groups == {"ddp rank 3": "ddp", "rank 3": "job 7"}


def test_all_ranks_outside_of_a_job_changes_nothing() -> None:
    with tb.init(project="p", name="alone", all_ranks=True) as run:
        assert (run.name, run.group) == ("alone", None)
