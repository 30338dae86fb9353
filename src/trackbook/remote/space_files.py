"""The files of a Space that Trackbook creates: what it is, how it is built, and the package itself where no registry has it."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from .hub import MARK, Sdk
from .target import TargetError

PORT: Final = 7860  # at which the Hub expects a Space to answer
HOME: Final = "/home/user"
DATA: Final = f"{HOME}/data"

_EXTRAS: Final = ("server", "remote", "hub")
_README: Final = """---
title: {title}
sdk: {sdk}
{more}pinned: false
tags:
- trackbook
---

{text}
"""
_DOCKERFILE: Final = """FROM python:3.12-slim
RUN useradd --create-home --uid 1000 user
USER user
WORKDIR {home}
ENV PATH={home}/.local/bin:$PATH PYTHONUNBUFFERED=1
{copy}RUN pip install --no-cache-dir --user "{requirement}"
EXPOSE {port}
CMD {command}
"""


def docker_files(name: str, version: str, command: list[str]) -> dict[str, bytes]:
    """Return the files of the Space `name` that runs `command`, with this version of the package."""
    wheel = own_wheel() if is_from_source() else None
    extras = f"trackbook[{','.join(_EXTRAS)}]"
    requirement = f"{extras}=={version}" if wheel is None else f"{extras} @ file://{HOME}/{wheel[0]}"
    dockerfile = _DOCKERFILE.format(
        home=HOME,
        port=PORT,
        copy="" if wheel is None else f"COPY --chown=user {wheel[0]} ./\n",
        requirement=requirement,
        command=json.dumps(command),
    )
    text = (
        "Runs recorded by Trackbook, live. This Space was made by `trackbook.init(space_id=...)`; its data are in the private dataset "
        "that its Dockerfile names, and stay there when the Space restarts or is deleted."
    )
    files = {
        "README.md": _readme(name, "docker", f"app_port: {PORT}\n", text),
        "Dockerfile": dockerfile.encode(),
        MARK: _mark(version, "docker"),
    }
    return files if wheel is None else {**files, wheel[0]: wheel[1]}


def static_files(name: str, version: str, project: str, written: Mapping[str, Path]) -> dict[str, bytes | Path]:
    """Return the files of a static Space that shows the page and offers the tables `written` from a project."""
    text = (
        f"The runs of {project!r} as Trackbook wrote them: the page shows them, `data/` has them as Parquet. "
        "Nothing runs here; `trackbook.sync` writes it again."
    )
    return {
        **written,
        "README.md": _readme(name, "static", "app_file: index.html\n", text),
        MARK: _mark(version, "static", project=project),
    }


def _mark(version: str, sdk: Sdk, **more: str) -> bytes:
    """Return the content of the file by which a Space is known as Trackbook's."""
    return json.dumps({"trackbook": version, "sdk": sdk, **more}).encode() + b"\n"


def is_from_source() -> bool:
    """Whether this package was installed from a folder, file or repository, so that no registry need have this version."""
    found = importlib.metadata.distribution("trackbook").read_text("direct_url.json")
    return found is not None


def own_wheel() -> tuple[str, bytes]:
    """Return the name and content of a wheel of this package as it runs here: what a Space installs is what its client speaks to.

    Raises `TargetError` for an installation that is older than its sources, since the wheel would lack what they need.
    """
    found = importlib.metadata.distribution("trackbook")
    if missing := [extra for extra in _EXTRAS if extra not in found.metadata.get_all("Provides-Extra", [])]:
        raise TargetError(
            f"this installation of trackbook is older than its sources and does not know {', '.join(missing)}, which a Space needs: "
            "pip install it again, from its folder"
        )
    package, info = Path(__file__).parents[1], f"trackbook-{found.version}.dist-info"
    content = {
        f"trackbook/{path.relative_to(package).as_posix()}": path.read_bytes()
        for path in sorted(package.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    content[f"{info}/METADATA"] = (found.read_text("METADATA") or "").encode()
    content[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: trackbook\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    content[f"{info}/entry_points.txt"] = (found.read_text("entry_points.txt") or "").encode()
    record = [f"{path},sha256={_digest(data)},{len(data)}" for path, data in content.items()]
    content[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""]).encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in content.items():  # of the same bytes for the same content, so that nothing is uploaded twice
            archive.writestr(zipfile.ZipInfo(path), data, zipfile.ZIP_DEFLATED)
    return f"trackbook-{found.version}-py3-none-any.whl", packed.getvalue()


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


def _readme(name: str, sdk: Sdk, more: str, text: str) -> bytes:
    return _README.format(title=json.dumps(name.rpartition("/")[2]), sdk=sdk, more=more, text=text).encode()
