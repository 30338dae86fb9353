"""The files of `deploy/`: the image's steps, done without Docker; the compose file and the systemd unit say what the image and the command know."""

from __future__ import annotations

import ast
import configparser
import fnmatch
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tomllib
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from command_lines import CommandLine

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
SECONDS = 60.0


def steps(stage: int) -> list[tuple[str, str]]:
    """Return the instructions of a stage of the Dockerfile."""
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = [line.split(" ", 1) for line in text.splitlines() if line]
    starts = [number for number, (name, _) in enumerate(lines) if name == "FROM"]
    return [(name, rest) for name, rest in lines[starts[stage] : (*starts, None)[stage + 1]]]


def command() -> list[str]:
    """Return what a container of the image runs."""
    last = dict(steps(1))
    words: list[str] = ast.literal_eval(last["ENTRYPOINT"]) + ast.literal_eval(last["CMD"])
    return words


def context() -> list[Path]:
    """Return the files that the image is built from, by its ignore file: all but some, of which some again, but not all."""
    patterns = (DEPLOY / "Dockerfile.dockerignore").read_text().split()
    assert patterns[0] == "*"
    left_out = [pattern for pattern in patterns[1:] if not pattern.startswith("!")]
    found: list[Path] = []
    for name in (pattern.removeprefix("!") for pattern in patterns if pattern.startswith("!")):
        for folder, folders, files in os.walk(ROOT / name):
            inside = Path(folder).relative_to(ROOT)
            folders[:] = [each for each in folders if not _fits(inside / each, left_out)]
            found += [inside / each for each in files if not _fits(inside / each, left_out)]
        found += [Path(name)] if (ROOT / name).is_file() else []
    return found


def _fits(path: Path, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatch(path.as_posix(), pattern) for pattern in patterns)


def test_image_is_built_from_sources_alone() -> None:
    names = {path.as_posix() for path in context()}
    assert {"pyproject.toml", "hatch_build.py", "README.md", "LICENSE", "js/package-lock.json"} <= names
    assert {"src/trackbook/__init__.py", "js/src/index.ts"} <= names
    assert not [name for name in names if name.startswith(("tests/", "docs/", ".git/", "benchmarks/"))]


def test_image_has_an_install_for_each_extra_that_exists() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (install,) = [rest for name, rest in steps(1) if name == "RUN" and "pip install" in rest]
    named = re.findall(r"\[([a-z,]+)\]", install)[0].split(",")
    assert {"server"} <= set(named) <= set(extras)


@pytest.mark.parametrize("where", ["image", "unit"])
def test_command_is_one_of_ours(trackbook_command: CommandLine, where: str) -> None:
    words = command() if where == "image" else shlex.split(unit()["Service"]["ExecStart"])
    assert Path(words[0]).name == "trackbook"
    options = {word for word in words if word.startswith("--")}
    assert options <= set(re.findall(r"--[a-z-]+", trackbook_command(words[1], "--help").out))


def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # keys keep their case
    parser.read(DEPLOY / "trackbook.service")
    return parser


def test_compose_file_says_what_the_image_says() -> None:
    yaml = pytest.importorskip("yaml")
    content: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    (service,) = content["services"].values()
    assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).samefile(DEPLOY / "Dockerfile")
    image = dict(steps(1))
    (port,) = service["ports"]
    assert port == f"127.0.0.1:{image['EXPOSE']}:{image['EXPOSE']}"
    assert image["EXPOSE"] in command()
    (volume,) = service["volumes"]
    name, _, path = volume.partition(":")
    assert path == image["VOLUME"]
    assert path in command()
    assert name in content["volumes"]


def test_systemd_unit_is_well_formed(tmp_path: Path) -> None:
    assert unit()["Service"]["StateDirectory"] in unit()["Service"]["ExecStart"]
    if (verify := shutil.which("systemd-analyze")) is None:
        pytest.skip("this machine has no systemd")
    text = (
        (DEPLOY / "trackbook.service").read_text().replace("/opt/trackbook/bin/trackbook", shutil.which("true") or "")
    )
    (tmp_path / "trackbook.service").write_text(text)
    done = subprocess.run(
        [verify, "verify", tmp_path / "trackbook.service"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.package
@pytest.mark.timeout(300)
def test_steps_of_the_image_make_a_server_that_answers(tmp_path: Path) -> None:
    """Only the packages are taken from here, and what npm installs: a build without Docker should need no network."""
    source, there = tmp_path / "src", tmp_path / "there"
    for path in context():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, source / path)
    shutil.copytree(ROOT / "js" / "node_modules", source / "js" / "node_modules", symlinks=True)
    assert [rest for name, rest in steps(0) if name == "RUN"][-1].endswith("-m build --wheel --outdir /wheels .")
    build = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", tmp_path / "wheels", source]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = (tmp_path / "wheels").glob("*.whl")
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", there, wheel]
    subprocess.run(install, check=True)
    words = [*command()[1:]]
    for option, value in {"--dir": str(tmp_path / "data"), "--port": "0", "--host": "127.0.0.1"}.items():
        words[words.index(option) + 1] = value
    environment = os.environ | {"PYTHONPATH": str(there), "XDG_STATE_HOME": str(tmp_path / "state")}
    server = subprocess.Popen(
        [sys.executable, "-m", "trackbook", *words], env=environment, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    )
    try:
        assert server.stderr is not None
        address = re.search(r"http://[\d.]+:\d+/", server.stderr.readline())
        assert address is not None
        with urllib.request.urlopen(f"{address[0]}healthz", timeout=SECONDS) as answer:
            assert answer.read() == b"ok\n"
        server.send_signal(signal.SIGTERM)
        assert server.wait(SECONDS) == 0
    finally:
        server.kill()
        server.stderr.close()  # type: ignore[union-attr]
