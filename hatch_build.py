"""Builds the front end into the package when it is missing, or older than its sources.

An sdist carries the built bundle, so that installing from it (or from a wheel) needs no Node.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VIEWERS = tuple(f"viewer-{kind}" for kind in ("plotly", "echarts", "molecule", "object3d"))
NAMES = ("trackbook", "media", "loader", "fallback", *VIEWERS)
BUNDLE = tuple(f"src/trackbook/_static/{name}.js" for name in NAMES)
SOURCES = ("js/src", "js/build.mjs", "js/left-out.json", "js/package.json", "js/package-lock.json")


class FrontEndHook(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        bundle = [root / name for name in BUNDLE]
        if (root / "PKG-INFO").exists():  # unpacked from an sdist
            if not all(path.exists() for path in bundle):
                self.app.abort("This sdist of trackbook lacks its front end; please report it. A wheel will install.")
            return
        if is_stale(bundle, [root / name for name in SOURCES]):
            self.build(root / "js")

    def build(self, js: Path) -> None:
        npm = shutil.which("npm")
        if npm is None:
            self.app.abort(
                "Building trackbook from its repository needs npm: install Node.js 20 or later and try again. "
                "(Installing a released trackbook needs no Node.)"
            )
        self.app.display_info("building the front end with npm ...")
        installed, lock = js / "node_modules/.package-lock.json", js / "package-lock.json"
        fresh = installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime
        for command in ([] if fresh else [["ci", "--no-audit", "--no-fund"]]) + [["run", "build"]]:
            if subprocess.run([npm, *command], cwd=js, check=False).returncode:  # pip shows its output on failure
                self.app.abort(f"`npm {' '.join(command)}` failed in {js}; its output is above.")


def is_stale(bundle: list[Path], sources: list[Path]) -> bool:
    if not all(path.exists() for path in bundle):
        return True
    files = [file for source in sources for file in ([source] if source.is_file() else source.rglob("*"))]
    return max(file.stat().st_mtime for file in files) > min(path.stat().st_mtime for path in bundle)
