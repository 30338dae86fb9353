"""A fake of NVIDIA's library, and of Linux's files about other GPUs."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

GB = 2**30


class NVMLError(Exception):
    pass


class FakeNvml:
    """The part of `pynvml` that is used. Each GPU may lack values, and the driver may be missing."""

    NVMLError = NVMLError
    NVML_TEMPERATURE_GPU = 0

    def __init__(self, *gpus: dict[str, Any], driver: str | None = "555.42") -> None:
        self.gpus = gpus
        self.driver = driver

    def nvmlInit(self) -> None:  # noqa: N802  # its name
        if self.driver is None:
            raise NVMLError("Driver Not Loaded")

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return len(self.gpus)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> dict[str, Any]:  # noqa: N802
        return self.gpus[index]

    def nvmlSystemGetDriverVersion(self) -> bytes:  # noqa: N802
        return str(self.driver).encode()

    def nvmlSystemGetCudaDriverVersion(self) -> int:  # noqa: N802
        return 12040

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("nvmlDeviceGet"):
            raise AttributeError(name)

        def answer(handle: dict[str, Any], *_: Any) -> Any:
            if name.removeprefix("nvmlDeviceGet") not in handle:
                raise NVMLError("Not Supported")
            return handle[name.removeprefix("nvmlDeviceGet")]

        return answer


A100 = {
    "Name": "NVIDIA A100",
    "MemoryInfo": SimpleNamespace(used=20 * GB, total=80 * GB),
    "NumGpuCores": 6912,
    "CudaComputeCapability": (8, 0),
    "EnforcedPowerLimit": 400_000,
    "UtilizationRates": SimpleNamespace(gpu=97, memory=40),
    "Temperature": 61,
    "PowerUsage": 312_500,
}


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
