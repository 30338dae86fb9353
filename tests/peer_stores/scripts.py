"""Scripts of the peers' users, run in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def run_script(script: str, folder: Path, **environment: str) -> str:
    """Run a script in a folder, and return what it wrote to stderr."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        cwd=folder,
        env=os.environ | {"WANDB_SILENT": "true"} | environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stderr
