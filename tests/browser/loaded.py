"""Run the browser tests on a busy machine, with three computing programs on each core.

Arguments go to pytest. `BUSY=n` starts n programs instead.
"""

from __future__ import annotations

import os
import subprocess
import sys

COMPUTE = "while True: pass"
TIMEOUT = "--timeout=1800"  # seconds a test


def main() -> int:
    count = int(os.environ.get("BUSY", 3 * (os.cpu_count() or 1)))
    programs = [subprocess.Popen([sys.executable, "-c", COMPUTE]) for _ in range(count)]
    try:
        return subprocess.call([sys.executable, "-m", "pytest", "-q", "-m", "browser", TIMEOUT, *sys.argv[1:]])
    finally:
        for program in programs:
            program.kill()
            program.wait()


if __name__ == "__main__":
    sys.exit(main())
