"""Jobs of several processes, started as their users start them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import trackbook as tb

TRAIN = """
import os, signal, sys
import torch
import torch.distributed as dist
import trackbook as tb

dist.init_process_group("gloo")
rank = dist.get_rank()
run = tb.init(project="ddp", name="job", all_ranks="all" in sys.argv, capture=False)
model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(2, 1))
optimizer = torch.optim.SGD(model.parameters(), 0.1)
for step in range(20):
    loss = model(torch.full((4, 2), 1.0 + rank)).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    tb.log({"loss": loss, "rank": rank})
    if "kill" in sys.argv and step == 9 and rank == 1:
        os.kill(os.getpid(), signal.SIGKILL)
dist.destroy_process_group()
tb.finish()
"""
LAUNCHERS = {
    "torchrun": ["torch.distributed.run", "--standalone", "--nproc-per-node=2"],
    # for several processes on the CPU Accelerate has no launcher but MPI's; this one starts them by torchrun, too
    "accelerate launch": [
        "accelerate.commands.launch",
        "--multi_gpu",
        "--num_processes=2",
        "--num_machines=1",
        "--mixed_precision=no",
        "--dynamo_backend=no",
    ],
}


def states(project: str = "ddp") -> dict[str, str]:
    return dict(tb.runs(project).select("name", "state").iter_rows())


def launched(launcher: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    program = folder / "train.py"
    program.write_text(TRAIN)
    command = [sys.executable, "-m", *LAUNCHERS[launcher], str(program), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=110)


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_only_rank_0_records(launcher: str, tmp_path: Path) -> None:
    done = launched(launcher, tmp_path)
    assert done.returncode == 0, done.stderr
    assert states() == {"job": "finished"}
    points = tb.get_run("job", "ddp").history(wide=True)
    assert (points["step"].to_list(), points["rank"].to_list()) == (list(range(20)), [0.0] * 20)


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_all_ranks_record_a_run_each_in_one_group(launcher: str, tmp_path: Path) -> None:
    done = launched(launcher, tmp_path, "all")
    assert done.returncode == 0, done.stderr
    assert states() == {"job rank 0": "finished", "job rank 1": "finished"}
    assert tb.runs("ddp")["group"].to_list() == ["job", "job"]
    for rank in range(2):
        assert tb.get_run(f"job rank {rank}", "ddp").history("rank")["value"].to_list() == [rank] * 20


def test_a_rank_that_is_killed_leaves_all_points(tmp_path: Path) -> None:
    assert launched("torchrun", tmp_path, "all", "kill").returncode != 0
    assert tb.get_run("job rank 1", "ddp").history("loss")["step"].to_list() == list(range(10))
    survivor = tb.get_run("job rank 0", "ddp").history("loss")["step"].to_list()
    assert survivor == list(range(len(survivor)))
    assert len(survivor) >= 10
    assert states()["job rank 1"] == "lost"


NO_RAY = 77  # the exit code of a program that cannot start Ray on this machine
RAY = """
import os, signal, sys, tempfile, time
from pathlib import Path
import ray, ray.train, ray.tune
from ray.train import RunConfig, ScalingConfig
from ray.train.v2.api.data_parallel_trainer import DataParallelTrainer
import trackbook as tb

def wait(condition):
    while not condition():
        time.sleep(0.01)

def have_ended():
    states = dict(tb.runs("ray").select("name", "state").iter_rows())
    return (states.get("open rank 0"), states.get("open rank 2")) == ("finished", "failed")

def train(config):
    rank, done = ray.train.get_context().get_world_rank(), Path(config["folder"], "rank 0 is done")

    def record(name, all_ranks, killed=False):
        with tb.init(project="ray", name=name, all_ranks=all_ranks, capture=False):
            for step in range(20):
                tb.log({"rank": rank})
                if killed and step == 9 and rank == 1:
                    wait(have_ended)
                    os.kill(os.getpid(), signal.SIGKILL)

    record("one", False)
    record("all", True)
    record(None, True)
    shared = tb.attach(config["shared"])
    for step in range(20):
        shared.log({f"rank {rank}": step})
    record("killed", True, killed=True)
    tb.init(project="ray", name="open", all_ranks=True, capture=False)
    for step in range(20):
        tb.log({"rank": rank})
    if rank == 2:
        wait(done.exists)
        raise ValueError("of rank 2")
    done.touch()

def trial(config):
    tb.init(project="trials", name=config["end"], config=config, capture=False)
    for step in range(20):
        tb.log({"step": step})
        if step == 9:
            ray.tune.report({"is last": config["end"] == "early"})
            if config["end"] == "error":
                raise ValueError("of a trial")

with tempfile.TemporaryDirectory(prefix="ray") as folder:
    try:
        ray.init(num_cpus=3, include_dashboard=False, object_store_memory=80_000_000, _temp_dir=folder)
    except Exception as error:
        print(error)
        sys.exit(NO_RAY)
    places = {"name": "exp", "storage_path": f"{folder}/out"}
    ray.tune.Tuner(
        trial,
        param_space={"end": ray.tune.grid_search(["early", "error", "return"])},
        run_config=ray.tune.RunConfig(stop=lambda trial, result: result["is last"], **places),
    ).fit()
    shared = tb.init(project="ray", name="shared", all_ranks=True, capture=False)
    try:
        DataParallelTrainer(
            train,
            train_loop_config={"folder": folder, "shared": shared.share()},
            scaling_config=ScalingConfig(num_workers=3),
            run_config=RunConfig(**places),
        ).fit()
    except ray.train.TrainingFailedError:
        shared.finish()
        ray.shutdown()
    else:
        sys.exit("a worker was killed, and Ray did not notice")
"""


@pytest.mark.timeout(300)
def test_workers_of_ray_record_as_ranks_and_trials_as_runs(tmp_path: Path) -> None:
    program = tmp_path / "train.py"
    program.write_text(RAY.replace("NO_RAY", str(NO_RAY)))
    quiet = {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}
    command = [sys.executable, str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280, env=os.environ | quiet)
    if done.returncode == NO_RAY:
        pytest.skip(f"Ray does not start here: {done.stdout}")
    assert done.returncode == 0, done.stdout + done.stderr
    ranks = [f"{name}rank {rank}" for name in ("all ", "", "killed ", "open ") for rank in range(3)]
    points = dict.fromkeys(["one", *ranks], 20) | {"killed rank 1": 10}
    del points["open rank 1"]  # killed before
    ends = {"killed rank 1": "lost", "open rank 2": "failed"}
    assert states("ray") == dict.fromkeys(["shared", *points], "finished") | ends
    assert tb.get_run("open rank 2", "ray").record.error == "ValueError: of rank 2"
    for name, count in points.items():
        history = tb.get_run(name, "ray").history("rank")
        assert history["step"].to_list() == list(range(count))
        assert history["value"].to_list() == [0 if name == "one" else int(name[-1])] * count
    for rank in range(3):
        assert tb.get_run("shared", "ray").history(f"rank {rank}")["value"].to_list() == list(range(20))
    groups = dict(tb.runs("ray").select("name", "group").iter_rows())
    assert (groups["one"], groups["all rank 1"], groups["rank 1"]) == (None, "all", "job exp")
    assert states("trials") == {"early": "finished", "error": "failed", "return": "finished"}
    for name, count in {"early": 10, "error": 10, "return": 20}.items():
        assert tb.get_run(name, "trials").history("step")["value"].to_list() == list(range(count))
    assert tb.get_run("error", "trials").record.error == "ValueError: of a trial"
