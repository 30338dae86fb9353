"""The Chromium of the browser tests. Run as a program, install one if there is none.

Looked for in this order: `TRACKBOOK_CHROMIUM`, Playwright's own, the usual names on PATH, the usual places of macOS and
Windows. Installed with apt where that works without asking (`sudo -n`), else with `playwright install chromium`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = (
    "chromium-headless-shell",  # Debian's, which draws no windows that nobody sees
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
    "msedge",
    "chrome",
)
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
HELP = (
    "No Chromium for the browser tests. Any of these helps: install Chromium or Chrome with the system's package "
    "manager; run `.venv/bin/playwright install --with-deps chromium`; set TRACKBOOK_CHROMIUM to a browser's path."
)


def find() -> str | None:
    if chosen := os.environ.get("TRACKBOOK_CHROMIUM"):
        if not shutil.which(chosen):
            raise FileNotFoundError(f"TRACKBOOK_CHROMIUM={chosen} is not a program that can be run.")
        return chosen
    candidates = (playwrights_own(), *map(shutil.which, NAMES), *map(shutil.which, PLACES))
    return next((path for path in candidates if path), None)


def playwrights_own() -> str | None:
    # A process of its own: asking starts Playwright's driver, which the tests start themselves.
    ask = "from playwright.sync_api import sync_playwright as s\nwith s() as p: print(p.chromium.executable_path)"
    answer = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=False)
    path = answer.stdout.strip()
    return path if Path(path).is_file() else None


def install() -> None:
    for attempt in (with_apt, with_playwright):
        attempt()
        if find():
            return


def with_apt() -> None:
    sudo = [] if getattr(os, "geteuid", lambda: 1)() == 0 else ["sudo", "-n"]
    if not shutil.which("apt-get") or not all(map(shutil.which, sudo[:1])):
        return
    print("installing Chromium with apt-get ...", flush=True)
    apt = [*sudo, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "Dpkg::Use-Pty=0"]
    if quietly([*apt, "update"]):
        package = "chromium-headless-shell"
        is_known = subprocess.run(["apt-cache", "show", package], capture_output=True, check=False).returncode == 0
        quietly([*apt, "install", "-y", package if is_known else "chromium"])


def with_playwright() -> None:
    print("installing Chromium with Playwright ...", flush=True)
    quietly([sys.executable, "-m", "playwright", "install", "chromium"])


def quietly(command: list[str]) -> bool:
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        print(f"`{' '.join(command)}` failed:\n{done.stderr[-2000:]}", file=sys.stderr)
    return not done.returncode


if __name__ == "__main__":
    if not find():
        install()
    if not find():
        sys.exit(HELP)
