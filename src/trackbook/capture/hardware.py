"""The machine: its hardware and its load. Sizes are in GB of 2**30 bytes."""

from __future__ import annotations

import contextlib
import functools
import logging
import platform
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from .gpus import GB, Facts, Gpu, find_gpus

_SEARCH: Final = -1
logger = logging.getLogger("trackbook")
MB: Final = 2**20
_UNLIMITED: Final = 1 << 60  # bytes: cgroups v1 express "no limit" by a number of about this size
_OVERLAPPING: Final = ("guest", "guest_nice")  # Linux includes these in other counters


class Machine:
    """The hardware of this machine, and the limits of the container if there is one.

    `root` is the root of the file system, `nvml` the module ``pynvml`` or a fake of it.
    """

    def __init__(self, root: Path = Path("/"), nvml: Any = None) -> None:
        self._root = root
        self._nvml = nvml
        self._gpus: list[Gpu] | None = None
        self._lock = threading.Lock()

    @property
    def gpus(self) -> list[Gpu]:
        """The GPUs, in the drivers' order. The first access searches for them."""
        with self._lock:
            if self._gpus is None:
                self._gpus = find_gpus(self._root, platform.system(), self._nvml)
            return self._gpus

    def cpu(self) -> Facts:
        """Return ``model``, ``count`` of logical CPUs, ``cores``, CPUs ``usable`` by this process, and the ``limit`` of the container."""
        import psutil

        count = psutil.cpu_count() or 1
        limit = self.cpu_limit
        affinity = len(psutil.Process().cpu_affinity()) if hasattr(psutil.Process, "cpu_affinity") else count
        frequency = psutil.cpu_freq() if hasattr(psutil, "cpu_freq") else None
        facts: Facts = {
            "model": self._cpu_model(),
            "count": count,
            "cores": psutil.cpu_count(logical=False),
            "usable": affinity if limit is None else min(affinity, limit),
            "limit": limit,
            "mhz": round(frequency.max or frequency.current) if frequency else None,
        }
        return {name: value for name, value in facts.items() if value is not None}

    def memory(self) -> Facts:
        """Return ``total_gb`` and, in a container with a limit, ``limit_gb``."""
        import psutil

        facts: Facts = {"total_gb": round(psutil.virtual_memory().total / GB, 2)}
        return facts if self.memory_limit is None else {**facts, "limit_gb": round(self.memory_limit / GB, 2)}

    def disk(self, folder: str) -> Facts:
        """Return ``total_gb`` and ``free_gb`` of the disk of `folder`."""
        import psutil

        usage = psutil.disk_usage(folder)
        return {"total_gb": round(usage.total / GB, 2), "free_gb": round(usage.free / GB, 2)}

    @functools.cached_property
    def cpu_limit(self) -> float | None:
        """The CPU limit of the container, None without a limit."""
        limits = []
        for folder in self._groups("cpu"):
            quota, period = [*_words(folder / "cpu.max"), "", ""][:2]
            if not quota:
                quota, period = _word(folder / "cpu.cfs_quota_us"), _word(folder / "cpu.cfs_period_us")
            if quota.isdecimal() and period.isdecimal():  # else it is "max" or -1
                limits.append(int(quota) / int(period))
        return min(limits, default=None)

    @functools.cached_property
    def memory_limit(self) -> int | None:
        """The memory limit of the container in bytes, None without a limit."""
        limits = [
            int(word)
            for folder in self._groups("memory")
            for name in ("memory.max", "memory.limit_in_bytes")
            if (word := _word(folder / name)).isdecimal()
        ]
        limit = min(limits, default=_UNLIMITED)
        return limit if limit < _UNLIMITED else None

    def memory_used(self) -> int | None:
        """Return the memory use of the container in bytes, without its reclaimable file cache; None without a limit."""
        if self.memory_limit is None:
            return None
        for folder in self._groups("memory"):
            for name in ("memory.current", "memory.usage_in_bytes"):
                if (word := _word(folder / name)).isdecimal():
                    lines = (line.split() for line in _text(folder / "memory.stat").splitlines())
                    files = next((int(n) for key, n in lines if key in ("inactive_file", "total_inactive_file")), 0)
                    return max(0, int(word) - files)
        return None

    def _groups(self, controller: str) -> Iterator[Path]:
        """Yield the folders of this process's control groups (v1 and v2), innermost first."""
        top = self._root / "sys/fs/cgroup"
        for line in _text(self._root / "proc/self/cgroup").splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers and controller not in controllers.split(","):
                continue
            base = top / controllers  # which are mounted together
            inner = base / path.strip("/")
            # inside a container its own group may be mounted as the root, whatever its path
            yield from [inner, *inner.parents[: len(inner.parts) - len(base.parts)]]

    def _cpu_model(self) -> str | None:
        system = platform.system()
        if system == "Darwin":
            return _said("/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string")
        if system == "Windows":
            return _windows_cpu()
        lines = (line.partition(":") for line in _text(self._root / "proc/cpuinfo").splitlines())
        named = {key.strip(): value.strip() for key, _, value in lines}
        return named.get("model name") or named.get("Model") or platform.processor() or platform.machine()


