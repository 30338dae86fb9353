from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

pytestmark = [pytest.mark.package, pytest.mark.timeout(300)]

ROOT = Path(__file__).parent.parent
VIEWERS = ("viewer-plotly.js", "viewer-echarts.js", "viewer-molecule.js", "viewer-object3d.js")
BUILT = ("trackbook.js", "media.js", "loader.js", "fallback.js", "LICENSES.txt", *VIEWERS)
STATIC = tuple(f"_static/{name}" for name in BUILT)
LARGEST = {
    "trackbook.js": 1_100_000,
    "media.js": 150_000,
    "loader.js": 3_000,
    "viewer-plotly.js": 5_000,  # plotly.js itself is in the user's plotly package
    "viewer-echarts.js": 1_300_000,
    "viewer-molecule.js": 650_000,
    "viewer-object3d.js": 800_000,
}  # bytes: what a board loads, and when it has media


@pytest.fixture(scope="module")
def dist(request: pytest.FixtureRequest) -> Path | None:
    """Return the folder of built distributions (`make dist`), None to build them here."""
    folder: Path | None = request.config.getoption("--built")
    return folder


@pytest.fixture(scope="module")
def sdist(dist: Path | None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if dist is not None:
        return next(dist.glob("*.tar.gz"))
    folder = tmp_path_factory.mktemp("sdist")
    build("--sdist", ROOT, folder, os.environ["PATH"])
    return next(folder.glob("*.tar.gz"))


@pytest.fixture(scope="module")
def wheel(dist: Path | None, sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from the sdist without npm or other programs."""
    if dist is not None:
        return next(dist.glob("*.whl"))
    folder = tmp_path_factory.mktemp("wheel")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))  # since 3.11.4
    build("--wheel", next(folder.iterdir()), folder, path="")
    return next(folder.glob("*.whl"))


def build(kind: str, source: Path, folder: Path, path: str) -> None:
    command = [sys.executable, "-m", "build", "--no-isolation", kind, "--outdir", folder, source]
    done = subprocess.run(command, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_sdist_carries_the_built_front_end_and_its_sources(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames()}
    assert {f"src/trackbook/{name}" for name in STATIC} <= names
    assert {"LICENSE", "js/package.json", "hatch_build.py", "deploy/Dockerfile"} <= names
    assert not any("node_modules" in name for name in names)


def test_the_wheel_carries_the_built_front_end(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        sizes = {info.filename: info.file_size for info in archive.infolist()}
    assert all(sizes[f"trackbook/{name}"] > 500 for name in STATIC)
    assert {
        name: sizes[f"trackbook/_static/{name}"]
        for name, most in LARGEST.items()
        if sizes[f"trackbook/_static/{name}"] > most
    } == {}
    assert "trackbook/py.typed" in sizes
    assert not [name for name in sizes if not name.startswith("trackbook")]


def test_an_installed_wheel_shows_a_board_without_node(wheel: Path, tmp_path: Path) -> None:
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", tmp_path, wheel]
    subprocess.run(install, env=os.environ | {"PATH": ""}, check=True)
    program = (
        "import trackbook as tb; tb.init('p', display=False).log({'a': 1}); board = tb.board('p'); print(tb.__file__)"
    )
    environment = os.environ | {"PATH": "", "PYTHONPATH": str(tmp_path)}
    shown = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert shown.returncode == 0, shown.stderr
    assert Path(shown.stdout.strip()).is_relative_to(tmp_path)
