from __future__ import annotations

from pathlib import Path

import pytest

from nvml import A100, GB, FakeNvml, write
from trackbook.capture.gpus import apple_facts, find_gpus


def test_nvidia_gpu_properties_and_load() -> None:
    first, second = find_gpus(Path("/nowhere"), "Linux", FakeNvml(A100, {"Name": b"GeForce MX"}))
    assert first.facts() == {
        "vendor": "NVIDIA",
        "name": "NVIDIA A100",
        "memory_gb": 80.0,
        "cores": 6912,
        "compute_capability": "8.0",
        "power_limit_w": 400.0,
        "driver": "555.42",
        "cuda": "12.4",
    }
    assert first.figures() == {"%": 97.0, "memory GB": 20.0, "memory %": 25.0, "°C": 61.0, "W": 312.5}
    assert second.facts() == {"vendor": "NVIDIA", "name": "GeForce MX", "driver": "555.42", "cuda": "12.4"}
    assert second.figures() == {}


def test_without_a_driver_there_is_no_gpu() -> None:
    assert find_gpus(Path("/nowhere"), "Linux", FakeNvml(A100, driver=None)) == []


def test_real_pynvml_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    import pynvml

    monkeypatch.setattr(pynvml, "nvmlInit", lambda: None)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetCount", lambda: 1)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByIndex", lambda _: "handle")
    monkeypatch.setattr(pynvml, "nvmlDeviceGetTemperature", lambda *_: 50)
    (gpu,) = find_gpus(Path("/nowhere"), "Linux")
    assert gpu.figures() == {"°C": 50.0}  # it says of everything else that it is not initialised


def test_amd_gpus_are_read_from_driver_files(tmp_path: Path) -> None:
    drm = tmp_path / "sys/class/drm"
    radeon = {
        "vendor": "0x1002",
        "device": "0x740f",
        "product_name": "AMD Instinct MI210",
        "gpu_busy_percent": "42",
        "mem_info_vram_total": str(64 * GB),
        "mem_info_vram_used": str(16 * GB),
        "hwmon/hwmon3/temp1_input": "55000",
        "hwmon/hwmon3/power1_average": "120000000",
    }
    write(drm / "card10/device", radeon)
    write(drm / "card2/device", {"vendor": "0x1002", "device": "0x15d8", "hwmon/hwmon1/power1_input": "9500000"})
    write(drm / "card0/device", {"vendor": "0x8086"})
    write(drm / "card2-DP-1/device", {"vendor": "0x1002"})
    small, large = find_gpus(tmp_path, "Linux", FakeNvml())
    assert (small.facts(), small.figures()) == ({"vendor": "AMD", "name": "AMD GPU 0x15d8"}, {"W": 9.5})
    assert large.facts() == {"vendor": "AMD", "name": "AMD Instinct MI210", "memory_gb": 64.0}
    assert large.figures() == {"%": 42.0, "°C": 55.0, "W": 120.0, "memory GB": 16.0, "memory %": 25.0}


def test_apple_gpu_has_a_name() -> None:
    profile = {"SPDisplaysDataType": [{"sppci_model": "Apple M2 Pro", "sppci_cores": "19"}, {"sppci_model": "Other"}]}
    assert apple_facts(profile) == [
        {"vendor": "Apple", "name": "Apple M2 Pro", "cores": 19},
        {"vendor": "Apple", "name": "Other", "cores": None},
    ]
