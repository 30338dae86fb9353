from __future__ import annotations

import base64
import hashlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import trackbook as tb
from trackbook.boards import viewers
from trackbook.boards.built_files import built_file
from trackbook.boards.frame_source import FrameSource
from trackbook.boards.publisher import Publisher
from trackbook.charts.html_page import script_source
from trackbook.store.memory import MemoryStore

PLOTLY = 'var x = "</script><!-- <script>";'


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    def forget() -> None:
        viewers.viewer.cache_clear()
        viewers.sources.cache_clear()

    forget()
    yield
    forget()


@pytest.fixture
def plotly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a plotly package that must not be imported."""
    package = tmp_path / "plotly"
    (package / "package_data").mkdir(parents=True)
    (package / "__init__.py").write_text("raise AssertionError('imported')")
    (package / "package_data/plotly.min.js").write_text(PLOTLY, "utf-8")
    monkeypatch.delitem(sys.modules, "plotly", raising=False)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.fixture
def no_plotly(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = ModuleType("plotly")
    stand_in.__spec__ = None
    monkeypatch.setitem(sys.modules, "plotly", stand_in)


def asked(name: object) -> tuple[dict[str, object], list[bytes]]:
    answer, buffers = Publisher(FrameSource("p", MemoryStore()), lambda *_: None).answer({"ask": "asset", "name": name})
    return answer, [bytes(each) for each in buffers]


@pytest.mark.parametrize(
    "name",
    [
        "viewer-none.js",
        "loader.js",
        "../trackbook.js",
        "viewer-echarts.js/../media.js",
        "/etc/passwd",
        "LICENSES.txt",
        "",
    ],
)
def test_only_known_assets_are_answered(name: str) -> None:
    answer, buffers = asked(name)
    assert (answer, buffers) == ({"error": f"there is no asset {name!r}"}, [])


def test_viewer_is_a_built_file() -> None:
    answer, (code,) = asked("viewer-echarts.js")
    assert answer["mime"] == "text/javascript"
    assert code.decode() == built_file("viewer-echarts.js")


@pytest.mark.usefixtures("plotly")
def test_viewer_of_plotly_is_the_users_own_library_and_ours() -> None:
    _, (code,) = asked("viewer-plotly.js")
    assert code.decode() == f"{viewers.in_script(PLOTLY)}\n;{built_file('viewer-plotly.js')}"


@pytest.mark.usefixtures("no_plotly")
def test_without_plotly_the_answer_says_how_to_get_it() -> None:
    answer, buffers = asked("viewer-plotly.js")
    assert "pip install plotly" in str(answer["error"])
    assert buffers == []
    assert len(viewers.sources()) == len(viewers.VIEWERS) - 1


@pytest.mark.usefixtures("plotly")
def test_viewers_stay_within_their_script_elements() -> None:
    """A frame holds them as they are, so that their hashes are those that policies allow."""
    for name in viewers.VIEWERS.values():
        code = viewers.viewer(name)
        assert re.search(r"<!--|</?script|\r|\0", code, re.IGNORECASE) is None, name
        digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in viewers.sources()


def test_code_means_the_same_in_a_script_element() -> None:
    assert viewers.in_script(PLOTLY) == r'var x = "\x3c/script>\x3c!-- \x3cscript>";'


@pytest.mark.usefixtures("no_plotly")
def test_exported_page_holds_only_the_viewers_that_it_needs(tmp_path: Path) -> None:
    with tb.init("numbers", display=False) as run:
        run.log({"loss": 1.0, "note": tb.Text("a")})
    with tb.init("charts", display=False) as run:
        run.log({"c": tb.ECharts({"series": []}), "p": tb.Plotly({"data": []})})
    tb.export_html(tmp_path / "numbers.html", "numbers")
    tb.export_html(tmp_path / "charts.html", "charts")
    numbers, charts = ((tmp_path / name).read_text("utf-8") for name in ("numbers.html", "charts.html"))
    source = script_source(built_file("viewer-echarts.js"))
    assert not [each for each in viewers.sources() if each in numbers]
    assert "trackbook-viewer" not in numbers.partition("</main>")[2].partition("<script type=module")[0]
    assert [each for each in viewers.sources() if each in charts.partition("</head>")[0]] == [source]
    assert '<script type="text/plain" id="trackbook-viewer-echarts">' in charts
    assert 'id="trackbook-viewer-plotly"' not in charts
    assert '"viewers": {"viewer-echarts.js": "trackbook-viewer-echarts"}' in charts