class Meter:
    """The load of the machine and of this process. Rates are averages since the last reading."""

    def __init__(self, machine: Machine) -> None:
        import psutil

        self._psutil = psutil
        self._machine = machine
        self._process = psutil.Process()
        self._probes = {
            "cpu": self._cpu,
            "process": self._of_process,
            "memory": self._memory,
            "disk": self._disk,
            "disk use": self._disk_use,
            "network": self._network,
        }
        self._before: dict[str, tuple[float, tuple[float, ...]]] = {}
        self._failed: set[int] = set()  # GPUs that are no longer measured, or `_SEARCH`
        self.read()

    def read(self) -> dict[str, float]:
        """Return the current values, by name with unit. Values that this system does not report are left out."""
        found: dict[str, float] = {}
        for probe in self._probes.values():
            # the value is left out in sandboxes, on other systems, and without permission
            with contextlib.suppress(OSError, NotImplementedError, RuntimeError, self._psutil.Error):
                found |= probe()
        for number, gpu in enumerate(self._gpus()):
            if number not in self._failed:
                found |= {f"gpu {number} {name}": value for name, value in self._figures(number, gpu).items()}
        return found

    def _gpus(self) -> list[Gpu]:
        if _SEARCH in self._failed:
            return []
        try:
            return self._machine.gpus
        except Exception as error:  # noqa: BLE001  a driver that fails must not stop the other meters
            self._switch_off(_SEARCH, f"no GPU is measured, because looking for them failed: {error!r}")
            return []

    def _figures(self, number: int, gpu: Gpu) -> dict[str, float]:
        try:
            return gpu.figures()
        except Exception as error:  # noqa: BLE001  a driver that fails must not stop the other meters
            self._switch_off(number, f"GPU {number} is no longer measured, because its driver failed: {error!r}")
            return {}

    def _switch_off(self, number: int, why: str) -> None:
        self._failed.add(number)
        logger.warning(why)

    def _cpu(self) -> dict[str, float]:
        times = self._psutil.cpu_times()._asdict()
        total = sum(seconds for name, seconds in times.items() if name not in _OVERLAPPING)
        gone = self._gone("cpu", total, times["idle"] + times.get("iowait", 0.0))
        if gone is None or gone[1] <= 0:
            return {}
        return {"cpu %": min(100.0, max(0.0, 100 * (1 - gone[2] / gone[1])))}

    def _of_process(self) -> dict[str, float]:
        with self._process.oneshot():
            times, memory = self._process.cpu_times(), self._process.memory_info()
        gone = self._gone("process", times.user + times.system)
        rate = {} if gone is None else {"process cpu %": 100 * gone[1] / gone[0]}
        return {**rate, "process memory GB": memory.rss / GB}

    def _memory(self) -> dict[str, float]:
        memory = self._psutil.virtual_memory()
        used, total = memory.total - memory.available, memory.total
        inside = self._machine.memory_used()
        if inside is not None and self._machine.memory_limit is not None:
            used, total = inside, min(total, self._machine.memory_limit)
        return {"memory GB": used / GB, "memory %": 100 * used / total}

    def _disk(self) -> dict[str, float]:
        counted = self._psutil.disk_io_counters()
        gone = None if counted is None else self._gone("disk", counted.read_bytes, counted.write_bytes)
        if gone is None:
            return {}
        return {"disk read MB/s": gone[1] / MB / gone[0], "disk write MB/s": gone[2] / MB / gone[0]}

    def _disk_use(self) -> dict[str, float]:
        """Return the use of the disk of the working directory, which training fills."""
        return {"disk used %": self._psutil.disk_usage(".").percent}

    def _network(self) -> dict[str, float]:
        """Return the traffic of all interfaces except loopback: a notebook talks to its own kernel all the time."""
        cards = self._psutil.net_io_counters(pernic=True).items()
        counted = [card for name, card in cards if name not in ("lo", "lo0") and not name.startswith("Loopback")]
        received, sent = sum(card.bytes_recv for card in counted), sum(card.bytes_sent for card in counted)
        gone = self._gone("network", received, sent)
        if gone is None:
            return {}
        return {"network in MB/s": gone[1] / MB / gone[0], "network out MB/s": gone[2] / MB / gone[0]}

    def _gone(self, name: str, *counts: float) -> tuple[float, ...] | None:
        """Return the seconds since the last reading of this name and the increase of each counter, None at the first reading."""
        now = time.monotonic()
        before, self._before[name] = self._before.get(name), (now, counts)
        if before is None or now <= before[0]:
            return None
        return (now - before[0], *(max(0.0, count - last) for count, last in zip(counts, before[1], strict=True)))


def _windows_cpu() -> str | None:
    import winreg  # type: ignore[import-not-found, unused-ignore]  # only there

    path = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
    with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, path) as key:  # type: ignore[attr-defined, unused-ignore]
        return str(winreg.QueryValueEx(key, "ProcessorNameString")[0]).strip()  # type: ignore[attr-defined, unused-ignore]


def _said(*command: str) -> str | None:
    import subprocess

    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=2)  # noqa: S603
    return done.stdout.strip() or None


def _text(path: Path) -> str:
    """Return the text of a kernel file, empty if it is missing."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _words(path: Path) -> list[str]:
    return _text(path).split()


def _word(path: Path) -> str:
    return next(iter(_words(path)), "")
