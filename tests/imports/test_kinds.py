from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from foreign_stores import (
    SWANLAB,
    WANDB,
    event,
    leveldb,
    simple,
    swanlab_start,
    tf_record,
    trackio_db,
    wandb_run,
)
from trackbook.imports.kinds import KINDS, is_parquet, kind_of


def made(folder: Path, kind: str) -> Path:
    """Write a store of this kind, and return its file."""
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "trackio":
        return trackio_db(folder / "p.db", [])
    if kind == "mlflow":
        (folder / "mlruns" / "0").mkdir(parents=True)
        (folder / "mlruns" / "0" / "meta.yaml").write_text("experiment_id: '0'\n")
        return folder / "mlruns"
    if kind == "aim":
        (folder / ".aim").mkdir()
        return folder / ".aim"
    name, data = {
        "wandb": ("run-w1.wandb", leveldb(WANDB, [wandb_run()])),
        "swanlab": ("run-s1.swanlab", leveldb(SWANLAB, [swanlab_start()])),
        "tensorboard": ("events.out.tfevents.1.host", tf_record(event(0, simple("a", 1.0)))),
        "csv": ("points.csv", b"step,loss\n0,1\n"),
    }[kind]
    (folder / name).write_bytes(data)
    return folder / name


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_file_and_its_folder_are_of_their_kind(tmp_path: Path, kind: str) -> None:
    file = made(tmp_path / "some" / "where", kind)
    assert kind_of(file, None).name == kind
    assert kind_of(file.parent, None).name == kind
    assert not is_parquet(file)


@pytest.mark.parametrize("kind", ["wandb", "swanlab", "trackio"])
def test_files_inside_a_trackers_folder_do_not_count(tmp_path: Path, kind: str) -> None:
    made(tmp_path, kind)
    made(tmp_path / "files", "csv")
    made(tmp_path / "files", "tensorboard")
    (tmp_path / "files" / "table.parquet").write_bytes(b"PAR1")
    assert kind_of(tmp_path, None).name == kind
    assert not is_parquet(tmp_path)


def test_folder_of_several_kinds_asks_which(tmp_path: Path) -> None:
    made(tmp_path, "wandb")
    made(tmp_path, "swanlab")
    with pytest.raises(
        ValueError, match=r"offline runs of wandb and offline runs of SwanLab: say which by kind='wandb'"
    ):
        kind_of(tmp_path, None)
    assert kind_of(tmp_path, "swanlab").name == "swanlab"


def test_unknown_kinds_and_sources_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"kind is 'wandb' or .* or 'parquet', not 'comet'"):
        kind_of(tmp_path, "comet")
    with pytest.raises(FileNotFoundError, match=r"there is no .*missing to import"):
        kind_of(tmp_path / "missing", None)
    with pytest.raises(
        ValueError, match=r"is nothing that can be imported: Parquet files; offline runs of wandb \(wandb\); "
    ):
        kind_of(tmp_path, None)


@pytest.mark.parametrize("data", [b"", b"SQLite format 3\0", b"SQLite format 3\0" + bytes(5000), b":W&B"])
def test_damaged_files_are_of_no_kind(tmp_path: Path, data: bytes) -> None:
    for name in ("x.db", "x.wandb", "x.swanlab"):
        (tmp_path / name).write_bytes(data)
    with pytest.raises(ValueError, match="nothing that can be imported"):
        kind_of(tmp_path, None)


def test_parquet(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "x.parquet").write_bytes(b"PAR1")
    assert is_parquet(tmp_path)
    assert is_parquet(tmp_path / "deep" / "x.parquet")
    shutil.rmtree(tmp_path / "deep")
    assert not is_parquet(tmp_path)
