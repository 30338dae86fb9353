"""GPUs: their properties and their load."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Protocol

GB: Final = 2**30
APPLE_SECONDS: Final = 5.0

Facts = dict[str, str | int | float | bool | None]


class Gpu(Protocol):
    """One GPU."""

    def facts(self) -> Facts:
        """Return the properties: ``name``, ``memory_gb`` and others that the driver reports."""

    def figures(self) -> dict[str, float]:
        """Return the load: ``%``, ``memory GB``, ``memory %``, ``°C``, ``W``. Values that the driver does not report are left out."""


def find_gpus(root: Path, system: str, nvml: Any = None) -> list[Gpu]:
    """Return the GPUs of this machine, in the drivers' order.

    `root` is the root of the file system, `nvml` the module ``pynvml`` or a fake of it.
    """
    if system == "Darwin":
        return list(_apple())
    return [*_nvidia(nvml), *_amd(root)]


class Nvidia:
    """A GPU read through NVIDIA's management library. `nvml` is the module ``pynvml``."""

    def __init__(self, nvml: Any, handle: Any) -> None:
        self._nvml = nvml
        self._handle = handle

    def facts(self) -> Facts:
        nvml, handle = self._nvml, self._handle
        asked: dict[str, Callable[[], Any]] = {
            "name": lambda: _text(nvml.nvmlDeviceGetName(handle)),
            "memory_gb": lambda: round(nvml.nvmlDeviceGetMemoryInfo(handle).total / GB, 2),
            "cores": lambda: nvml.nvmlDeviceGetNumGpuCores(handle),
            "compute_capability": lambda: "{}.{}".format(*nvml.nvmlDeviceGetCudaComputeCapability(handle)),
            "power_limit_w": lambda: nvml.nvmlDeviceGetEnforcedPowerLimit(handle) / 1000,
            "driver": lambda: _text(nvml.nvmlSystemGetDriverVersion()),
            "cuda": lambda: _cuda(nvml.nvmlSystemGetCudaDriverVersion()),
        }
        return {"vendor": "NVIDIA", **self._told(asked)}

    def figures(self) -> dict[str, float]:
        nvml, handle = self._nvml, self._handle
        found: dict[str, float] = self._told(
            {
                "%": lambda: float(nvml.nvmlDeviceGetUtilizationRates(handle).gpu),
                "°C": lambda: float(nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU)),
                "W": lambda: nvml.nvmlDeviceGetPowerUsage(handle) / 1000,
            }
        )
        memory = self._told({"": lambda: nvml.nvmlDeviceGetMemoryInfo(handle)}).get("")
        return found if memory is None else found | _memory(memory.used, memory.total)

    def _told(self, asked: dict[str, Callable[[], Any]]) -> dict[str, Any]:
        """Return the results of those calls that this GPU, driver and version of ``pynvml`` support."""
        answers = {}
        for name, ask in asked.items():
            with contextlib.suppress(self._nvml.NVMLError, AttributeError):
                answers[name] = ask()
        return answers


class Amd:
    """A GPU read from the device folder of the Linux driver."""

    def __init__(self, device: Path) -> None:
        self._device = device

    def facts(self) -> Facts:
        total = self._number("mem_info_vram_total")
        name = _line(self._device / "product_name") or f"AMD GPU {_line(self._device / 'device') or ''}".strip()
        facts: Facts = {"vendor": "AMD", "name": name}
        return facts if total is None else {**facts, "memory_gb": round(total / GB, 2)}

    def figures(self) -> dict[str, float]:
        found = {
            "%": self._number("gpu_busy_percent"),
            "°C": self._sensor("temp1_input", 1000),
            "W": self._sensor("power1_average", 1_000_000) or self._sensor("power1_input", 1_000_000),
        }
        used, total = self._number("mem_info_vram_used"), self._number("mem_info_vram_total")
        memory = {} if used is None or not total else _memory(used, total)
        return {name: value for name, value in found.items() if value is not None} | memory

    def _sensor(self, name: str, per_unit: int) -> float | None:
        for folder in sorted(self._device.glob("hwmon/hwmon*")):
            value = _number(folder / name)
            if value is not None:
                return value / per_unit
        return None

    def _number(self, name: str) -> float | None:
        return _number(self._device / name)


class Apple:
    """A GPU of macOS: only its properties, since its load needs administrator rights."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def facts(self) -> Facts:
        return self._facts

    def figures(self) -> dict[str, float]:
        return {}


def _nvidia(nvml: Any) -> Iterator[Gpu]:
    if nvml is None:
        import pynvml

        nvml = pynvml
    try:
        nvml.nvmlInit()
        handles = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())]
    except nvml.NVMLError:  # without a driver or permission there is no GPU to read
        return
    for handle in handles:
        yield Nvidia(nvml, handle)


def _amd(root: Path) -> Iterator[Gpu]:
    cards = [card for card in (root / "sys/class/drm").glob("card*") if card.name[4:].isdigit()]
    for card in sorted(cards, key=lambda card: int(card.name[4:])):
        if _line(card / "device/vendor") == "0x1002":
            yield Amd(card / "device")


def _apple() -> Iterator[Gpu]:
    import subprocess

    command = ["/usr/sbin/system_profiler", "SPDisplaysDataType", "-json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=APPLE_SECONDS)  # noqa: S603
    yield from map(Apple, apple_facts(json.loads(done.stdout)))


def apple_facts(profile: Any) -> list[Facts]:
    """Return the GPUs in the output of ``system_profiler SPDisplaysDataType -json``."""
    return [
        {"vendor": "Apple", "name": display.get("sppci_model"), "cores": _whole(display.get("sppci_cores"))}
        for display in profile.get("SPDisplaysDataType", ())
    ]


def _memory(used: float, total: float) -> dict[str, float]:
    return {"memory GB": used / GB, "memory %": 100 * used / total}


def _cuda(version: int) -> str:
    """Return 12.4 for NVIDIA's 12040."""
    return f"{version // 1000}.{version % 1000 // 10}"


def _text(name: str | bytes) -> str:
    """Return text also for older versions of the library, which return bytes."""
    return name.decode(errors="replace") if isinstance(name, bytes) else name


def _whole(text: Any) -> int | None:
    return int(text) if str(text).isdecimal() else None


def _line(path: Path) -> str | None:
    """Return the text of a one-line file, None if the file is missing or the driver does not answer."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None


def _number(path: Path) -> float | None:
    try:
        return float(_line(path) or "")
    except ValueError:
        return None
