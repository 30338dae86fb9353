"""Whether the process that writes a run is alive, according to this machine's kernel."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from ..types import Writer

UPLOADED = "uploaded"  # `Writer.system` of a process that uploads its run from elsewhere; `seen` is when it last did


def this_process() -> Writer:
    """Return this process, alive now."""
    import platform

    return Writer(platform.node(), _system(), os.getpid(), _born(os.getpid()) or "", time.time())


def runs_here(writer: Writer) -> bool | None:
    """Whether the process of `writer` runs; None when it is, or may be, on another machine or in another container."""
    system = _system()
    if not system or writer.system != system:
        return None
    born = _born(writer.pid)
    return born is not None and born in (writer.born, "")


if sys.platform == "linux":

    def _system() -> str:
        """Return an id of this boot of the kernel and this namespace of process ids; empty when it cannot be determined."""
        try:
            if str(Path("/proc/self").readlink()) != str(os.getpid()):  # a /proc of another namespace
                return ""
            boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
            return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
        except OSError:
            return ""

    def _born(pid: int) -> str | None:
        """Return the start time of a process, as text; None when it does not run, empty when that cannot be determined."""
        try:
            # the name, which may contain anything, ends with the last parenthesis
            state, *fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return "" if _is_hidden(pid) else None
        except OSError:
            return ""
        return None if state in ("Z", "X") else fields[18]

else:

    def _system() -> str:
        import platform

        import psutil

        return f"{platform.node()} {psutil.boot_time():.0f}"

    def _born(pid: int) -> str | None:
        import psutil

        try:
            process = psutil.Process(pid)
            return None if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"
        except psutil.NoSuchProcess:
            return None
        except psutil.Error:
            return ""


def _is_hidden(pid: int) -> bool:
    """Whether a process runs although /proc, mounted with ``hidepid``, does not show it."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True
