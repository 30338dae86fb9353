from __future__ import annotations

import os
import re
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import platformdirs
import pytest

import trackbook as tb
from trackbook import TrackbookWarning, settings
from trackbook.settings import data_dir, notebook_path


def test_given_folder_takes_precedence(tmp_path: Path) -> None:
    assert data_dir(tmp_path / "mine") == tmp_path / "mine"
    assert data_dir(str(tmp_path / "mine")) == tmp_path / "mine"


def test_environment_variable_sets_the_folder(store_dir: Path) -> None:
    assert data_dir() == store_dir
    assert data_dir("") == store_dir


@pytest.mark.parametrize("value", [None, ""])
def test_default_folder_is_the_users_data_folder(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    if value is None:
        monkeypatch.delenv("TRACKBOOK_DIR")
    else:
        monkeypatch.setenv("TRACKBOOK_DIR", value)
    assert data_dir() == Path(platformdirs.user_data_dir("trackbook", appauthor=False))


def test_relative_folder_is_independent_of_later_chdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    chosen = data_dir("runs")
    assert chosen.is_absolute()
    assert chosen.parent.samefile(tmp_path)


def test_a_relative_folder_of_the_environment_is_made_absolute_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings._folder_of_environment.cache_clear()
    monkeypatch.setenv("TRACKBOOK_DIR", "my-runs")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    first = data_dir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert data_dir() == first == tmp_path / "my-runs"
    settings._folder_of_environment.cache_clear()


@pytest.mark.parametrize("name", ["~/board.json", "board.json"])
def test_all_user_paths_are_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with tb.init("p", "r", capture=False, display=False) as run:
        run.log({"a": 1})
    parquet = name.replace("json", "parquet")
    tb.board("p").save(name)
    run.to_parquet(parquet)
    tb.export("p", name.replace("board.json", "all.parquet"))
    assert {"board.json", "board.parquet", "all.parquet"} <= {path.name for path in tmp_path.iterdir()}
    assert tb.import_parquet(parquet, "other")[0].name == "r"
    assert tb.board(Path(parquet)).get_state()


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"SLURM_PROCID": "2"}, True),
        ({"SLURM_PROCID": "2", "SLURM_NTASKS": "4"}, True),
        ({"SLURM_PROCID": "0"}, False),
        ({"SLURM_PROCID": "2", "RANK": "2"}, False),
        ({"SLURM_PROCID": "2", "MASTER_ADDR": "node1", "WORLD_SIZE": "4"}, False),
        ({"RANK": "2"}, False),
    ],
)
def test_srun_tasks_that_do_not_record_warn(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], said: bool
) -> None:
    for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "SLURM_PROCID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        tb.init("p", capture=False, display=False).finish()
        tb.init("p", capture=False, display=False, all_ranks=True).finish()
    assert [str(one.message)[:14] for one in caught] == ["this is task 2"] * said


def stand_in_for_ray(
    monkeypatch: pytest.MonkeyPatch, *, refusal: Exception | None = None, actor: str | None = "a"
) -> None:
    """Put modules in Ray's place that answer as Ray does in a worker of Ray Train, or refuse as in another actor, or in a driver."""

    def get_context() -> Any:
        if refusal is not None:
            raise refusal
        return SimpleNamespace(get_world_rank=lambda: 3, get_experiment_name=lambda: "exp")

    process = SimpleNamespace(get_actor_id=lambda: actor)
    ray = SimpleNamespace(is_initialized=lambda: True, get_runtime_context=lambda: process)
    monkeypatch.setitem(sys.modules, "ray", cast("ModuleType", ray))
    monkeypatch.setitem(sys.modules, "ray.train", cast("ModuleType", SimpleNamespace(get_context=get_context)))


