"""One real JupyterLab for the browser tests, with folders, settings and store of its own."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any


class JupyterServer:
    def __init__(self, home: Path) -> None:
        self.root = home / "notebooks"
        self.store = home / "store"
        self.token = secrets.token_hex()
        self.log = home / "jupyter.log"
        self.root.mkdir(parents=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        notifications = (
            home / "config/lab/user-settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
        )
        notifications.parent.mkdir(parents=True)
        notifications.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))
        page = home / "config/labconfig/page_config.json"  # by default each page starts a program of Node on the server
        page.parent.mkdir(parents=True)
        page.write_text(json.dumps({"buildAvailable": False, "buildCheck": False}))
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")} | {
            "IPYTHONDIR": str(home / "ipython"),
            "JUPYTER_CONFIG_DIR": str(home / "config"),
            "JUPYTER_DATA_DIR": str(home / "data"),
            "JUPYTER_PLATFORM_DIRS": "1",
            "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
            "TRACKBOOK_DIR": str(self.store),
            "TRACKBOOK_CAPTURE": "none",  # but where a test asks for it
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(self._command(port), env=self.environment, stdout=log, stderr=log)
        self._wait_until_it_answers()

    def _command(self, port: int) -> list[str]:
        options = [
            "--no-browser",
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={port}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={self.root}",
            f"--IdentityProvider.token={self.token}",
            "--LabApp.expose_app_in_browser=True",  # `window.jupyterapp`: themes, saving
            "--JupyterNotebookApp.expose_app_in_browser=True",
            "--LabApp.extension_manager=readonly",
        ]
        if getattr(os, "geteuid", lambda: 1)() == 0:
            options.append("--allow-root")
        return [sys.executable, "-m", "jupyterlab", *options]

    def _wait_until_it_answers(self, seconds: float = 300) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                self.ask("GET", "status")
            except OSError:
                time.sleep(0.2)
            else:
                return
        self.stop()
        raise RuntimeError(f"JupyterLab did not start within {seconds:g} s:\n{self.log_tail()}")

    def ask(self, method: str, path: str) -> Any:
        request = urllib.request.Request(
            f"{self.url}/api/{path}", method=method, headers={"Authorization": f"token {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def shut_down_kernels(self) -> None:
        for session in self.ask("GET", "sessions"):
            self.ask("DELETE", f"sessions/{session['id']}")

    def log_tail(self, lines: int = 30) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
