from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from nvml import A100, FakeNvml, write
from trackbook.capture.hardware import Machine, Meter

GB = 2**30


def machine(root: Path, **files: str) -> Machine:
    write(root, {name.replace("__", "/"): text for name, text in files.items()})
    return Machine(root, FakeNvml())


def test_the_cpu_has_a_model_and_counts(tmp_path: Path) -> None:
    write(tmp_path, {"proc/cpuinfo": "processor\t: 0\nmodel name\t: EPYC 7\nprocessor\t: 1\nmodel name\t: EPYC 7"})
    cpu = Machine(tmp_path).cpu()
    assert (cpu["model"], cpu["count"]) == ("EPYC 7", psutil.cpu_count())
    assert 0 < cpu["usable"] <= cpu["count"]  # type: ignore[operator]
    assert "limit" not in cpu


def test_a_container_limits_cpus_and_memory(tmp_path: Path) -> None:
    group = "sys/fs/cgroup/pod/box"
    write(tmp_path, {"proc/self/cgroup": "0::/pod/box", f"{group}/cpu.max": "max 100000"})
    write(tmp_path, {f"{group}/memory.max": str(8 * GB), f"{group}/memory.current": str(3 * GB)})
    write(tmp_path, {f"{group}/memory.stat": f"anon 1\ninactive_file {GB}"})
    write(tmp_path / "sys/fs/cgroup/pod", {"cpu.max": "50000 100000", "memory.max": "max"})
    inside = Machine(tmp_path, FakeNvml())
    assert (inside.cpu_limit, inside.memory_limit, inside.memory_used()) == (0.5, 8 * GB, 2 * GB)
    assert (inside.cpu()["usable"], inside.cpu()["limit"], inside.memory()["limit_gb"]) == (0.5, 0.5, 8.0)
    figures = Meter(inside).read()
    assert (figures["memory GB"], figures["memory %"]) == (2.0, 25.0)


def test_cgroup_v1_limits_are_read(tmp_path: Path) -> None:
    write(tmp_path, {"proc/self/cgroup": "4:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n0::/"})
    top = tmp_path / "sys/fs/cgroup"  # the container's own group is mounted as the root
    write(top, {"memory/memory.limit_in_bytes": str(4 * GB), "memory/memory.usage_in_bytes": str(GB)})
    write(top, {"cpu,cpuacct/cpu.cfs_quota_us": "150000", "cpu,cpuacct/cpu.cfs_period_us": "100000"})
    inside = Machine(tmp_path)
    assert (inside.cpu_limit, inside.memory_limit, inside.memory_used()) == (1.5, 4 * GB, GB)


@pytest.mark.parametrize("limit", ["max", str(2**63 - 4096), "-1"])
def test_no_limit_is_none(tmp_path: Path, limit: str) -> None:
    write(tmp_path, {"proc/self/cgroup": "4:memory:/\n2:cpu:/"})
    write(tmp_path / "sys/fs/cgroup", {"memory/memory.limit_in_bytes": limit, "cpu/cpu.cfs_quota_us": "-1"})
    inside = Machine(tmp_path)
    assert (inside.cpu_limit, inside.memory_limit, inside.memory_used()) == (None, None, None)


def test_a_meter_reads_what_the_board_shows(tmp_path: Path) -> None:
    meter = Meter(Machine(tmp_path, FakeNvml(A100)))
    for _ in range(1_000_000):  # until the clocks of the processors, which tick 100 times a second, went on
        figures = meter.read()
        if "cpu %" in figures:
            break
    assert 0 <= figures["cpu %"] <= 100
    assert 0 < figures["memory GB"] < 100_000
    assert 0 < figures["process memory GB"] < figures["memory GB"]
    assert 0 <= figures["disk used %"] <= 100
    assert {"process cpu %", "memory %", "network in MB/s", "network out MB/s"} <= figures.keys()
    assert [name for name in figures if name.startswith("gpu")] == [
        "gpu 0 %",
        "gpu 0 °C",
        "gpu 0 W",
        "gpu 0 memory GB",
        "gpu 0 memory %",
    ]


def test_rates_are_since_the_last_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = SimpleNamespace(read_bytes=0, write_bytes=0)
    clock = [100.0]
    monkeypatch.setattr(psutil, "disk_io_counters", lambda: counted)
    monkeypatch.setattr("trackbook.capture.hardware.time", SimpleNamespace(monotonic=lambda: clock[0]))
    meter = Meter(Machine(tmp_path, FakeNvml()))
    counted.read_bytes, counted.write_bytes, clock[0] = 20 * 2**20, 2**20, 102.0
    figures = meter.read()
    assert (figures["disk read MB/s"], figures["disk write MB/s"]) == (10.0, 0.5)
    counted.read_bytes, clock[0] = 0, 104.0  # the counter began anew
    assert meter.read()["disk read MB/s"] == 0


def test_unavailable_values_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise PermissionError("/proc/stat")

    monkeypatch.setattr(psutil, "cpu_times", refuse)
    monkeypatch.setattr(psutil, "disk_io_counters", lambda: None)
    meter = Meter(Machine(tmp_path, FakeNvml()))
    figures = meter.read()
    assert {"cpu %", "disk read MB/s"}.isdisjoint(figures)
    assert "memory GB" in figures


@pytest.mark.parametrize(
    "error", [OSError("driver"), PermissionError("/dev/nvidia0"), ValueError("x"), RuntimeError("NVML")]
)
def test_a_gpu_whose_driver_fails_is_switched_off_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    class Fails:
        def facts(self) -> dict[str, str]:
            return {}

        def figures(self) -> dict[str, float]:
            raise error

    class Works(Fails):
        def figures(self) -> dict[str, float]:
            return {"%": 5.0}

    machine = Machine(tmp_path, FakeNvml())
    monkeypatch.setattr(Machine, "gpus", [Fails(), Works()])
    meter = Meter(machine)
    for _ in range(3):
        figures = meter.read()
        assert [name for name in figures if name.startswith("gpu")] == ["gpu 1 %"]
        assert "memory GB" in figures
    assert caplog.text.count("GPU 0 is no longer measured") == 1


def test_failing_gpu_search_leaves_the_other_meters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> None:
        raise OSError("libnvidia-ml.so.1: cannot open shared object file")

    monkeypatch.setattr("trackbook.capture.hardware.find_gpus", fails)
    meter = Meter(Machine(tmp_path))
    assert "memory GB" in meter.read()
    assert caplog.text.count("no GPU is measured") == 1