def test_worker_of_ray_has_rays_rank_rather_than_its_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in_for_ray(monkeypatch)
    monkeypatch.setenv("SLURM_PROCID", "1")
    monkeypatch.setenv("SLURM_JOB_ID", "77")
    assert (settings.rank(), settings.job(), settings.is_task_only()) == (3, "job exp", False)
    monkeypatch.setenv("RANK", "2")
    assert settings.rank() == 2


@pytest.mark.parametrize(
    ("refusal", "actor"),
    [
        (RuntimeError("Ray Train function utilities not initialized."), "a"),
        (DeprecationWarning("`ray.train.get_context` is deprecated in a function passed to Ray Tune."), "a"),
        (None, None),
    ],
    ids=["actor", "trial", "driver"],
)
def test_other_process_of_ray_has_no_rank(
    monkeypatch: pytest.MonkeyPatch, refusal: Exception | None, actor: str | None
) -> None:
    stand_in_for_ray(monkeypatch, refusal=refusal, actor=actor)
    assert (settings.rank(), settings.job()) == (0, None)


@pytest.mark.parametrize("is_trial", [False, True])
@pytest.mark.parametrize("of_init", [False, True])
def test_folder_that_is_relative_to_rays_own_warns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_trial: bool, of_init: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    name = f"runs {is_trial} {of_init}"  # another one each time, as that of the environment is looked at once
    monkeypatch.setenv("TRACKBOOK_DIR", "" if of_init else name)
    if is_trial:
        monkeypatch.setenv("TUNE_ORIG_WORKING_DIR", str(tmp_path.parent))
    else:
        stand_in_for_ray(monkeypatch)
    with pytest.warns(TrackbookWarning, match=f"kept in {re.escape(str(tmp_path / name))}.*absolute path"):
        assert data_dir(name if of_init else None) == tmp_path / name
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert data_dir(tmp_path / name) == tmp_path / name
        monkeypatch.setenv("TUNE_ORIG_WORKING_DIR", str(tmp_path))  # as where Ray is told not to change it
        monkeypatch.delitem(sys.modules, "ray", raising=False)
        assert data_dir("runs") == tmp_path / "runs"


def test_a_tilde_is_the_home_folder() -> None:
    assert data_dir("~/runs") == Path(os.path.expanduser("~")) / "runs"  # noqa: PTH111  # by another way than ours


@pytest.fixture
def homeless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user whom the user database does not know, without HOME, as in some containers."""

    def unknown(*_: Any, **__: Any) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(platformdirs, "user_data_dir", unknown)
    monkeypatch.setattr(Path, "expanduser", unknown)
    monkeypatch.delenv("TRACKBOOK_DIR")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    settings._homeless_dir.cache_clear()
    yield tmp_path
    settings._homeless_dir.cache_clear()


@pytest.mark.parametrize("override", [None, "~/runs"])
def test_user_without_home_has_a_folder_and_one_warning(homeless: Path, override: str | None) -> None:
    with pytest.warns(TrackbookWarning, match="TRACKBOOK_DIR") as said:
        folder, again = data_dir(override), data_dir(override)
    assert folder == again
    assert len(said) == 1
    assert str(folder) in str(said[0].message)
    assert folder.parent == homeless
    if sys.platform != "win32":
        assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no user ids")
def test_temporary_folder_of_another_user_is_not_taken(homeless: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.warns(TrackbookWarning):
        theirs = data_dir()
    settings._homeless_dir.cache_clear()
    (homeless / "real").mkdir()
    theirs.rmdir()
    theirs.symlink_to(homeless / "real")
    with pytest.warns(TrackbookWarning):
        assert data_dir() != theirs


def test_the_notebooks_path_is_what_jupyter_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/me/digits.ipynb")
    assert notebook_path() == "/home/me/digits.ipynb"


@pytest.mark.parametrize("value", [None, ""])
def test_notebook_path_is_none_without_jupyter(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    if value is not None:
        monkeypatch.setenv("JPY_SESSION_NAME", value)
    assert notebook_path() is None
