"""Jobs of several processes, with the variables that their launchers set."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import trackbook as tb

TRAIN = """
import sys
import trackbook as tb
with tb.init("p", name=sys.argv[1] or None, all_ranks="all" in sys.argv, capture=False) as run:
    for step in range(20):
        run.log({"loss": step})
"""
SRUN = {"SLURM_JOB_ID": "77", "SLURM_NTASKS": "2", "SLURM_STEP_ID": "0"}
WITH_TORCH = SRUN | {"MASTER_ADDR": "localhost", "MASTER_PORT": "29500", "WORLD_SIZE": "2"}


def srun(variables: dict[str, str], *words: str) -> list[str]:
    """Run two tasks side by side, as ``srun`` starts them, and return what they wrote to stderr."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("SLURM_", "RANK"))}
    tasks = [
        subprocess.Popen(
            [sys.executable, "-c", TRAIN, *words],
            env=outside | variables | {"SLURM_PROCID": str(number), "SLURM_LOCALID": str(number)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(2)
    ]
    said = [task.communicate(timeout=100)[1] for task in tasks]
    assert [task.returncode for task in tasks] == [0, 0], said
    return said


def runs() -> list[tuple[str, str, str, int]]:
    return sorted(tb.runs("p").select("name", "group", "state", "points").iter_rows())


def test_only_task_0_of_srun_records() -> None:
    assert srun(WITH_TORCH, "job") == ["", ""]
    assert runs() == [("job", None, "finished", 20)]


def test_tasks_of_srun_alone_are_told_which_of_them_records() -> None:
    said = srun(SRUN, "job")
    assert (said[0], "this is task 1 of an srun job" in said[1]) == ("", True)
    assert runs() == [("job", None, "finished", 20)]


@pytest.mark.parametrize(("name", "names", "group"), [("job", "job rank", "job"), ("", "rank", "job 77")])
def test_all_tasks_of_srun_record_in_one_group(name: str, names: str, group: str) -> None:
    assert srun(WITH_TORCH, name, "all") == ["", ""]
    assert runs() == [(f"{names} {number}", group, "finished", 20) for number in range(2)]
    for number in range(2):
        assert tb.get_run(f"{names} {number}", "p").history("loss")["value"].to_list() == list(range(20))
